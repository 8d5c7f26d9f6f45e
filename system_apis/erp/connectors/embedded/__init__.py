"""The ERP that comes with the gateway."""
