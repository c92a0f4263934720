"""Estimators whose scores differ by split, and racing done by brute force."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold

N_SPLITS = 8
CV = KFold(N_SPLITS, shuffle=True, random_state=0)


class Noisy(BaseEstimator):
    """Trains nothing; scores what `a` is worth, what a split adds, and some noise.

    Raises where ``a`` is in `bad`, on the splits that are hard.
    """

    def __init__(self, a=0.0, noise=0.05, bad=()):
        self.a = a
        self.noise = noise
        self.bad = bad

    def fit(self, X, y):
        self.n_ = len(X)
        if any(abs(self.a - a) < 1e-9 for a in self.bad):
            raise ValueError(f"a={self.a} is bad")
        return self

    def score(self, X, y):
        row = abs(int(1e6 * float(np.asarray(X)[0, 0])))
        of_split = np.random.default_rng(row).normal()
        of_both = np.random.default_rng([row, int(1e6 * self.a)]).normal()
        return self.a + 0.5 * of_split + self.noise * of_both


def raced(scores, order, z, n_pending):
    """How many splits each candidate is run on, by the words of the documentation.

    `scores` is (n_candidates, n_splits), of which none fails. Written anew, with arrays
    and from the beginning at every step, for scores that are told in order.
    """
    S = scores[:, list(order)]
    n, n_splits = S.shape
    n_run = np.zeros(n, int)
    spared, queue, began, filling = set(), [], 0, True

    def told(c):
        return n_run[c] > 0

    def best():
        complete = [c for c in range(n) if n_run[c] == n_splits]
        return max(complete, key=lambda c: (scores[c].mean(), -c)) if complete else None

    def differences(c):
        return S[c, : n_run[c]] - S[best(), : n_run[c]]

    def is_behind(c):
        d, m = differences(c), n_run[c]
        others = [o for o in range(n) if told(o) and o != best()]
        others = [o for o in others if n_run[o] > 1 and np.any(differences(o) != 0)]
        others.sort(key=lambda o: (-differences(o).mean(), o))
        pool = [o for o in others[: math.ceil(len(others) / 2)] if o != c]
        if d.mean() >= 0 or not pool:
            return False
        f = sum(n_run[o] - 1 for o in pool)
        v = sum(differences(o).var() * n_run[o] for o in pool) / f
        f = min(10, f)
        variance = (f * v + d.var() * m) / (f + m - 1)
        t = stats.t.ppf(stats.norm.cdf(z), f + m - 1)
        error = math.sqrt(variance / m * (1 - m / n_splits))
        return d.mean() < -t * error

    while True:
        while filling and len(queue) < n_pending:
            flying = {c for c, _ in queue}
            undecided = [
                c
                for c in range(began)
                if told(c) and n_run[c] < n_splits and c not in spared | flying
            ]
            is_open = len(undecided) + len(queue)
            if began < n and (is_open < n_pending or not undecided):
                queue.append((began, 2))
                began += 1
            elif not undecided:
                break
            elif best() is not None:
                queue.append(
                    (max(undecided, key=lambda c: (differences(c).mean(), -c)), 1)
                )
            elif sum(told(c) for c in flying) < math.ceil(3 * n_pending / 8):
                leader = max(undecided, key=lambda c: (S[c, :2].mean(), -c))
                queue.append((leader, n_splits - 2))
            else:
                break
        if not queue:
            return n_run.tolist()
        c, more = queue.pop(0)
        n_run[c] += more
        filling = best() is not None or not queue
        if best() is not None:
            flying = {c for c, _ in queue}
            for o in range(began):
                waits = told(o) and n_run[o] < n_splits and o not in flying
                if waits and o not in spared and is_behind(o):
                    spared.add(o)
