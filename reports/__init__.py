"""What is told: indicators, the lists behind figures, summaries."""
