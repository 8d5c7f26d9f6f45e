"""Quote to cash, version 1."""
