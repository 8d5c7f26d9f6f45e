"""Tax rates, volume breaks and contract prices of the embedded ERP, as CSV."""
