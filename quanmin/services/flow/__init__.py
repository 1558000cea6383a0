"""Where residents go for hospital care, why they leave their county, and what would come home."""

from quanmin.services.flow.figures import MEASURES, WHATS, CountyFlow, FlowCell, FlowTable, GroupGain, Measures
from quanmin.services.flow.flows import Flow
from quanmin.services.flow.rule import Rule, outflow_rule

__all__ = ["MEASURES", "WHATS", "CountyFlow", "Flow", "FlowCell", "FlowTable", "GroupGain", "Measures", "Rule", "outflow_rule"]
