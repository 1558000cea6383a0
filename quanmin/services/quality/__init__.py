"""Outcomes, fairly compared: observed against expected, risk models, comorbidities, and charts of one case after another."""
