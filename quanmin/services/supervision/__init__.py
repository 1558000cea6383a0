"""Supervision: what rules found goes to the institution, is answered, checked, rectified and closed; each rule learns from the outcomes."""
