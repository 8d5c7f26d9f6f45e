"""The commerce platform that comes with the gateway."""
