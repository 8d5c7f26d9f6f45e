"""Flows: tables of durable steps with their undo, on the workflow engine, and Tiergate's own state."""

from process_apis.flow.runtime import FlowRuntime
from process_apis.flow.settings import FlowSettings

__all__ = ["FlowRuntime", "FlowSettings"]
