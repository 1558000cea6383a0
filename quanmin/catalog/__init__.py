"""Definitions a bureau can read and change; only the loader is code."""

from quanmin.catalog.loader import Catalog, load

__all__ = ["Catalog", "load"]
