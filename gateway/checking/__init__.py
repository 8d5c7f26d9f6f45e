"""What is examined before a gateway starts: each check reads, and changes nothing."""

from gateway.checking.examination import examine
from gateway.checking.finding import Finding, Result

__all__ = ["Finding", "Result", "examine"]
