"""How many splits candidates will be run on where some are spared the rest."""

from __future__ import annotations

from collections import Counter

# How many go on, before anything is known: where a training may be ended on the first
# split, and where splits are run in turn. As if found by so many candidates.
_GO_ON_AFTER_ONE, _GO_ON, _N_PRIOR = 0.5, 0.65, 2.0


class SparedSplits:
    """Learns after how many splits candidates are spared the others, by survival.

    Nobody is spared before one candidate is complete, so that what was decided before
    says nothing. Those that have been compared and were not stopped will go on.

    Parameters
    ----------
    n_splits : int

    Attributes
    ----------
    begins_with : int or None
        Splits that a candidate is run on first; None: nobody is spared any, so far.
    """

    def __init__(self, n_splits: int) -> None:
        self.n_splits = n_splits
        self.begins_with: int | None = None
        self._is_any_complete = False
        self._told: dict[int, int] = {}  # by candidate that has some left: splits run
        self._n_told: Counter[int] = Counter()  # by splits run
        self._n_stopped: Counter[int] = Counter()
        self._resumed: Counter[tuple[int, int]] = Counter()
        self._steps: dict[int, int] = {}

    def on_submit(self, candidate: int, n: int) -> None:
        """A candidate is run on so many more splits."""
        k = self._told.get(candidate)
        if k is None:
            return
        if not self._resumed[candidate, k] and not self._is_any_complete:
            self._n_told[k] -= 1
        self._resumed[candidate, k] += n
        self._steps[k] = self._resumed[candidate, k]

    def on_told(self, candidate: int, n_run: int) -> None:
        """A candidate was run on some of its splits."""
        if self.begins_with is None:
            self.begins_with = n_run
        self._told[candidate] = n_run
        self._n_told[n_run] += 1

    def on_complete(self, candidate: int) -> None:
        """A candidate was run on all."""
        self._told.pop(candidate, None)
        self._is_any_complete = True

    def on_stop(self, candidate: int) -> bool:
        """A candidate is run no further; whether it had splits left."""
        k = self._told.pop(candidate, None)
        if k is None:
            return False
        self._n_stopped[k] += 1
        return True

    def n_new(self) -> float:
        """Splits that one which has not begun will be run on beyond the first few."""
        return self._more(self.begins_with or self.n_splits)

    def n_more(self, candidate: int, n_run: int) -> float:
        """Splits that one will be run on beyond `n_run`, which are run or in flight."""
        n_run = max(n_run, self.begins_with or 0)
        if self._is_any_complete and self._told.get(candidate) == n_run:
            step = self._step(n_run)
            return step + self._more(n_run + step)
        return self._more(n_run)

    def _more(self, k: int) -> float:
        n, share = 0.0, 1.0
        while k < self.n_splits:
            share *= self._goes_on(k)
            step = self._step(k)
            n += share * step
            k += step
        return n

    def _step(self, k: int) -> int:
        """By how many splits one goes on that was run on `k`."""
        rest = self.n_splits - k
        usual = rest if self.begins_with == 1 else 1
        return min(rest, max(1, self._steps.get(k, usual)))

    def _goes_on(self, k: int) -> float:
        """Share of those that were run on `k` splits which are run on another."""
        share = _GO_ON_AFTER_ONE if self.begins_with == 1 else _GO_ON
        if not self._is_any_complete:
            return share
        n, n_stopped = self._n_told.total(), self._n_stopped.total()
        share = (n - n_stopped + _N_PRIOR * share) / (n + _N_PRIOR)
        n, n_stopped = self._n_told[k], self._n_stopped[k]
        return (n - n_stopped + _N_PRIOR * share) / (n + _N_PRIOR)
