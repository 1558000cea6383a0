"""Surveillance of infectious diseases: counts by time and place, what is unusual in them, and what is done about it."""
