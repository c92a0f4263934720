"""A search in MLflow: a parent run, and a nested run for each candidate."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sktune.listeners._tracker import (
    CandidateLog,
    Point,
    Tracker,
    arguments_of,
    package,
    plain_params,
)

# What MLflow takes in one request.
_MOST_METRICS, _MOST_PARAMS = 1000, 100
_NO_NAME = r"[^\w\-. :/]"  # characters that it refuses in names
_REQUIRED = ("cloudpickle", "scikit-learn", "skorch", "sktune", "torch")


class MLflow(Tracker):
    """Logs a search to MLflow: a run, and in it a nested run for each candidate.

    A nested run has the params of its candidate, its learning curves, and its scores.
    The run of the search has the arguments of the search and, when it is over, the best
    score (the metric ``best_cv_score``) and the best params (tags ``best_<name>``). A
    search that is continued from its journal goes on in its runs. MLflow's active run
    is neither used nor changed.

    Needs MLflow: ``pip install "sktune[mlflow]"``.

    Parameters
    ----------
    experiment : str, default="Default"
        Name of the experiment; it is made if it is not there.
    tracking_uri : str, default=None
        Where runs are kept, such as ``"sqlite:///mlflow.db"`` or a server's address.
        None is the one that MLflow is set to.
    run_name : str, default=None
        Name of the run of the search. None is the class of the search and an id of this
        call of ``fit``.
    tags : dict of str -> str, default=None
        Tags of the run of the search.
    log_model : bool, default=False
        Whether to store `best_estimator_` with the run of the search;
        ``mlflow.sklearn.load_model(f"runs:/{run_id}/model")`` loads it.
    max_tuning_runs : int, default=None
        Candidates that get a nested run at most, the best ones, written when the search
        is over. None is all of them, each written as it is done.

    See Also
    --------
    TensorBoard, WeightsAndBiases

    Notes
    -----
    Metrics have the names of `cv_results_`, ``mean_test_score`` for one; their step is
    the epoch of a learning curve (``split0_curve``, ``mean_curve``), and the resource
    of a score.

    Examples
    --------
    >>> from sktune import GridSearchCV
    >>> from sktune.listeners import MLflow  # doctest: +SKIP
    >>> search = GridSearchCV(net, {"lr": [0.1, 0.01]}, listeners=[
    ...     MLflow("digits", log_model=True)])  # doctest: +SKIP
    """

    def __init__(
        self,
        experiment: str = "Default",
        *,
        tracking_uri: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        log_model: bool = False,
        max_tuning_runs: int | None = None,
    ) -> None:
        package("mlflow", "MLflow", "mlflow")
        if max_tuning_runs is not None and max_tuning_runs < 1:
            raise ValueError(
                f"max_tuning_runs={max_tuning_runs} has to be at least 1, or None for "
                "a nested run for every candidate."
            )
        self.experiment = experiment
        self.tracking_uri = tracking_uri
        self.run_name = run_name
        self.tags = tags
        self.log_model = log_model
        self.max_tuning_runs = max_tuning_runs

    def _open(self) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(self.tracking_uri)
        found = self._client.get_experiment_by_name(self.experiment)
        self._experiment = (
            self._client.create_experiment(self.experiment)
            if found is None
            else found.experiment_id
        )
        self._children: dict[int, str] = {}
        # Of each candidate, where the best are written in the end.
        self._kept: dict[int, list[Point]] = {}
        known = self._find(f"tags.`sktune.search` = '{self._info.id}'")
        self._parent = known or self._begin_search()
        self._client.update_run(self._parent, status="RUNNING")

    def _begin_search(self) -> str:
        run = self._client.create_run(
            self._experiment,
            run_name=self.run_name or self._name_of_search,
            tags={**(self.tags or {}), "sktune.search": self._info.id},
        )
        self._write(run.info.run_id, [], arguments_of(self._info.search))
        return str(run.info.run_id)

    def _find(self, condition: str) -> str | None:
        """A run that a search had before it was continued."""
        if not self._info.n_recorded:
            return None
        found = self._client.search_runs([self._experiment], condition, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _log(self, log: CandidateLog, points: list[Point]) -> None:
        if self.max_tuning_runs is not None:
            self._kept.setdefault(log.candidate.id, []).extend(points)
        else:
            self._log_candidate(log, points)

    def _log_candidate(self, log: CandidateLog, points: list[Point]) -> None:
        number = log.candidate.id
        if number not in self._children:
            self._children[number] = self._child(log)
        run_id = self._children[number]
        self._write(run_id, points)
        if log.traceback is not None:
            self._client.log_text(run_id, log.traceback, "traceback.txt")
        # Each time, and not when it is over: the search may be killed until then.
        self._client.set_terminated(run_id, "FAILED" if log.failed else "FINISHED")

    def _child(self, log: CandidateLog) -> str:
        tags = {
            "mlflow.parentRunId": self._parent,
            "sktune.candidate": str(log.candidate.id),
        }
        known = self._find(" and ".join(f"tags.`{k}` = '{v}'" for k, v in tags.items()))
        if known is not None:
            return known
        name = f"candidate {log.candidate.id}"
        run = self._client.create_run(self._experiment, run_name=name, tags=tags)
        self._write(run.info.run_id, [], plain_params(log.candidate.params))
        return str(run.info.run_id)

    def _write(
        self,
        run_id: str,
        points: Sequence[Point],
        params: Mapping[str, Any] | None = None,
    ) -> None:
        from mlflow.entities import Metric, Param

        now = int(1000 * time.time())
        metrics = [
            Metric(re.sub(_NO_NAME, "_", name), value, now, step)
            for name, value, step in points
        ]
        given = [Param(name, str(value)) for name, value in (params or {}).items()]
        for k in range(0, len(given), _MOST_PARAMS):
            self._client.log_batch(run_id, params=given[k : k + _MOST_PARAMS])
        for k in range(0, len(metrics), _MOST_METRICS):
            self._client.log_batch(run_id, metrics=metrics[k : k + _MOST_METRICS])

    def _end_search(self, search: Any, error: BaseException | None) -> None:
        if self.max_tuning_runs is not None:
            for log in self._best(self.max_tuning_runs):
                self._log_candidate(log, self._kept.get(log.candidate.id, []))
        if error is not None:
            is_killed = isinstance(error, KeyboardInterrupt)
            self._client.set_terminated(
                self._parent, "KILLED" if is_killed else "FAILED"
            )
            return
        if hasattr(search, "best_params_"):
            best = plain_params(search.best_params_)
            # Params cannot be changed, and another may be best when a search grows.
            for name, value in best.items():
                self._client.set_tag(self._parent, f"best_{name}", str(value))
        if hasattr(search, "best_score_"):
            score = Point("best_cv_score", float(search.best_score_), 0)
            self._write(self._parent, [score])
        if self.log_model and hasattr(search, "best_estimator_"):
            self._store(search.best_estimator_)
        self._client.set_terminated(self._parent, "FINISHED")

    def _best(self, n: int) -> list[CandidateLog]:
        """The best candidates, in their own order: who came furthest, then by score."""

        def place(log: CandidateLog) -> tuple[float, ...]:
            score = float("-inf") if log.score is None else log.score
            reached = log.so_far.n_resources or 0
            return -reached, -len(log.so_far.outcomes), -score

        best = sorted(self._logs.values(), key=place)[:n]
        return sorted(best, key=lambda log: log.candidate.id)

    def _store(self, estimator: Any) -> None:
        # Not by MLflow's log_model, which needs the active run, that may be in use.
        import mlflow.sklearn

        with TemporaryDirectory() as folder:
            path = Path(folder, "model")
            mlflow.sklearn.save_model(
                estimator,
                str(path),
                serialization_format="cloudpickle",
                pip_requirements=[f"{name}=={version(name)}" for name in _REQUIRED],
            )
            self._client.log_artifacts(self._parent, str(path), "model")

    def __repr__(self) -> str:
        return f"MLflow({self.experiment!r})"
