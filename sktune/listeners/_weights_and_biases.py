"""A search in Weights & Biases: a run for each candidate, in a group."""

from __future__ import annotations

import os
from typing import Any

from sktune.listeners._tracker import (
    CandidateLog,
    Point,
    Tracker,
    arguments_of,
    package,
    plain_params,
)


class WeightsAndBiases(Tracker):
    """Logs a search to Weights & Biases: a run for each candidate, in one group.

    A run has the params of its candidate as its config, its learning curves, and its
    scores. When the search is over, one more run of the group, of the job type
    "search", has the arguments of the search and its best score and params.

    Needs wandb: ``pip install "sktune[wandb]"``.

    Parameters
    ----------
    project : str, default=None
        None is that of the environment variable ``WANDB_PROJECT``, or "uncategorized".
    group : str, default=None
        The group of the runs. None is the class of the search and an id of this call of
        ``fit``; a search that is continued from its journal keeps its group.
    job_type : str, default="candidate"
        The job type of the runs of candidates.
    mode : {"online", "offline", "disabled"}, default=None
        "offline" writes to a folder that ``wandb sync`` sends. None is that of the
        environment variable ``WANDB_MODE``, or "online".
    dir : str or path-like, default=None
        Where files are written; None is the folder ``wandb``.
    **init : dict
        Passed to ``wandb.init``: ``entity``, ``tags``, ``notes``, ...

    See Also
    --------
    MLflow, TensorBoard

    Notes
    -----
    Values have the names of `cv_results_`, ``mean_test_score`` for one. They are drawn
    over ``step``: the epoch of a learning curve (``split0_curve``, ``mean_curve``), the
    resource of a score.

    Examples
    --------
    >>> from sktune import GridSearchCV
    >>> from sktune.listeners import WeightsAndBiases  # doctest: +SKIP
    >>> search = GridSearchCV(net, {"lr": [0.1, 0.01]}, listeners=[
    ...     WeightsAndBiases("my-project", mode="offline")])  # doctest: +SKIP
    """

    def __init__(
        self,
        project: str | None = None,
        *,
        group: str | None = None,
        job_type: str = "candidate",
        mode: str | None = None,
        dir: str | os.PathLike[str] | None = None,
        **init: Any,
    ) -> None:
        package("wandb", "WeightsAndBiases", "wandb")
        self.project = project
        self.group = group
        self.job_type = job_type
        self.mode = mode
        self.dir = dir
        self.init = init

    def _open(self) -> None:
        self._runs: dict[int, Any] = {}

    def _log(self, log: CandidateLog, points: list[Point]) -> None:
        number = log.candidate.id
        if number not in self._runs:
            self._runs[number] = self._run(
                f"candidate {number}",
                f"{self._info.id}-{number}",
                self.job_type,
                plain_params(log.candidate.params),
            )
        run = self._runs[number]
        rows: dict[int, dict[str, float]] = {}
        for name, value, step in points:
            rows.setdefault(step, {})[name] = value
        for step in sorted(rows):
            run.log({"step": step, **rows[step]})

    def _end(self, log: CandidateLog) -> None:
        run = self._runs.pop(log.candidate.id)
        if log.traceback is not None:
            run.summary["traceback"] = log.traceback
        run.finish(exit_code=int(log.failed))

    def _end_search(self, search: Any, error: BaseException | None) -> None:
        run = self._run(
            self._name_of_search, self._info.id, "search", arguments_of(search)
        )
        if error is None and hasattr(search, "best_params_"):
            best = plain_params(search.best_params_)
            run.summary.update({f"best_{name}": value for name, value in best.items()})
            if hasattr(search, "best_score_"):
                run.summary["best_score"] = float(search.best_score_)
        run.finish(exit_code=int(error is not None))

    def _run(self, name: str, number: str, job_type: str, config: Any) -> Any:
        import wandb

        given: dict[str, Any] = {"project": self.project, "mode": self.mode}
        if self.dir is not None:
            given["dir"] = os.fspath(self.dir)
        if self._info.n_recorded:
            given["resume"] = "allow"  # what was logged of it before goes on
        run = wandb.init(
            name=name,
            id=number,
            group=self.group or self._name_of_search,
            job_type=job_type,
            config=config,
            reinit="create_new",  # candidates of several rungs are open together
            settings=wandb.Settings(silent=True, console="off"),
            **{**given, **self.init},
        )
        run.define_metric("*", step_metric="step")
        return run

    def __repr__(self) -> str:
        return f"WeightsAndBiases({self.project!r})"
