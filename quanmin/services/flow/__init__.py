"""Where residents go for hospital care, why they leave their county, and what would come home."""

from quanmin.services.flow.figures import MEASURES, UNWEIGHED, WHATS, CountyFlow, FlowCell, FlowTable, GroupGain, Measures, TreatedGroup
from quanmin.services.flow.flows import Flow
from quanmin.services.flow.rule import Rule, outflow_rule

__all__ = ["MEASURES", "UNWEIGHED", "WHATS", "CountyFlow", "Flow", "FlowCell", "FlowTable", "GroupGain", "Measures", "Rule", "TreatedGroup", "outflow_rule"]
