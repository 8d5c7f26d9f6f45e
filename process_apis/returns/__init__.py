"""Returns: goods that come back, from the wish to the credit."""
