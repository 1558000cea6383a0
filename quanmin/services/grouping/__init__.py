"""Grouping: stays into groups of patients alike in cost (CHS-DRG and its variants)."""
