"""What arrives as spreadsheets: batches, preview, confirmation."""
