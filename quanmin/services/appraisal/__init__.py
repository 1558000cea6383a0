"""Appraisal of public hospitals: points and grades by a scoring sheet, what they rest on, what would move them, and what a new handbook changed."""
