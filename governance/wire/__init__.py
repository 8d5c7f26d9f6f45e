"""The strict wire: bytes to typed values and back, with every violation named."""
