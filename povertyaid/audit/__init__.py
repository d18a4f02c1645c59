"""History of changes, log of reads, reveals and exports, and the one service that writes in bulk."""
