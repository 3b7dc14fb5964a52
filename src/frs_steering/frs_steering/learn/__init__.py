"""Training: the embedded policy."""
