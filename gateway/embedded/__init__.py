"""What a fresh machine lacks, run by us: the embedded store."""
