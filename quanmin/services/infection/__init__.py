"""Hospital infection: clusters of one organism in one ward, and device-associated rates with exact limits."""
