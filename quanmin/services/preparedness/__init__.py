"""Preparedness: mass testing, stockpiles, a surge of patients and exercises as simulations whose arithmetic is open; works on bare files."""
