"""What the composition root is put together from: each module makes one layer of the gateway."""
