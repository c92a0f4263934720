"""The searches that users import."""

from sktune.search._annealing import AnnealingSearchCV
from sktune.search._bayes import BayesSearchCV
from sktune.search._evolution import EvolutionSearchCV
from sktune.search._freeze_thaw import FreezeThawSearchCV
from sktune.search._grid import GridSearchCV
from sktune.search._halving import SuccessiveHalvingSearchCV
from sktune.search._hyperband import HyperbandSearchCV
from sktune.search._local import LocalSearchCV
from sktune.search._population_based import PopulationBasedSearchCV
from sktune.search._randomized import RandomizedSearchCV
from sktune.search._reinforce import ReinforceSearchCV

__all__ = [
    "AnnealingSearchCV",
    "BayesSearchCV",
    "EvolutionSearchCV",
    "FreezeThawSearchCV",
    "GridSearchCV",
    "HyperbandSearchCV",
    "LocalSearchCV",
    "PopulationBasedSearchCV",
    "RandomizedSearchCV",
    "ReinforceSearchCV",
    "SuccessiveHalvingSearchCV",
]
