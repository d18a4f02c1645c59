"""Reading what other offices send: the bytes of a file, its sheets, the table in a sheet, the names of its columns."""
