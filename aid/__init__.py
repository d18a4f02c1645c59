"""What is given: programmes, standards, disbursements, payments."""
