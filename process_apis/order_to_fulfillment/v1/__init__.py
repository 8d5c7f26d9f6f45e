"""Order to fulfillment, version 1."""
