"""County medical communities: their official monitoring items, what computes each, and how one stands on it."""

from quanmin.services.communities.scorecards import SETS, Community, Item, ItemFigure, Scored, ScoreSet, Tally, communities_of, score_set, scored, tally

__all__ = ["SETS", "Community", "Item", "ItemFigure", "ScoreSet", "Scored", "Tally", "communities_of", "score_set", "scored", "tally"]
