"""Search of cells by weights of operations that are learnt by their gradient: DARTS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from sktune import _compat
from sktune._warnings import warn
from sktune.architectures._relaxation import Relaxation, strongest
from sktune.architectures._shared_weights_search import (
    CellValue,
    SharedWeightsSearch,
)


class DARTSSearchCV(SharedWeightsSearch):
    """Differentiable search of cells, stopped where skip connections take over.

    In the supernet of a split each edge gives a weighted mean of all its operations.
    Weights of operations are learnt on a validation part, those of the net on the
    rest, in turn, batch by batch [1]_. Each edge then keeps the operation that has the
    largest weight. The cell of all splits' mean weights and those of the splits are
    trained from scratch, beside as many drawn at random and the best of random search
    with shared weights, and the best of all that were trained is refitted.

    Parameters
    ----------
    estimator : estimator object
        A skorch net, or a pipeline that ends with one. Its module hands the cell to
        `sktune.architectures.Cell`, as `CellNet` does.
    param_distributions : dict
        One parameter of the module and its space of cells:
        ``{"module__cell": CellSpace(...)}``, with operations on edges.
    order : {1, 2}, default=1
        1 takes the derivative where the net is, 2 where one step of training would
        bring it. An epoch of the second order takes two to three times as long.
    watch : bool, default=True
        Whether the training of a supernet is stopped where operations without
        parameters, skip connections and pooling, dominate: where more than `max_free`
        edges would have one for five epochs, or where they gain weight in five epochs
        in which the largest eigenvalue of the Hessian of the validation loss by the
        weights of operations, as a mean over five epochs, grows by a third [2]_. The
        weights are then those of before, and a warning says so.
    max_free : int, default=None
        Edges that may have operations without parameters; None is half of them.
    perturbation : bool, default=False
        Whether operations are not chosen by their weights: edges are fixed one by one,
        each to the operation without which the supernet loses most, and the supernet is
        trained on in between [3]_.
    n_tuning_epochs : int, default=1
        Epochs after each edge that `perturbation` fixes.
    n_candidates : int, default=100
        Cells that random search scores with shared weights, to compare with.
    n_separate : int, default=5
        Cells of the relaxation that are trained from scratch, at most: that of the mean
        weights and those of the splits.
    n_random : int, default=None
        Cells drawn at random that are trained from scratch as well. None is as many as
        `n_separate`. With 0 nothing is compared, and no second supernet is trained.
    supernet_epochs : int, default=None
        Epochs of the supernet; None is the net's own `max_epochs`.
    valid_size : float, default=0.5
        Share of a training part on which weights of operations are learnt.
    architecture_lr : float, default=0.01
        Rate of the Adam that learns them. The paper's is 3e-4, for twenty thousand
        steps; small data have hundreds.
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
    relaxations_ : list of dict
        Of each split the `cell`, the `weights` of shape (n_edges, n_operations), the
        `epoch` that they are of, why the training was `stopped` (None where it was
        not), and the `course`: after each epoch `weights`; of operations without
        parameters, on how many edges they would be (`n_free`) and the weight that an
        edge gives them in the mean (`free_weight`); and the `eigenvalue`.
    weights_ : ndarray of shape (n_edges, n_operations)
        The mean over the splits.
    stopped_ : bool
        Whether the supernet of any split was stopped.
    comparison_ : Comparison or None
        Scores after training from scratch by who chose the cells, and by cost. Where
        ``comparison_.is_worse_than_random``, a warning says so.
    rank_correlation_ : dict
        `kendall` and `spearman` of shared and separate scores of the `n` cells that
        have both.
    rank_correlation_random_ : dict
        The same of the cells that were drawn at random.
    seconds_ : dict
        Of each stage, by the clock.
    search_ : GridSearchCV
        That of cells trained from scratch, for :mod:`sktune.inspection`.
    scorer_ : function
    n_splits_ : int
    refit_time_ : float

    See Also
    --------
    WeightSharingSearchCV : Trains one cell of the supernet at a time.

    Notes
    -----
    With `perturbation` the cell of the mean weights has no part: each split has its
    own, and that with the best shared score is the first.

    In [2]_ the eigenvalue alone decides. It also grows as a net begins to learn, and on
    small data it would stop every relaxation as soon as it may. What takes over need
    not be skip connections: on small images it is pooling.

    There is no journal: a search that was killed begins again.

    The operation "none" has a weight, but is never kept: how large it is says nothing
    about the others [1]_.

    References
    ----------
    .. [1] H. Liu, K. Simonyan and Y. Yang, "DARTS: Differentiable architecture search",
       ICLR 2019.
    .. [2] A. Zela, T. Elsken, T. Saikia, Y. Marrakchi, T. Brox and F. Hutter,
       "Understanding and robustifying differentiable architecture search", ICLR 2020.
    .. [3] R. Wang, M. Cheng, X. Chen, X. Tang and C.-J. Hsieh, "Rethinking architecture
       selection in differentiable NAS", ICLR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from skorch import NeuralNetClassifier
    >>> from sklearn.datasets import load_iris
    >>> from sktune.architectures import CellNet, CellSpace, DARTSSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> net = NeuralNetClassifier(
    ...     CellNet,
    ...     module__n_inputs=4,
    ...     module__n_outputs=3,
    ...     module__kind="rows",
    ...     criterion=torch.nn.CrossEntropyLoss,
    ...     optimizer=torch.optim.Adam,
    ...     lr=0.01,
    ...     max_epochs=4,
    ...     verbose=0,
    ... )
    >>> space = CellSpace(["linear_tanh", "linear_relu"], n_nodes=3)
    >>> search = DARTSSearchCV(
    ...     net, {"module__cell": space}, n_random=0, cv=2, random_state=0
    ... )
    >>> search = search.fit(X.astype(np.float32), y)
    >>> search.weights_.shape
    (3, 2)
    >>> search.best_params_["module__cell"] in space
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **SharedWeightsSearch._parameter_constraints,
        "order": [_compat.Interval(Integral, 1, 2, closed="both")],
        "watch": ["boolean"],
        "max_free": [_compat.Interval(Integral, 0, None, closed="left"), None],
        "perturbation": ["boolean"],
        "n_tuning_epochs": [_compat.Interval(Integral, 0, None, closed="left")],
        "architecture_lr": [_compat.Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: Mapping[str, Any],
        *,
        order: int = 1,
        watch: bool = True,
        max_free: int | None = None,
        perturbation: bool = False,
        n_tuning_epochs: int = 1,
        n_candidates: int = 100,
        n_separate: int = 5,
        n_random: int | None = None,
        supernet_epochs: int | None = None,
        valid_size: float = 0.5,
        architecture_lr: float = 0.01,
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
        self.order = order
        self.watch = watch
        self.max_free = max_free
        self.perturbation = perturbation
        self.n_tuning_epochs = n_tuning_epochs
        self.n_candidates = n_candidates
        self.n_separate = n_separate
        self.n_random = n_random
        self.supernet_epochs = supernet_epochs
        self.valid_size = valid_size
        self.architecture_lr = architecture_lr
        self.devices = devices
        self.fits_per_device = fits_per_device
        self.random_state = random_state

    def _callback(self) -> Relaxation:
        return Relaxation(
            order=self.order,
            learning_rate=self.architecture_lr,
            watch=self.watch,
            max_free=self.max_free,
            perturbation=self.perturbation,
            n_tuning_epochs=self.n_tuning_epochs,
        )

    def _report(self, callbacks: Sequence[Any]) -> None:
        self.relaxations_ = [
            {
                "cell": one.cell_,
                "weights": one.weights_,
                "epoch": one.epoch_,
                "stopped": one.stopped_,
                "course": one.course_,
            }
            for one in callbacks
        ]
        self.weights_ = np.mean([one.weights_ for one in callbacks], axis=0)
        stopped = [(k, one) for k, one in enumerate(callbacks) if one.stopped_]
        self.stopped_ = bool(stopped)
        if stopped:
            split, one = stopped[0]
            warn(
                "Skip connections or pooling take over: the relaxation was stopped on "
                f"{len(stopped)} of {len(callbacks)} splits, first on split {split}: "
                f"{one.stopped_}. Its weights are those after epoch {one.epoch_}; see "
                "relaxations_. watch=False trains to the end, and perturbation=True "
                "chooses operations by what their removal costs."
            )

    def _proposed(
        self, callbacks: Sequence[Any], space: Any, seed: int
    ) -> list[CellValue]:
        cells = [one.cell_ for one in callbacks]
        if not self.perturbation:
            names, is_zero = callbacks[0].names_, callbacks[0].is_zero_
            mean = [names[k] for k in strongest(self.weights_, is_zero)]
            cells.insert(0, tuple(mean))
        return list(dict.fromkeys(cells))

    def _picked(
        self, proposed: list[CellValue], scores: dict[CellValue, float]
    ) -> list[CellValue]:
        if self.perturbation:
            return super()._picked(proposed, scores)
        return [proposed[0], *super()._picked(proposed[1:], scores)]
