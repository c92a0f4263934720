"""A search in TensorBoard: a run for each candidate, with its curves and HParams."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sktune.listeners._tracker import (
    CandidateLog,
    Point,
    Tracker,
    package,
    plain_params,
)


class TensorBoard(Tracker):
    """Logs a search for TensorBoard, each candidate as a run of its own.

    Its scores and learning curves are in the tab "Time series", and its params beside
    its scores in the tab "HParams": ``tensorboard --logdir runs`` shows both while the
    search goes on.

    Needs tensorboard: ``pip install "sktune[tensorboard]"``.

    Parameters
    ----------
    log_dir : str or path-like, default="runs"
        Folder of all searches.
    name : str, default=None
        Folder of this search in there. None is the class of the search and an id of
        this call of ``fit``; a search that is continued from its journal keeps its
        folder.

    See Also
    --------
    MLflow, WeightsAndBiases

    Notes
    -----
    Scores have the names of `cv_results_`, ``mean_test_score`` for one, at the resource
    that the candidate was given or the epoch that it came to. ``split0_curve`` is the
    learning curve on the first split, as in `curves_`, and ``mean_curve`` the mean over
    splits.

    Examples
    --------
    >>> from sktune import GridSearchCV
    >>> from sktune.listeners import TensorBoard  # doctest: +SKIP
    >>> search = GridSearchCV(net, {"lr": [0.1, 0.01]},
    ...                       listeners=[TensorBoard("runs")])  # doctest: +SKIP
    """

    def __init__(
        self, log_dir: str | os.PathLike[str] = "runs", *, name: str | None = None
    ) -> None:
        package("tensorboard", "TensorBoard", "tensorboard")
        self.log_dir = log_dir
        self.name = name

    def _open(self) -> None:
        self._folder = Path(self.log_dir) / (self.name or self._name_of_search)

    def _log(self, log: CandidateLog, points: list[Point]) -> None:
        # Opened for each evaluation: with rungs, hundreds of candidates are paused.
        with self._writer(log) as writer:
            if not log.is_open:
                writer.file_writer.add_summary(_session_start(log))
            for name, value, step in points:
                writer.add_scalar(name, value, step)
            if log.traceback is not None:
                writer.add_text("traceback", f"```\n{log.traceback}\n```")

    def _end(self, log: CandidateLog) -> None:
        with self._writer(log) as writer:
            writer.file_writer.add_summary(_session_end(log))

    def _writer(self, log: CandidateLog) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        folder = self._folder / f"candidate_{log.candidate.id:04d}"
        return SummaryWriter(str(folder))

    def __repr__(self) -> str:
        return f"TensorBoard({str(self.log_dir)!r})"


def _session_start(log: CandidateLog) -> Any:
    """The record from which the tab "HParams" has a candidate's params."""
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    start = plugin_data_pb2.SessionStartInfo(
        group_name=f"candidate {log.candidate.id}", start_time_secs=time.time()
    )
    for name, value in plain_params(log.candidate.params).items():
        if isinstance(value, bool):
            start.hparams[name].bool_value = value
        elif isinstance(value, int | float):
            start.hparams[name].number_value = value
        else:
            start.hparams[name].string_value = str(value)
    return _record(metadata.SESSION_START_INFO_TAG, session_start_info=start)


def _session_end(log: CandidateLog) -> Any:
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    status = api_pb2.STATUS_FAILURE if log.failed else api_pb2.STATUS_SUCCESS
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=time.time())
    return _record(metadata.SESSION_END_INFO_TAG, session_end_info=end)


def _record(tag: str, **content: Any) -> Any:
    """A summary of the plugin that TensorBoard has for hyperparameters."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.plugins.hparams import metadata, plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData(
        version=metadata.PLUGIN_DATA_VERSION, **content
    )
    plugin = SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=data.SerializeToString()
    )
    # Some readers pass over what has no value.
    value = Summary.Value(
        tag=tag,
        metadata=SummaryMetadata(plugin_data=plugin),
        tensor=metadata.NULL_TENSOR,
    )
    return Summary(value=[value])
