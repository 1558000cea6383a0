"""Engines answer Questions about Tables: `duckdb` for work, `plain` for truth. Each offers `ask` and `rows`."""
