"""Tables, pictures and pages of a search."""

from sktune.inspection._final_score import FinalScore, final_score
from sktune.inspection._plot_convergence import plot_convergence
from sktune.inspection._plot_learning_curves import (
    learning_curves,
    plot_learning_curves,
)
from sktune.inspection._plot_leases import device_use, plot_leases
from sktune.inspection._plot_rungs import plot_rungs
from sktune.inspection._read_journal import read_journal
from sktune.inspection._report import watch_report, write_report
from sktune.inspection._results_summary import results_summary
from sktune.inspection._table import Table, best_candidates
from sktune.inspection._to_frame import to_frame
from sktune.inspection._to_optuna import to_optuna

__all__ = [
    "FinalScore",
    "Table",
    "best_candidates",
    "device_use",
    "final_score",
    "learning_curves",
    "plot_convergence",
    "plot_learning_curves",
    "plot_leases",
    "plot_rungs",
    "read_journal",
    "results_summary",
    "to_frame",
    "to_optuna",
    "watch_report",
    "write_report",
]
