"""Counties, schools, classes, staff, accounts, and who may see and do what."""
