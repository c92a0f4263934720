"""How many splits candidates will be run on where some are spared the rest."""

from __future__ import annotations

from collections import Counter

# Share of those that go on, before anything is known: where a training may be ended on
# the first split, and where splits are run in turn. As if found by so many candidates.
_GO_ON_AFTER_ONE, _GO_ON, _N_PRIOR = 0.55, 0.85, 3.0
# The best becomes better and better, so that later ones go on more rarely.
_DECLINE = 0.35


class SparedSplits:
    """Learns after how many splits candidates are spared the others, by survival.

    Nobody is spared before one candidate is complete, so that what was decided before
    says nothing. From then on those that have been told, and were not stopped before
    anything else was sent, will go on.

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
        self._open: set[int] = set()  # of these, who has not been compared
        self._n_told: Counter[int] = Counter()  # by splits run, of those that have
        self._n_stopped: Counter[int] = Counter()
        self._resumed: Counter[tuple[int, int]] = Counter()
        self._steps: dict[int, int] = {}

    def on_submit(self, candidate: int, n: int) -> None:
        """A candidate is run on so many more splits."""
        k = self._told.get(candidate)
        if k is not None:
            if not self._is_any_complete and candidate in self._open:
                self._open.remove(candidate)
                # Who leads would have gone on; of those that are all run, nobody knows.
                self._n_told[k] += k > 1
            self._resumed[candidate, k] += n
            if self._is_any_complete:  # who leads before is run on all the rest
                self._steps[k] = self._resumed[candidate, k]
        self.settle()

    def settle(self) -> None:
        """All that was to be decided has been."""
        if self._is_any_complete:
            self._n_told.update(self._told[candidate] for candidate in self._open)
            self._open.clear()

    def on_told(self, candidate: int, n_run: int) -> None:
        """A candidate was run on some of its splits."""
        if self.begins_with is None:
            self.begins_with = n_run
        self._told[candidate] = n_run
        self._open.add(candidate)

    def on_complete(self, candidate: int) -> None:
        """A candidate was run on all."""
        self._told.pop(candidate, None)
        self._open.discard(candidate)
        self._is_any_complete = True

    def on_stop(self, candidate: int) -> bool:
        """A candidate is run no further; whether it had splits left."""
        k = self._told.pop(candidate, None)
        if k is None:
            return False
        if candidate in self._open:
            self._open.remove(candidate)
            self._n_told[k] += 1
        self._n_stopped[k] += 1
        return True

    def n_new(self, n: int) -> float:
        """Splits beyond the first few of one of the `n` that have not begun."""
        n_seen = self._n_told[self.begins_with or 0] + _N_PRIOR
        decline = (n_seen / (n_seen + n / 2)) ** _DECLINE
        return self._more(self.begins_with or self.n_splits, decline)

    def n_more(self, candidate: int, n_run: int) -> float:
        """Splits that one will be run on beyond `n_run`, which are run or in flight."""
        n_run = max(n_run, self.begins_with or 0)
        has_passed = self._is_any_complete and candidate not in self._open
        if has_passed and self._told.get(candidate) == n_run:
            step = self._step(n_run)
            return step + self._more(n_run + step)
        return self._more(n_run)

    def _more(self, k: int, decline: float = 1.0) -> float:
        n, share = 0.0, 1.0
        while k < self.n_splits:
            share *= self._goes_on(k) * decline
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
