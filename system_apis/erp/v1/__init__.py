"""ERP, version 1."""
