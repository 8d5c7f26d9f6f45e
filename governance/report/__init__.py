"""What is declared and what stands in front of it, as rows that people and machines read."""

from governance.report.apis import ApiRow, OperationRow, api_rows

__all__ = ["ApiRow", "OperationRow", "api_rows"]
