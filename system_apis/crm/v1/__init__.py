"""Version 1 of the CRM API."""
