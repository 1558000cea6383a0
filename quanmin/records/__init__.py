"""How records get in and are kept."""
