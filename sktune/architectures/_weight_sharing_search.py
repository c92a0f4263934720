"""Search of cells by the weights that they share: ENAS, and random search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch

from sktune import _compat
from sktune.architectures._path_sampling import PathSampling
from sktune.architectures._shared_weights_search import (
    CellValue,
    SharedWeightsSearch,
    drawn,
)


class WeightSharingSearchCV(SharedWeightsSearch):
    """Search of cells that share the weights of a supernet, as ENAS does.

    A supernet that has all operations on all edges is trained once for each split, each
    batch through one cell. Cells are then scored on the test part of the split with the
    weights that they inherit. The best few are trained from scratch, beside as many
    drawn at random, and the best of all that were trained is refitted.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, or a pipeline that ends with one. Its module hands the cell to
        `sktune.architectures.Cell`, as `CellNet` does.
    param_distributions : dict
        One parameter of the module and its space of cells:
        ``{"module__cell": CellSpace(...)}``, with operations on edges.
    strategy : {"controller", "random"}, default="controller"
        Who chooses the cells that batches go through, and those to score: a recurrent
        controller that is trained by REINFORCE on a validation part [1]_; or nobody,
        all cells being equally likely [2]_.
    n_candidates : int, default=100
        Cells to score with shared weights, at most.
    n_separate : int, default=5
        Of these, how many are trained from scratch.
    n_random : int, default=None
        Cells drawn at random that are trained from scratch as well, to compare with.
        None is as many as `n_separate`. With 0 nothing is compared, and no second
        supernet is trained for random search.
    supernet_epochs : int, default=None
        Epochs of the supernet; None is the net's own `max_epochs` times the number of
        operations, so that each operation of an edge sees as many batches as in a net
        of its own. With fewer, scores say little (`rank_correlation_random_`).
    valid_size : float, default=0.2
        Share of a training part on which the controller is trained.
    controller_steps : int, default=20
        Steps of the controller after each epoch.
    controller_lr : float, default=0.01
        Rate of the controller's Adam.
    entropy_weight : float, default=0.01
        Of the entropy of the controller's choices, which keeps it from deciding early.
    warmup : float, default=0.5
        Share of the supernet's epochs in which all cells are equally likely; then the
        controller begins. Early, cells without weights are the best, and a controller
        would never let the others be trained.
    scoring : str or callable, default=None
        The metric; None uses the net's ``score``.
    n_jobs : int, default=None
        Fits that run at the same time, in each stage. Results do not depend on it.
    devices : str, torch.device, list or dict, default=None
        Where fits run, as in `GridSearchCV` of sktune. Cells that inherit weights are
        scored where the supernet was left.
    fits_per_device : int or "auto", default=1
    refit : bool, default=True
        Whether to fit the best cell on all data.
    cv : int, cross-validation generator or iterable, default=None
    verbose : int, default=0
        1 says which stage runs; 2 and above print what scikit-learn prints of fits.
    pre_dispatch : int or str, default='2*n_jobs'
    random_state : int, RandomState instance or None, default=None
        Draws cells, and seeds every fit.
    error_score : 'raise' or numeric, default=np.nan
        Score of a split whose fit from scratch raised. A supernet that raises ends the
        search.
    return_train_score : bool, default=False

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        The cells that were trained from scratch, as of any search, and for each
        `mean_shared_score`, with inherited weights, and `origin`: "shared weights",
        "random, shared weights" or "random".
    shared_results_ : dict of numpy (masked) ndarrays
        The cells that were scored with inherited weights: `cv_results_` of that stage.
    best_estimator_ : estimator
        The best cell of those trained from scratch, fitted on all data.
    best_params_ : dict
    best_score_ : float
    best_index_ : int
    comparison_ : Comparison or None
        Scores after training from scratch by who chose the cells, and by cost. Where
        ``comparison_.is_worse_than_random``, a warning says so.
    rank_correlation_ : dict
        `kendall` and `spearman` of shared and separate scores of the `n` cells that
        have both. Most were chosen by the one, which makes the correlation smaller.
    rank_correlation_random_ : dict
        The same of the cells that were drawn at random.
    seconds_ : dict
        Of each stage, by the clock.
    controllers_ : list of dict
        Of each split the `rewards` by epoch, and the `best` cell of its controller.
    search_ : GridSearchCV
        That of cells trained from scratch, for :mod:`sktune.inspection`.
    scorer_ : function
    n_splits_ : int
    refit_time_ : float

    See Also
    --------
    DARTSSearchCV : Learns weights of operations by their gradient.

    Notes
    -----
    Batch normalization counts its statistics anew for each cell that is scored, on rows
    of the training part: those of the supernet are of all cells together.

    Rewards of the controller are minus the loss on a validation batch, and not an
    accuracy, so that any net will do; they are scaled by their own size. Each split has
    its own controller; cells that any of them proposes are scored on all splits.

    There is no journal: a search that was killed begins again.

    References
    ----------
    .. [1] H. Pham, M. Guan, B. Zoph, Q. Le and J. Dean, "Efficient neural architecture
       search via parameter sharing", ICML 2018.
    .. [2] L. Li and A. Talwalkar, "Random search and reproducibility for neural
       architecture search", UAI 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skorch import NeuralNetClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sktune.architectures import CellNet, CellSpace, WeightSharingSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NeuralNetClassifier(
    ...     CellNet,
    ...     module__n_inputs=4,
    ...     module__n_outputs=3,
    ...     module__kind="rows",
    ...     criterion=torch.nn.CrossEntropyLoss,
    ...     optimizer=torch.optim.Adam,
    ...     lr=0.01,
    ...     max_epochs=5,
    ...     verbose=0,
    ... )
    >>> space = CellSpace(["none", "skip", "linear_relu"], n_nodes=3)
    >>> search = WeightSharingSearchCV(
    ...     net,
    ...     {"module__cell": space},
    ...     strategy="random",
    ...     n_candidates=8,
    ...     n_separate=2,
    ...     cv=2,
    ...     random_state=0,
    ... )
    >>> search = search.fit(X.astype(np.float32), y)
    >>> len(search.shared_results_["params"]) <= 10
    True
    >>> search.best_params_["module__cell"] in space
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SharedWeightsSearch._parameter_constraints,
        "strategy": [_compat.StrOptions({"controller", "random"})],
        "controller_steps": [_compat.Interval(Integral, 1, None, closed="left")],
        "controller_lr": [_compat.Interval(Real, 0, None, closed="neither")],
        "entropy_weight": [_compat.Interval(Real, 0, None, closed="left")],
        "warmup": [_compat.Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any],
        *,
        strategy: str = "controller",
        n_candidates: int = 100,
        n_separate: int = 5,
        n_random: int | None = None,
        supernet_epochs: int | None = None,
        valid_size: float = 0.2,
        controller_steps: int = 20,
        controller_lr: float = 0.01,
        entropy_weight: float = 0.01,
        warmup: float = 0.5,
        scoring: Any = None,
        n_jobs: int | None = None,
        devices: Any = None,
        fits_per_device: int | str = 1,
        refit: bool = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: int | str = "2*n_jobs",
        random_state: Any = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
    ) -> None:
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.param_distributions = param_distributions
        self.strategy = strategy
        self.n_candidates = n_candidates
        self.n_separate = n_separate
        self.n_random = n_random
        self.supernet_epochs = supernet_epochs
        self.valid_size = valid_size
        self.controller_steps = controller_steps
        self.controller_lr = controller_lr
        self.entropy_weight = entropy_weight
        self.warmup = warmup
        self.devices = devices
        self.fits_per_device = fits_per_device
        self.random_state = random_state

    def _callback(self) -> PathSampling:
        if self.strategy == "random":
            return PathSampling()
        return PathSampling(
            self.controller_steps,
            self.controller_lr,
            self.entropy_weight,
            self.warmup,
        )

    def _proposed(
        self, callbacks: Sequence[Any], space: Any, seed: int
    ) -> list[CellValue]:
        if self.strategy == "random":
            return drawn(space, self.n_candidates, seed)
        cells = dict.fromkeys(one.best() for one in callbacks)
        each = -(-self.n_candidates // len(callbacks))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            draws = [one.draw(each) for one in callbacks]
        # In turn, so that no split is left out where there is room for few.
        cells |= dict.fromkeys(cell for row in zip(*draws, strict=True) for cell in row)
        return list(cells)[: self.n_candidates]

    def _report(self, callbacks: Sequence[Any]) -> None:
        if self.strategy == "random":
            self.controllers_ = []
            return
        self.controllers_ = [
            {"rewards": one.rewards_, "best": one.best()} for one in callbacks
        ]
