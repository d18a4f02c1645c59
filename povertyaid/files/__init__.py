"""Files that come with records, and the register of basis documents."""
