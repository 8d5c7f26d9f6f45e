"""The mailbox that comes with the gateway."""
