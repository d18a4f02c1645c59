"""The registry of indicators. A later record kind adds a module here and a passage in templates/reports/sections."""

from __future__ import annotations

from reports.indicators import aiding, helping, homes, pupils
from reports.indicators.base import (
    REGISTRY,
    Figure,
    Group,
    Indicator,
    Ratio,
    Target,
    UnknownIndicator,
    WrongFilter,
)
from reports.indicators.evaluation import Figures, evaluate
from reports.indicators.rules import BrokenRule, assert_rules

# In the order of the papers.
TOPICS = (pupils, homes, helping, aiding)
for _topic in TOPICS:
    REGISTRY.add(*_topic.INDICATORS)

__all__ = [
    "REGISTRY",
    "TOPICS",
    "BrokenRule",
    "Figure",
    "Figures",
    "Group",
    "Indicator",
    "Ratio",
    "Target",
    "UnknownIndicator",
    "WrongFilter",
    "assert_rules",
    "evaluate",
]
