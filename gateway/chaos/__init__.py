"""Chaos: orders are driven over HTTP while processes are killed and systems fail; then the ledgers are checked."""
