"""How far each candidate goes: ids and scores in, decisions out."""

from sktune.schedule._asynchronous import Asynchronous
from sktune.schedule._brackets import Brackets
from sktune.schedule._flat import Flat
from sktune.schedule._plan import Plan, within
from sktune.schedule._population import Population, PopulationPlan, every_interval
from sktune.schedule._racing import N_FIRST, Racing
from sktune.schedule._rungs import (
    Place,
    Rung,
    exhausting_minimum,
    halving,
    hyperband,
    iterations,
    n_evaluations,
    n_survivors,
    resources_of_a_candidate,
    splits_of,
    total_resources,
)
from sktune.schedule._slice_plan import SlicePlan
from sktune.schedule._slices import Slices, first_halving, levels_between
from sktune.schedule._stop_rules import (
    EarlyStopping,
    Growth,
    LearningCurve,
    Patience,
    Percentile,
)

__all__ = [
    "N_FIRST",
    "Asynchronous",
    "Brackets",
    "EarlyStopping",
    "Flat",
    "Growth",
    "LearningCurve",
    "Patience",
    "Percentile",
    "Place",
    "Plan",
    "Population",
    "PopulationPlan",
    "Racing",
    "Rung",
    "SlicePlan",
    "Slices",
    "every_interval",
    "exhausting_minimum",
    "first_halving",
    "halving",
    "hyperband",
    "iterations",
    "levels_between",
    "n_evaluations",
    "n_survivors",
    "resources_of_a_candidate",
    "splits_of",
    "total_resources",
    "within",
]
