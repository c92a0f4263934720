"""scikit-learn's callbacks (SLEP023): a context for the search, and for each fit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from sktune._protocols import Listener
from sktune._types import Evaluation, Fit


class Callbacks(Listener):
    """Tells the callbacks of a search, and of what it fits.

    Parameters
    ----------
    search : BaseSearchCV
    root : object
        Context of the whole `fit`.
    n_fits : int or None
        That are expected; None where that is not known.
    in_use : bool
        Whether there are any; else fits are given no context.
    """

    def __init__(
        self, search: Any, root: Any, n_fits: int | None, in_use: bool
    ) -> None:
        self._search = search
        self._in_use = in_use
        self._numbers = count()
        self._context = root.subcontext(
            task_name="search", max_subtasks=n_fits, sequential_subtasks=False
        )

    def of_fit(self, fit: Fit) -> Any:
        """Context of a fit that is going to run; None where nobody listens."""
        if not self._in_use:
            return None
        return self._context.subcontext(
            task_name="candidate-split-evaluation", task_id=next(self._numbers)
        )

    def on_begin(self) -> None:
        self._context = self._context.call_on_fit_task_begin(estimator=self._search)

    def on_end(self, evaluations: Sequence[Evaluation]) -> None:
        self._context.call_on_fit_task_end(estimator=self._search)
