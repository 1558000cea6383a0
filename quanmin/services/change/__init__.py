"""Why a figure changed: data, mix and rate, by group, adding up exactly."""

from quanmin.services.change.causes import Cause, Dimension, Explanation, aligned, explain
from quanmin.services.change.split import Cells, GroupPart, Split, SubmissionPart, split

__all__ = ["Cause", "Cells", "Dimension", "Explanation", "GroupPart", "Split", "SubmissionPart", "aligned", "explain", "split"]
