"""The catalogue: products with an account's own prices and live stock."""
