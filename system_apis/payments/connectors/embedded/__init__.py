"""The payment provider that comes with the gateway."""
