"""The CRM that comes with the gateway."""
