"""Who helps whom, and the contacts between them."""
