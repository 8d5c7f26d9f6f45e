"""Loading master data from CSV files into the ERP and the CRM, through their contracts."""

from gateway.load.loading import load
from gateway.load.report import LoadReport, TableReport
from gateway.load.rows import Fault, UnreadableFile

__all__ = ["Fault", "LoadReport", "TableReport", "UnreadableFile", "load"]
