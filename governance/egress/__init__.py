"""The one way out: every HTTP call that the gateway makes leaves through here."""
