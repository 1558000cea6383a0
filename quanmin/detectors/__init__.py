"""Detectors of the unusual: plain functions on arrays, without files, tables or a site; every service may use them."""
