"""What is declared and what stands in front of it, as rows that people and machines read."""

from governance.report.apis import ApiRow, OperationRow, api_rows
from governance.report.deprecations import DeprecationRow, UseRow, deprecation_rows

__all__ = ["ApiRow", "DeprecationRow", "OperationRow", "UseRow", "api_rows", "deprecation_rows"]
