"""What searches with shared weights have in common: their stages, one after the other.

Each stage is a search of sktune: one candidate, the supernet, kept for each split;
candidates that inherit its weights; and a few that are trained from scratch. So places,
failures, seeds and splits are those of any other search.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
import sklearn
from sklearn.base import clone, is_classifier
from sklearn.utils import check_random_state
from skorch.dataset import ValidSplit

from sktune import _compat
from sktune._random import derive_seed, fresh_root
from sktune._warnings import warn
from sktune.architectures._comparison import (
    Comparison,
    expected_best,
    rank_correlation,
)
from sktune.architectures._inherited_weights import InheritedWeights, Supernets, net_of
from sktune.architectures._path_sampling import PathSampling
from sktune.architectures._shared_weights_inputs import Searched, read_searched
from sktune.search import GridSearchCV

CALLBACK = "shared_weights"
SHARED, BASELINE, RANDOM = "shared weights", "random, shared weights", "random"

CellValue = tuple[str, ...]


class SharedWeightsSearch(_compat.BaseSearchCV):
    """`fit` of both; subclasses say how the supernet is trained, and what it proposes.

    Everything but `fit` is inherited from scikit-learn's searches.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_compat.BaseSearchCV._parameter_constraints,
        "param_distributions": [dict],
        "n_candidates": [_compat.Interval(Integral, 1, None, closed="left")],
        "n_separate": [_compat.Interval(Integral, 1, None, closed="left")],
        "n_random": [_compat.Interval(Integral, 0, None, closed="left"), None],
        "supernet_epochs": [_compat.Interval(Integral, 1, None, closed="left"), None],
        "valid_size": [_compat.Interval(Real, 0, 1, closed="neither")],
        "random_state": ["random_state"],
        "refit": ["boolean"],
        "scoring": [str, callable, None],
    }

    # -- hooks ---------------------------------------------------------------------

    @abstractmethod
    def _callback(self) -> Any:
        """The callback by which the supernet is trained."""

    @abstractmethod
    def _proposed(
        self, callbacks: Sequence[Any], space: Any, seed: int
    ) -> list[CellValue]:
        """Cells to score with shared weights, from what the splits have learnt."""

    def _picked(
        self, proposed: list[CellValue], scores: dict[CellValue, float]
    ) -> list[CellValue]:
        """Those to train separately, the answer of the method first."""
        return sorted(proposed, key=lambda cell: -scores.get(cell, -np.inf))

    def _report(self, callbacks: Sequence[Any]) -> None:
        """Set attributes that say what the splits have learnt, and warn of it."""

    # -- fit -----------------------------------------------------------------------

    @_compat.fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Search by shared weights, train the best again, and refit the best of these.

        Parameters
        ----------
        X : array-like
            As the net takes it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        **params : dict of str -> object
            Passed to the ``fit`` of nets and to the splitter, as scikit-learn's
            searches do.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            Where something is wrong that can be known before the first fit, where the
            supernet cannot be trained, and where every fit from scratch failed.
        """
        searched = read_searched(self.estimator, self.param_distributions)
        root = self._root()
        self.seconds_: dict[str, float] = {}
        given = (searched, X, y, params)
        with self._stage("supernet"):
            seed = derive_seed(root, "supernet")
            supernets = self._trained(*given, self._callback(), seed, self.cv)
        callbacks = callbacks_of(supernets)
        self._report(callbacks)
        seed = derive_seed(root, "propose")
        proposed = self._proposed(callbacks, searched.space, seed)
        n_random = self.n_separate if self.n_random is None else self.n_random
        random = drawn(searched.space, n_random, derive_seed(root, "random"))
        baseline = self._baseline(*given, supernets.splits, root) if n_random else []
        with self._stage("shared scores"):
            cells = list(dict.fromkeys([*proposed, *baseline, *random]))
            shared = self._scored(supernets, cells, X, y, derive_seed(root, "scores"))
        self.shared_results_ = shared.cv_results_
        scores = scores_of(shared)
        picked = self._picked(proposed, scores)[: self.n_separate]
        origins = {SHARED: picked, BASELINE: baseline or picked[:1], RANDOM: random}
        with self._stage("separate training"):
            cells = list(dict.fromkeys([*picked, *baseline, *random]))
            seed = derive_seed(root, "separate")
            search = self._separately(*given, cells, seed, supernets.splits)
        self._write(search, cells, scores, origins if n_random else {SHARED: picked})
        return self

    def _root(self) -> int:
        random_state = self.random_state
        if random_state is None:
            return fresh_root()
        if isinstance(random_state, int | np.integer):
            return int(random_state)
        return int(check_random_state(random_state).randint(2**31 - 1))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Time a stage, and say that it begins."""
        if self.verbose:
            print(f"[{type(self).__name__}] {name}", flush=True)
        begin = perf_counter()
        yield
        self.seconds_[name] = perf_counter() - begin

    # -- stages --------------------------------------------------------------------

    def _search(self, estimator: Any, grid: Any, seed: int, **options: Any) -> Any:
        """A search of sktune over listed candidates."""
        return GridSearchCV(
            estimator,
            grid,
            scoring=self.scoring,
            n_jobs=self.n_jobs,
            verbose=self.verbose,
            pre_dispatch=self.pre_dispatch,
            random_state=seed,
            **options,
        )

    def _trained(
        self,
        searched: Searched,
        X: Any,
        y: Any,
        params: dict[str, Any],
        callback: Any,
        seed: int,
        cv: Any,
    ) -> Supernets:
        """A supernet for each split."""
        net = clone(self.estimator)
        at, callbacks = searched.prefix, net_of(net).callbacks or []
        epochs = self.supernet_epochs
        if epochs is None:
            # Each operation of a path gets a share of the batches.
            is_path = isinstance(callback, PathSampling)
            share = len(searched.space.operations) if is_path else 1
            epochs = share * net_of(net).max_epochs
        options = {
            searched.name: searched.space,
            f"{at}callbacks": [*callbacks, (CALLBACK, callback)],
        }
        if callback.needs_validation:
            options[f"{at}train_split"] = ValidSplit(
                float(self.valid_size), stratified=is_classifier(net_of(net))
            )
        search = self._search(
            net.set_params(**options),
            {f"{at}max_epochs": [epochs]},
            seed,
            cv=cv,
            refit=False,
            error_score="raise",
            devices=self.devices,
            fits_per_device=self.fits_per_device,
            keep=1,
        )
        (kept,) = search.fit(X, y, **params).kept_
        return Supernets(kept.estimators, kept.splits)

    def _scored(
        self, supernets: Supernets, cells: list[CellValue], X: Any, y: Any, seed: int
    ) -> Any:
        """A search over cells that inherit their weights."""
        estimator: Any = InheritedWeights(supernets)
        if sklearn.get_config()["enable_metadata_routing"]:
            estimator.set_fit_request(rows=True)
        grid = {"cell": cells}
        options = {"cv": supernets.splits, "error_score": np.nan, "refit": False}
        search = self._search(estimator, grid, seed, **options)
        return search.fit(X, y, rows=np.arange(_compat.num_samples(X)))

    def _baseline(
        self,
        searched: Searched,
        X: Any,
        y: Any,
        params: dict[str, Any],
        splits: Any,
        root: int,
    ) -> list[CellValue]:
        """The best of random search with shared weights; none if this search is it."""
        if not self._callback().needs_validation:
            return []
        with self._stage("random search, shared weights"):
            seed = derive_seed(root, "baseline")
            given = (searched, X, y, params)
            supernets = self._trained(*given, PathSampling(), seed, splits)
            seed = derive_seed(root, "baseline cells")
            cells = drawn(searched.space, self.n_candidates, seed)
            scores = scores_of(self._scored(supernets, cells, X, y, seed))
        return [max(cells, key=lambda cell: scores.get(cell, -np.inf))]

    def _separately(
        self,
        searched: Searched,
        X: Any,
        y: Any,
        params: dict[str, Any],
        cells: list[CellValue],
        seed: int,
        splits: Any,
    ) -> Any:
        """A search over cells that are trained from scratch."""
        search = self._search(
            self.estimator,
            {searched.name: cells},
            seed,
            cv=splits,
            refit=self.refit,
            error_score=self.error_score,
            return_train_score=self.return_train_score,
            devices=self.devices,
            fits_per_device=self.fits_per_device,
        )
        return search.fit(X, y, **params)

    # -- results -------------------------------------------------------------------

    def _write(
        self,
        search: Any,
        cells: list[CellValue],
        shared: dict[CellValue, float],
        origins: dict[str, list[CellValue]],
    ) -> None:
        """Fitted attributes, from the search that trained cells from scratch."""
        self.search_ = search
        for name in _TAKEN_OVER:
            if hasattr(search, name):
                setattr(self, name, getattr(search, name))
        separate = dict(zip(cells, map(float, _means(search)), strict=True))
        both = [shared.get(cell, np.nan) for cell in cells]
        from_where = [
            next(name for name, group in origins.items() if cell in group)
            for cell in cells
        ]
        self.cv_results_ = {
            **search.cv_results_,
            "mean_shared_score": np.array(both),
            "origin": np.array(from_where, dtype=object),
        }
        random = origins.get(RANDOM, [])
        self.rank_correlation_ = rank_correlation(both, list(separate.values()))
        self.rank_correlation_random_ = rank_correlation(
            [shared.get(cell, np.nan) for cell in random],
            [separate[cell] for cell in random],
        )
        self.comparison_ = self._compared(separate, origins) if random else None
        if self.comparison_ is not None and self.comparison_.is_worse_than_random:
            one = self.comparison_
            warn(
                f"The cell that shared weights chose scores {one.first:.4g} when it is "
                f"trained from scratch, worse than {one.random_median:.4g}, the median "
                f"of {one.n_random} cells drawn at random. best_params_ are of the "
                "best of all that were trained from scratch. Longer training of the "
                "supernet (supernet_epochs) may help; see comparison_."
            )

    def _compared(
        self, separate: dict[CellValue, float], origins: dict[str, list[CellValue]]
    ) -> Comparison:
        # Cells that failed are worse than all others.
        scores = {k: -np.inf if np.isnan(v) else v for k, v in separate.items()}
        picked = [scores[cell] for cell in origins[SHARED]]
        random = [scores[cell] for cell in origins[RANDOM]]
        before = self.seconds_["supernet"] + self.seconds_["shared scores"]
        each = self.seconds_["separate training"] / len(separate)
        n = 1 + int(before / each)
        return Comparison(
            first=picked[0],
            best=max(picked),
            random_median=float(np.median(random)),
            random_best=max(random),
            random_shared_weights=scores[origins[BASELINE][0]],
            n_random=len(random),
            n_random_at_equal_cost=n,
            random_at_equal_cost=expected_best(random, n),
        )


