"""The one way into an operation: contracts, policies, bindings, identity and evidence."""
