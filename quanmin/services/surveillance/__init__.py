"""Infectious-disease surveillance: signals of detectors, clusters and reproduction numbers, from files and from a site."""
