"""povertyaid: records and reports of a school's poverty-assistance office and its county bureau."""
