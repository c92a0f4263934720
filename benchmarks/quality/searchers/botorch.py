"""BoTorch: a Gaussian process and log expected improvement, as its tutorials do it."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import Any

import torch
from botorch.acquisition import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms import ChainedInputTransform, Normalize, Standardize
from botorch.models.transforms.input import NumericToCategoricalEncoding
from botorch.optim import optimize_acqf, optimize_acqf_mixed_alternating
from botorch.utils.sampling import draw_sobol_samples, manual_seed
from gpytorch.mlls import ExactMarginalLogLikelihood
from landscapes import Params, Spaces
from torch.nn.functional import one_hot

from searchers.flat_space import Column, Flat

N_INITIAL = 10  # these three as in the closed loops of BoTorch's tutorials
N_RESTARTS = 10
N_RAW_SAMPLES = 512


class BoTorch:
    """Inputs normalised, outcomes standardised, a Sobol start.

    Whole numbers and categories are columns of whole numbers, which BoTorch's own
    alternating optimizer keeps whole; the model sees a category one-hot.
    """

    def __init__(self, space: Spaces, seed: int, n_candidates: int) -> None:
        torch.set_num_threads(1)
        self.flat = Flat.of(space)
        self.columns = list(self.flat.columns.values())
        ends = [_ends(column) for column in self.columns]
        self.bounds = torch.tensor(ends, dtype=torch.double).T
        unit = torch.tensor([[0.0], [1.0]], dtype=torch.double)
        unit = unit.expand(2, len(self.columns))
        self.start = draw_sobol_samples(unit, n=N_INITIAL, q=1, seed=seed)[:, 0]
        self.X: list[Any] = []
        self.y: list[float] = []
        self.seed = seed

    def ask(self) -> Params:
        n = len(self.y)
        if n < N_INITIAL:
            x = [
                _start(c, u)
                for c, u in zip(self.columns, self.start[n].tolist(), strict=True)
            ]
            self.x = torch.tensor(x, dtype=torch.double)
        else:
            with warnings.catch_warnings(), manual_seed(1000 * self.seed + n):
                warnings.simplefilter("ignore")  # of fits that are tried once more
                self.x = self._whole(self._most_promising())
        numbers = zip(self.columns, self.x.tolist(), strict=True)
        return self.flat.params(
            {
                label: _number(column, x)
                for label, (column, x) in zip(self.flat.columns, numbers, strict=True)
            }
        )

    def _whole(self, x: Any) -> Any:
        """Long ranges of whole numbers are relaxed by the optimizer, and come so."""
        whole = torch.tensor([column.kind != "float" for column in self.columns])
        return torch.where(whole, x.round(), x)

    def _most_promising(self) -> Any:
        X, y = torch.stack(self.X), torch.tensor(self.y, dtype=torch.double)[:, None]
        model = SingleTaskGP(
            X,
            y,
            outcome_transform=Standardize(m=1),
            input_transform=_inputs(self.columns, self.bounds),
        )
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        how: dict[str, Any] = {
            "acq_function": LogExpectedImprovement(model, best_f=y.max()),
            "bounds": self.bounds,
            "q": 1,
            "num_restarts": N_RESTARTS,
            "raw_samples": N_RAW_SAMPLES,
        }
        if all(column.kind == "float" for column in self.columns):
            return optimize_acqf(**how)[0][0]
        whole = {
            kind: {
                j: list(range(c.n))
                for j, c in enumerate(self.columns)
                if c.kind == kind
            }
            for kind in ("integer", "category")
        }
        return optimize_acqf_mixed_alternating(
            **how, discrete_dims=whole["integer"], cat_dims=whole["category"]
        )[0][0]

    def tell(self, params: Params, score: float) -> None:
        self.X.append(self.x)
        self.y.append(score)

    def learn(self, known: list[tuple[Params, float]]) -> None:
        """What was observed elsewhere."""
        for params, score in known:
            numbers = self.flat.numbers(params)
            x = [_from_number(c, numbers[k]) for k, c in self.flat.columns.items()]
            self.X.append(torch.tensor(x, dtype=torch.double))
            self.y.append(score)


def _inputs(columns: list[Column], bounds: Any) -> ChainedInputTransform:
    """Numbers to [0, 1], categories to one column for each of their values."""
    sizes = {j: c.n for j, c in enumerate(columns) if c.kind == "category"}
    numbers = [j for j in range(len(columns)) if j not in sizes]
    steps: dict[str, Any] = {}
    if numbers:
        steps["normalize"] = Normalize(len(columns), indices=numbers, bounds=bounds)
    if sizes:
        encoders = {j: partial(one_hot, num_classes=n) for j, n in sizes.items()}
        steps["one_hot"] = NumericToCategoricalEncoding(len(columns), sizes, encoders)
    return ChainedInputTransform(**steps)


def _ends(column: Column) -> tuple[float, float]:
    if column.kind != "float":
        return 0, column.n - 1
    return (
        (math.log(column.low), math.log(column.high))
        if column.log
        else (column.low, column.high)
    )


def _start(column: Column, u: float) -> float:
    low, high = _ends(column)
    if column.kind == "float":
        return low + u * (high - low)
    return min(int(u * column.n), column.n - 1)


def _from_number(column: Column, number: float) -> float:
    if column.kind != "float":
        return number - column.low
    return math.log(number) if column.log else number


def _number(column: Column, x: float) -> float:
    if column.kind != "float":
        return round(x) + column.low
    value = math.exp(x) if column.log else x
    return min(max(value, column.low), column.high)
