"""Who searches: called as (space, seed, n_candidates), then asked and told in turns.

Peers are optional and used through their own public interface; one that is not
installed is left out of the table. A new one is a file here and a line in PEERS.
"""

from searchers.random_search import Random
from searchers.registry import (
    CHANGED,
    PEERS,
    SLOW,
    Searcher,
    peer_packages,
    say_left_out,
    searchers,
)
from searchers.sktune_bayes import Sktune

__all__ = [
    "CHANGED",
    "PEERS",
    "SLOW",
    "Random",
    "Searcher",
    "Sktune",
    "peer_packages",
    "say_left_out",
    "searchers",
]
