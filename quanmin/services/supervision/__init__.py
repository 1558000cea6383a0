"""Supervision: what a changed rule would have found in the months that have passed."""

from quanmin.services.supervision.replay import Compared, Replay, changed, replay

__all__ = ["Compared", "Replay", "changed", "replay"]
