"""Villages, households, their members and what each year brought in."""
