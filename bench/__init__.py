"""Benchmarks: each against its peer in the same run, reported as a ratio with rows and memory."""
