"""The warehouse and carrier side: shipments and where they are."""
