"""Quanmin: sources fill tables, engines answer questions about tables, actions are the only door out."""
