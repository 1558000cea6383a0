"""Variation, properly read: XmR charts, funnel plots, deciles, and the highlights that follow from them."""

from quanmin.services.variation.deciles import Deciles, deciles
from quanmin.services.variation.funnel import Funnel, Limits, curve, funnel
from quanmin.services.variation.highlights import Highlight, Peers, Series, highlights
from quanmin.services.variation.xmr import XmR, xmr

__all__ = ["Deciles", "Funnel", "Highlight", "Limits", "Peers", "Series", "XmR", "curve", "deciles", "funnel", "highlights", "xmr"]
