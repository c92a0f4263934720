"""Pictures of a search, by scikit-learn's convention for displays."""

from sktune.inspection.displays._confusion import confusion_matrix_display
from sktune.inspection.displays._convergence import ConvergenceDisplay, plot_convergence
from sktune.inspection.displays._importance import ImportanceDisplay
from sktune.inspection.displays._learning_curves import (
    LearningCurvesDisplay,
    plot_learning_curves,
)
from sktune.inspection.displays._leases import LeasesDisplay, plot_leases
from sktune.inspection.displays._parallel_coordinates import ParallelCoordinatesDisplay
from sktune.inspection.displays._pareto_front import ParetoFrontDisplay
from sktune.inspection.displays._repeat import RepeatDisplay
from sktune.inspection.displays._rungs import RungsDisplay, plot_rungs
from sktune.inspection.displays._splits import SplitsDisplay
from sktune.inspection.displays._surrogate import SurrogateDisplay

__all__ = [
    "ConvergenceDisplay",
    "ImportanceDisplay",
    "LearningCurvesDisplay",
    "LeasesDisplay",
    "ParallelCoordinatesDisplay",
    "ParetoFrontDisplay",
    "RepeatDisplay",
    "RungsDisplay",
    "SplitsDisplay",
    "SurrogateDisplay",
    "confusion_matrix_display",
    "plot_convergence",
    "plot_learning_curves",
    "plot_leases",
    "plot_rungs",
]
