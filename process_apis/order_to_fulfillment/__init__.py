"""The way of an order from acceptance to invoice."""
