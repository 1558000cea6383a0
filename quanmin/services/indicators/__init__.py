"""Indicators and checks as people ask for them: complete or bounded, suppressed where they must be, with the rows behind them."""

from quanmin.services.indicators.asking import Indicators

__all__ = ["Indicators"]
