"""The policies: one folder or module each, found by discovery."""
