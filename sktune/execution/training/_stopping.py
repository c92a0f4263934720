"""A net that trains as it would, until a rule says of its learning curve: enough."""

from __future__ import annotations

import math
from typing import Any

from sktune._errors import InputError
from sktune._types import Curve, StopRule
from sktune.execution.guards._random_states import random_states, set_random_states
from sktune.execution.training._listening import curve_of
from sktune.execution.training._task import Task

# Shares of a training after which it is scored on the test part, where the net keeps no
# part for validation. Scoring costs about a pass over the test part for each.
_SHARES = (0.04, 0.08, 0.12, 0.2, 0.3, 0.45, 0.65, 0.85)


class Stopping:
    """Listens to the training of a fit that a rule may end.

    Parameters
    ----------
    task : Task
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._grid: frozenset[int] = frozenset()

    def loop(self, net: Any, loop: Any, epochs: int | None) -> Any:
        """Not once it was stopped: a `fit` of the net's own may have several."""
        if self._task.stopped:
            return net
        self._grid = scored_epochs(net.max_epochs if epochs is None else epochs)
        return loop(epochs)

    def on_epoch_begin(self, net: Any) -> None:
        """Nothing to prepare."""

    def on_epoch_end(self, net: Any) -> None:
        """Look at what there is of the curve."""
        curve = None if self._task.job.curve_on == "test" else curve_of(net)
        if curve is None:
            epoch, scores = len(net.history), self._task.scores_on_test
            if epoch not in self._grid:
                return
            scores[epoch] = self._score(net)
            curve = tuple(scores.values())
        end_by_rule(self._task, curve)

    def on_train_end(self, net: Any) -> None:
        """Nothing to keep."""

    def _score(self, net: Any) -> float:
        """On the test part, of the net as it stands; its training is as without."""
        states = random_states(net.device)
        try:
            score = self._task.score_test(self._task)
        finally:
            set_random_states(states, net.device)
        return math.nan if score is None else score


def end_by_rule(task: Task, curve: Curve) -> None:
    """End the training where the rule of its fit says so, as skorch's EarlyStopping."""
    rule = task.fit.stop_rule
    if rule is not None and _says_stop(rule, curve):
        task.stopped = True
        raise KeyboardInterrupt


def _says_stop(rule: StopRule, curve: Curve) -> bool:
    try:
        return bool(rule(curve))
    except Exception as error:
        # Not a failure of the candidate: its params have no part in it.
        raise InputError(
            f"early_stopping: the rule {rule!r} raised {type(error).__name__} for a "
            f"curve of {len(curve)} values ({error}). It takes one argument, the "
            "scores so far, and returns whether to stop."
        ) from error


def scored_epochs(max_epochs: int) -> frozenset[int]:
    """The epochs after which a net is scored while it trains; the last is not one."""
    epochs = (math.ceil(share * max_epochs) for share in _SHARES)
    return frozenset(epoch for epoch in epochs if epoch < max_epochs)
