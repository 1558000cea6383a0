"""Surveillance of infectious diseases: counts by time, what is unusual in them, and what is done about it."""
