"""From guidance to reference chunks, sources of noise, and diagnostics."""
