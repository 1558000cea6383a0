"""Notifiable diseases, as the law and a region's surveillance have them."""

from __future__ import annotations

from dataclasses import dataclass

LAW_CLASSES = ("A", "B", "C")


@dataclass(frozen=True)
class SerialInterval:
    """Days from the onset of a case to the onset of those it infects, as published: mean and standard deviation, where, and how sure we are of the text."""

    mean: float
    deviation: float
    source: str
    status: str


@dataclass(frozen=True)
class NotifiableDisease:
    """One notifiable disease.

    `law_class` A, B or C; `report_hours` from diagnosis to report; `icd10` prefixes of its codes; `trigger` its group for multi-source triggers;
    `percentile` of the moving percentile method (None = not published); every case signals if `is_single_case`; `incubation_days` the longest
    usual incubation (None = unknown or chronic); `parent` the disease it is a part of, so that both are never added; `serial` its serial interval
    (None = we know of none that is published, or people do not infect people).
    """

    code: str
    law_class: str
    report_hours: int
    icd10: tuple[str, ...]
    trigger: str
    percentile: float | None = None
    is_single_case: bool = False
    pathogens: tuple[str, ...] = ()
    incubation_days: int | None = None
    parent: str = ""
    serial: SerialInterval | None = None