_TAKEN_OVER = (
    "best_estimator_",
    "best_index_",
    "best_params_",
    "best_score_",
    "feature_names_in_",
    "multimetric_",
    "n_splits_",
    "refit_time_",
    "scorer_",
)


def drawn(space: Any, n: int, seed: int) -> list[CellValue]:
    """Cells drawn uniformly, none twice; fewer where the space has no more."""
    generator = np.random.RandomState(seed)
    found: dict[CellValue, None] = {}
    for _ in range(20 * n):
        if len(found) == n:
            break
        operations = generator.randint(len(space.operations), size=len(space.edges))
        found[tuple(space.operations[k] for k in operations)] = None
    return list(found)


def callbacks_of(supernets: Supernets) -> list[Any]:
    """What the supernet of each split has learnt."""
    return [dict(net_of(one).callbacks_)[CALLBACK] for one in supernets.estimators]


def scores_of(search: Any) -> dict[CellValue, float]:
    """The mean score of each cell that has one."""
    cells = [params["cell"] for params in search.cv_results_["params"]]
    scores = dict(zip(cells, map(float, _means(search)), strict=True))
    return {cell: score for cell, score in scores.items() if np.isfinite(score)}


def _means(search: Any) -> Any:
    return search.cv_results_["mean_test_score"]
