"""The warehouse and carrier that come with the gateway."""
