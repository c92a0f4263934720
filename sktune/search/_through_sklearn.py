"""Workers that are scikit-learn's `evaluate_candidates`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sktune._types import Fit, FitOutcome


class ThroughSklearn:
    """Collects fits into candidates and has scikit-learn evaluate them at once.

    Parameters
    ----------
    search : BaseSearchCV
    evaluate_candidates : callable
        What `BaseSearchCV.fit` hands to `_run_search`.
    n_splits : int
    callback_ctx : object or None
        Callback context of the whole `fit`; scikit-learn 1.8 has none.
    """

    def __init__(
        self,
        search: Any,
        evaluate_candidates: Callable[..., Any],
        n_splits: int,
        callback_ctx: Any,
    ) -> None:
        self._search = search
        self._evaluate = evaluate_candidates
        self._n_splits = n_splits
        self._task = None
        if callback_ctx is not None:
            self._task = callback_ctx.subcontext(task_name="search", max_subtasks=None)
            self._task.call_on_fit_task_begin(estimator=search)
        self._queue: list[Fit] = []

    @property
    def n_workers(self) -> int:
        """scikit-learn does not say; it is given a candidate at a time."""
        return 1

    def submit(self, fit: Fit) -> None:
        """Queue one fit; scikit-learn will make all fits of its candidate."""
        self._queue.append(fit)

    def next_done(self) -> list[tuple[Fit, FitOutcome]]:
        """Have the queued candidates evaluated."""
        if not self._queue:
            if self._task is not None:
                self._task.call_on_fit_task_end(estimator=self._search)
            return []
        candidates = [fit.params for fit in self._queue[:: self._n_splits]]
        results = self._evaluate(candidates, **self._context(len(candidates)))
        done = [(fit, _outcome(results, fit)) for fit in self._queue]
        self._queue.clear()
        return done

    def _context(self, n_candidates: int) -> dict[str, Any]:
        """A context for each call, since scikit-learn numbers its fits from 0."""
        if self._task is None:
            return {}
        n_fits = n_candidates * self._n_splits
        context = self._task.subcontext(
            task_name="candidates", max_subtasks=n_fits, sequential_subtasks=False
        )
        return {"callback_ctx": context}


def _outcome(results: Any, fit: Fit) -> FitOutcome:
    prefix = f"split{fit.split}_test_"
    scores = {
        key.removeprefix(prefix): float(values[fit.candidate])
        for key, values in results.items()
        if key.startswith(prefix)
    }
    return FitOutcome(
        fit_error=None,
        failed=frozenset(m for m, s in scores.items() if not math.isfinite(s)),
        test_scores=scores["score"] if set(scores) == {"score"} else scores,
    )
