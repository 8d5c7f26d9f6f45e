"""The demonstration: one order from price to invoice, told in the terminal."""
