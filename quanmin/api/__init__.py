"""The REST API: a face without logic."""
