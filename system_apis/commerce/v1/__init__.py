"""Version 1 of the commerce API."""
