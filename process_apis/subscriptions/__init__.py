"""Subscriptions: events delivered to partners' own endpoints, signed, in order and for days if need be."""
