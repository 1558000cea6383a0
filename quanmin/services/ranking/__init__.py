"""Rank among peers, with the interval it deserves."""

from quanmin.services.ranking.peers import SCHEMES, peers
from quanmin.services.ranking.ranks import Ranking, rank, rank_counts, standard_errors

__all__ = ["SCHEMES", "Ranking", "peers", "rank", "rank_counts", "standard_errors"]
