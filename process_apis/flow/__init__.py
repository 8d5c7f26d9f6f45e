"""Flows: tables of durable steps with their undo, on the workflow engine, and Tiergate's own state."""
