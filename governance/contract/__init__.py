"""The contract language."""
