"""Briefs: a month's figures and sentences written as Word document, slides, workbook and PDF."""

from quanmin.services.briefs.brief import Bars, Brief, Footnote, KeyFigure, MapOf, Section, Trend
from quanmin.services.briefs.shipped import TEMPLATES
from quanmin.services.briefs.words import fixed_words
from quanmin.services.briefs.writing import FORMATS, write

__all__ = ["FORMATS", "TEMPLATES", "Bars", "Brief", "Footnote", "KeyFigure", "MapOf", "Section", "Trend", "fixed_words", "write"]
