"""Quote to cash: an offer, its acceptance, the order it becomes, and the money for it."""
