"""Benchmarks: one command each, with a peer or a physical limit measured in the same run."""
