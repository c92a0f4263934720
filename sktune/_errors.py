"""Errors that users meet. Each names the argument, the value and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

PREFLIGHT = (
    "sktune.advice.preflight(search, X, y) finds such faults before a search runs."
)
"""A note of errors that say that all fits have failed."""


class SktuneError(Exception):
    """Base of every error that sktune raises on its own account."""


class SpaceError(SktuneError, ValueError):
    """`param_distributions` cannot be searched."""


class SpaceTypeError(SktuneError, TypeError):
    """`param_distributions` holds something that is no list and no distribution."""


class ParamNameError(SktuneError, ValueError):
    """A parameter name that the estimator does not know."""


class EstimatorError(SktuneError, ValueError):
    """The estimator could not be trained or scored as it stands."""


class InputError(EstimatorError):
    """Data that no candidate of the search could be trained on: it ends at once."""


class EstimatorTypeError(SktuneError, TypeError):
    """`estimator` is no estimator."""


class ScoreError(SktuneError, ValueError):
    """`scoring` returned what is no score."""


class StrategyError(SktuneError, ValueError):
    """A strategy proposed what is no candidate."""


class WarmStartError(SktuneError, ValueError):
    """`warm_start_from` is no search, or one by another metric."""


class FitTimeout(SktuneError, TimeoutError):
    """A fit took longer than `fit_timeout`."""


class LostError(SktuneError, RuntimeError):
    """What a fit has raised, where only its traceback is there: that is the text."""


class FitMemoryError(SktuneError, MemoryError):
    """A fit took more memory than `fit_memory`."""


class WorkerLost(SktuneError, RuntimeError):
    """The worker that ran a fit was killed, twice."""


class DeviceError(SktuneError, ValueError):
    """`devices` or `fits_per_device` names what is not there, or is no device."""


class JournalError(SktuneError, ValueError):
    """A journal that cannot be written, read, or continued by this search."""


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """`` Did you mean 'max_epochs'?``, or an empty string where nothing is near.

    A name that lacks only its prefix is nearest: ``net__lr`` for ``lr``.
    """
    names = sorted(valid)
    near = sorted((k for k in names if k.endswith("__" + name)), key=len)
    near += difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
