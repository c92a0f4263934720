"""What searches with shared weights are given, looked at before the first fit."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from sklearn.pipeline import Pipeline
from skorch import NeuralNet

from sktune._errors import (
    EstimatorError,
    EstimatorTypeError,
    ParamNameError,
    SpaceError,
    SpaceTypeError,
    did_you_mean,
)
from sktune.architectures._cell import is_space, supernets_in


@dataclass(frozen=True)
class Searched:
    """What is searched: the name of the parameter, the path of its net, the space."""

    name: str
    prefix: str
    space: Any


def read_searched(estimator: Any, param_distributions: Mapping[str, Any]) -> Searched:
    """What is searched.

    Raises
    ------
    SpaceError, SpaceTypeError, ParamNameError, EstimatorError, EstimatorTypeError
        Where it cannot be; the message says what and why.
    """
    if len(param_distributions) != 1:
        raise SpaceError(
            f"param_distributions has {sorted(param_distributions)}: weights are "
            "shared by the cells of one space. Pass one parameter, such as "
            "{'module__cell': CellSpace(...)}, and search others with the best cell."
        )
    ((name, space),) = param_distributions.items()
    if not is_space(space) or not all(hasattr(space, a) for a in ("rvs", "n_nodes")):
        raise SpaceTypeError(
            f"param_distributions[{name!r}]={space!r} is no space of cells with "
            "operations on edges. Pass a CellSpace(..., operations_on='edges')."
        )
    prefix, net = _net_in(estimator)
    start = f"{prefix}module__"
    argument = name.removeprefix(start)
    if not name.startswith(start) or not argument or "__" in argument:
        near = did_you_mean(name, [f"{start}cell"])
        raise ParamNameError(
            f"param_distributions has {name!r}, which is no argument of the net's "
            f"module.{near} Its names begin with {start!r}."
        )
    searched = Searched(name, prefix, space)
    _try_module(net, argument, space)
    return searched


def _net_in(estimator: Any) -> tuple[str, Any]:
    prefix, net = "", estimator
    if isinstance(estimator, Pipeline):
        step, net = estimator.steps[-1]
        prefix = f"{step}__"
    if not isinstance(net, NeuralNet):
        raise EstimatorTypeError(
            f"estimator={estimator!r} has no net whose weights could be shared. Pass a "
            "skorch net, or a pipeline that ends with one."
        )
    if isinstance(net.callbacks, str):
        raise EstimatorError(
            f"callbacks={net.callbacks!r} leaves the net none, and shared weights are "
            "trained by one. Give the net callbacks=None."
        )
    return prefix, net


def _try_module(net: Any, argument: str, space: Any) -> None:
    """Make the supernet once, so that it fails here and not in each fit."""
    module = net.module
    if not inspect.isclass(module):
        raise EstimatorError(
            f"module={type(module).__name__}(...) is made already. Give the net the "
            "class, and its arguments as module__..., so that it can be made of cells."
        )
    names = inspect.signature(module.__init__).parameters
    takes_any = any(one.kind is one.VAR_KEYWORD for one in names.values())
    if argument not in names and not takes_any:
        raise ParamNameError(
            f"{module.__name__} has no argument {argument!r}."
            f"{did_you_mean(argument, names)}"
        )
    given = {**net.get_params_for("module"), argument: space}
    with torch.random.fork_rng(devices=[]):
        supernets_in(module(**given))
