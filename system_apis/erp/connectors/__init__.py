"""ERP systems, one folder each."""
