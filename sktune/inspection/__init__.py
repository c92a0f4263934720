"""Tables and pictures of a fitted search."""

from sktune.inspection._convergence import plot_convergence
from sktune.inspection._journal import read_journal
from sktune.inspection._rungs import plot_rungs
from sktune.inspection._table import Table, best_candidates

__all__ = [
    "Table",
    "best_candidates",
    "plot_convergence",
    "plot_rungs",
    "read_journal",
]
