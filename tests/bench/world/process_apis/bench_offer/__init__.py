"""Part of the world that the benchmark measures."""
