"""syne-tune: conformal quantile regression and BORE, by its ask and tell."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import numpy as np
from landscapes import Params, Spaces
from syne_tune.config_space import choice, loguniform, randint, uniform
from syne_tune.optimizer import baselines
from syne_tune.optimizer.schedulers.ask_tell_scheduler import AskTellScheduler

from searchers.flat_space import Column, Flat

METRIC = "loss"


class SyneTune:
    """A scheduler of its baselines with all defaults; it knows no conditions."""

    def __init__(
        self, space: Spaces, seed: int, n_candidates: int, baseline: str
    ) -> None:
        logging.disable(logging.INFO)
        np.random.seed(seed)  # what BORE draws with, whatever seed it is given
        self.flat = Flat.of(space)
        offered = {label: as_syne_tune(c) for label, c in self.flat.columns.items()}
        scheduler = getattr(baselines, baseline)(
            offered, metric=METRIC, do_minimize=True, random_seed=seed
        )
        self.scheduler = AskTellScheduler(scheduler)

    def ask(self) -> Params:
        self.trial = self.scheduler.ask()
        return self.flat.params({k: float(v) for k, v in self.trial.config.items()})

    def tell(self, params: Params, score: float) -> None:
        self.scheduler.tell(self.trial, {METRIC: -score})


CQR = partial(SyneTune, baseline="CQR")
BORE = partial(SyneTune, baseline="BORE")


def as_syne_tune(column: Column) -> Any:
    if column.kind == "category":
        return choice([str(i) for i in range(column.n)])
    if column.kind == "integer":
        return randint(int(column.low), int(column.high))
    return (loguniform if column.log else uniform)(column.low, column.high)
