"""Tables, pictures and pages of a search."""

from sktune.inspection._device_use import device_use
from sktune.inspection._final_score import FinalScore, final_score
from sktune.inspection._learning_curves import learning_curves
from sktune.inspection._one_standard_error import OneStandardError
from sktune.inspection._param_importances import param_importances
from sktune.inspection._param_sensitivity import param_sensitivity
from sktune.inspection._pareto_front import pareto_front
from sktune.inspection._posterior_mean import PosteriorMean
from sktune.inspection._read_journal import read_journal
from sktune.inspection._repeat import repeat
from sktune.inspection._repetition import Repetition
from sktune.inspection._report import watch_report, write_report
from sktune.inspection._reproduce import reproduce
from sktune.inspection._reproduction import Reproduction
from sktune.inspection._results_summary import results_summary
from sktune.inspection._table import Table, best_candidates
from sktune.inspection._to_frame import to_frame
from sktune.inspection._to_optuna import to_optuna
from sktune.inspection.displays import (
    ConvergenceDisplay,
    ImportanceDisplay,
    LearningCurvesDisplay,
    LeasesDisplay,
    ParallelCoordinatesDisplay,
    ParetoFrontDisplay,
    RepeatDisplay,
    RungsDisplay,
    SplitsDisplay,
    SurrogateDisplay,
    confusion_matrix_display,
    plot_convergence,
    plot_learning_curves,
    plot_leases,
    plot_rungs,
)

__all__ = [
    "ConvergenceDisplay",
    "FinalScore",
    "ImportanceDisplay",
    "LearningCurvesDisplay",
    "LeasesDisplay",
    "OneStandardError",
    "ParallelCoordinatesDisplay",
    "ParetoFrontDisplay",
    "PosteriorMean",
    "RepeatDisplay",
    "Repetition",
    "Reproduction",
    "RungsDisplay",
    "SplitsDisplay",
    "SurrogateDisplay",
    "Table",
    "best_candidates",
    "confusion_matrix_display",
    "device_use",
    "final_score",
    "learning_curves",
    "param_importances",
    "param_sensitivity",
    "pareto_front",
    "plot_convergence",
    "plot_learning_curves",
    "plot_leases",
    "plot_rungs",
    "read_journal",
    "repeat",
    "reproduce",
    "results_summary",
    "to_frame",
    "to_optuna",
    "watch_report",
    "write_report",
]
