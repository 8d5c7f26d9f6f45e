"""Flows: tables of durable steps with their undo, on the workflow engine, and Tiergate's own state."""

from process_apis.flow.runtime import FlowRuntime, FlowSettings

__all__ = ["FlowRuntime", "FlowSettings"]
