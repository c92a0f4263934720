"""`param_distributions` as a unit cube that models can look at."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sktune._errors import SpaceError, SpaceTypeError
from sktune._types import Params
from sktune.space import _embedding
from sktune.space._branch import Branch, entry_of
from sktune.space._checks import check_subspaces, why_not_here
from sktune.space._constraint import Constraint, allows, check_constraint
from sktune.space._dimension import Dimension, from_list
from sktune.space._distributions import Floats
from sktune.space._structured import Values

# Up to here, candidates that two dicts share are counted one by one.
_COUNTED = 100_000


class Space:
    """The candidates that can be searched, as points of the unit cube.

    A candidate has one coordinate for each of its parameters. A uniform coordinate
    gives a parameter distributed as it was said to be, so `loguniform` is even on a log
    scale and the values of a list are equally likely. Parameters of the same name and
    the same values share a coordinate, whichever dicts they are in. Where there is more
    than one dict, coordinate 0 chooses among them.

    Parameters
    ----------
    param_distributions : dict or list of dict
        Parameter names to lists of values or distributions of scipy.stats, frozen or of
        the new style; several dicts are subspaces, each with parameters of its own.
        A list of numbers is ordered, any other is categorical. What has parts, such as
        a `CellSpace`, has a coordinate for each part.
    constraint : callable, default=None
        ``params -> bool``: whether a candidate may be run.

    Attributes
    ----------
    n_dims : int
        Number of coordinates.
    n_features : int
        Number of columns of `features`.
    names : tuple of str
        The parameter of each coordinate; "" for the choice among dicts, and
        ``"name[part]"`` for a part of a structured parameter.
    size : float
        Number of different candidates, `math.inf` where one parameter is continuous.
        The constraint is not taken into account. Candidates that more than one dict
        gives are counted once, unless there are more than 100,000.
    is_continuous : ndarray of shape (n_dims,), bool
    n_categories : ndarray of shape (n_dims,), int
        Number of values that have no order, 0 where they have one.
    is_conditional : bool
        Whether there is a coordinate that not all candidates have.
    groups : ndarray of shape (n_features,), int
        The coordinate that each feature depends on.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sktune.space import Space
    >>> space = Space({"lr": loguniform(1e-4, 1e-2), "batch_size": [32, 64, 128]})
    >>> space.names
    ('batch_size', 'lr')
    >>> params = space.decode([0.5, 0.5])
    >>> params["batch_size"], round(params["lr"], 9)
    (64, 0.001)
    >>> space.encode({"batch_size": 32, "lr": 1e-4}).round(3)
    array([0.167, 0.   ])
    """

    def __init__(
        self,
        param_distributions: Any,
        constraint: Constraint | None = None,
    ) -> None:
        check_constraint(constraint)
        self.constraint = constraint
        subspaces = check_subspaces(param_distributions)
        self._dimensions: list[Dimension] = []
        self._branches: list[Branch] = []
        names: list[str] = []
        if len(subspaces) > 1:
            # As strings, for a choice without an order.
            self._dimensions.append(from_list([str(i) for i in range(len(subspaces))]))
            names.append("")
        place = partial(self._place, names)
        for subspace in subspaces:
            entries = {n: entry_of(n, subspace[n], place) for n in sorted(subspace)}
            self._branches.append(Branch(entries))
        self.names = tuple(names)
        self.n_dims = len(names)
        self.is_continuous = np.array([d.is_continuous for d in self._dimensions], bool)
        self.n_categories = np.array([d.n_categories for d in self._dimensions], int)
        self._lay_out_features()
        self.size = self._count()

    def _place(self, names: list[str], name: str, new: Dimension) -> int:
        """Index of a coordinate: one that is there, or a new one."""
        for index, dimension in enumerate(self._dimensions):
            if names[index] == name and dimension.equals(new):
                return index
        self._dimensions.append(new)
        names.append(name)
        return len(names) - 1

    def _lay_out_features(self) -> None:
        # Which coordinates each branch has, of shape (n_branches, n_dims).
        self._active = np.zeros((len(self._branches), self.n_dims), bool)
        for row, branch in zip(self._active, self._branches, strict=True):
            row[branch.columns] = True
            if len(self._branches) > 1:
                row[0] = True
        # Those that not all candidates have: of some dicts only, or of some values.
        self._conditional: NDArray[np.bool_] = np.logical_not(self._active.all(axis=0))
        for branch in self._branches:
            self._conditional[branch.optional] = True
        self.is_conditional = bool(self._conditional.any())
        widths = [
            _embedding.n_features(dimension, conditional)
            for dimension, conditional in zip(
                self._dimensions, self._conditional, strict=True
            )
        ]
        self.groups: NDArray[np.intp] = np.repeat(np.arange(self.n_dims), widths)
        self.n_features = len(self.groups)
        ends = np.cumsum(widths, dtype=int).tolist()
        self._columns = [
            slice(end - width, end) for end, width in zip(ends, widths, strict=True)
        ]

    def _count(self) -> float:
        sizes = [branch.size for branch in self._branches]
        total = math.fsum(sizes)
        apart = len({frozenset(b.entries) for b in self._branches}) == len(sizes)
        if apart or total > _COUNTED:
            return total
        return float(sum(1 for _ in self.points()))

    def decode(self, u: ArrayLike) -> dict[str, Any]:
        """The candidate at a point of the cube.

        Parameters
        ----------
        u : array-like of shape (n_dims,)
            Coordinates in [0, 1]; those which the candidate's dict has not are not
            looked at.

        Returns
        -------
        params : dict
            Names in order; values as Python's own int, float, bool or str, or the very
            object that a list holds.
        """
        coordinates = np.asarray(u, dtype=float).tolist()
        branch = self._branches[0]
        if len(self._branches) > 1:
            branch = self._branches[int(self._dimensions[0].value(coordinates[0]))]
        return branch.decode(coordinates)

    def encode(self, params: Params) -> Floats:
        """The canonical point of a candidate, nan at coordinates that it has not.

        A candidate that several dicts give is encoded as one of the first of them.

        Parameters
        ----------
        params : dict

        Returns
        -------
        u : ndarray of shape (n_dims,)

        Raises
        ------
        SpaceError
            If the candidate is not in the space; the message names the parameter.
        """
        chosen, _ = self._locate(params)
        u = self._of_branch(chosen)
        self._branches[chosen].encode(u, params)
        return u

    def _of_branch(self, chosen: int) -> Floats:
        """A point that has the choice of its dict, and nan elsewhere."""
        u = np.full(self.n_dims, np.nan)
        if len(self._branches) > 1:
            u[0] = self._dimensions[0].coordinate(str(chosen))
        return u

    @property
    def dimensions(self) -> list[Dimension]:
        """The dimension of each coordinate, as in `names`."""
        return self._dimensions

    @property
    def branches(self) -> list[Mapping[str, Values]]:
        """The values of each parameter, for each dict of `param_distributions`."""
        return [branch.dimensions for branch in self._branches]

    def outline(self, params: Params) -> Floats:
        """As `encode`, for a candidate that may lie a little outside of the space.

        A number of ``uniform`` or ``loguniform`` beyond the range has a coordinate
        beyond [0, 1], up to one width of the range away. `features` takes it; `decode`
        and `snap` would move it to the end of the range.

        Raises
        ------
        SpaceError
            If there is no such point; the message names the parameter.
        """
        try:
            return self.encode(params)
        except SpaceError:
            for chosen, branch in enumerate(self._branches):
                if params.keys() != branch.entries.keys():
                    continue
                places = branch.outline(params)
                if places is not None:
                    u = self._of_branch(chosen)
                    u[branch.columns] = places
                    return u
            raise

    def snap(self, U: ArrayLike) -> Floats:
        """Points, each replaced by the canonical one of its candidate.

        Parameters
        ----------
        U : array-like of shape (n, n_dims)

        Returns
        -------
        U : ndarray of shape (n, n_dims)
            Discrete coordinates at the centre of their cell, inactive ones nan.
        """
        points = np.asarray(U, dtype=float)
        snapped = np.empty(points.shape)
        for j, dimension in enumerate(self._dimensions):
            snapped[:, j] = dimension.snap(points[:, j])
        if len(self._branches) == 1:
            self._branches[0].hide(snapped)
            return snapped
        chosen = self._dimensions[0].positions(points[:, 0]).astype(np.intp)
        snapped[~self._active[chosen]] = np.nan
        for index, branch in enumerate(self._branches):
            if branch.optional:
                of = chosen == index
                of_branch = snapped[of]
                branch.hide(of_branch)
                snapped[of] = of_branch
        return snapped

    def cells(self, U: Floats) -> tuple[Floats, Floats]:
        """The part of each coordinate that is decoded to the same value.

        Parameters
        ----------
        U : ndarray of shape (n, n_dims)
            Points that have been snapped.

        Returns
        -------
        low, high : ndarray of shape (n, n_dims)
            Ends of the parts, both the coordinate itself where it is continuous, and
            nan where it is inactive.
        """
        low, high = np.array(U, dtype=float), np.array(U, dtype=float)
        for j, dimension in enumerate(self._dimensions):
            has = ~np.isnan(low[:, j])
            low[has, j], high[has, j] = dimension.cells(low[has, j])
        return low, high

    def features(self, U: Floats) -> Floats:
        """Snapped points in a Euclidean space in which a kernel may measure distances.

        The largest distance that one coordinate makes is about 1. See `groups` for the
        coordinate that each feature belongs to.

        Parameters
        ----------
        U : ndarray of shape (n, n_dims)
            Points that have been snapped.

        Returns
        -------
        features : ndarray of shape (n, n_features)
        """
        return self._by_columns(_embedding.embed, U)

    def feature_slopes(self, U: Floats) -> Floats:
        """Derivative of each feature with respect to its coordinate.

        Parameters
        ----------
        U : ndarray of shape (n, n_dims)
            Points that have been snapped.

        Returns
        -------
        slopes : ndarray of shape (n, n_features)
            0 where the coordinate is discrete or inactive.
        """
        return self._by_columns(_embedding.slopes, U)

    def _by_columns(
        self, function: Callable[[Dimension, Floats, bool], Floats], U: Floats
    ) -> Floats:
        out = np.empty((len(U), self.n_features))
        for j, dimension in enumerate(self._dimensions):
            out[:, self._columns[j]] = function(
                dimension, U[:, j], self._conditional[j]
            )
        return out

    def key(self, params: Params) -> Hashable:
        """Identity of a candidate: equal keys, equal candidates.

        Values need not be hashable. Raises `SpaceError` like `encode`.
        """
        chosen, tokens = self._locate(params)
        return chosen, *tokens

    def canonical(self, params: Params) -> dict[str, Any]:
        """A candidate of `initial_points` as it would be proposed, in Python's types.

        Raises
        ------
        SpaceError
            If it could never be proposed: it is not in the space, or the constraint
            refuses it.
        """
        u = self.encode(params)
        proposed = self.decode(u)
        for j in np.flatnonzero(self.is_continuous & ~np.isnan(u)):
            name = self.names[j]  # as given, and not by way of the cube
            proposed[name] = float(params[name])
        if not self.allows(proposed):
            raise SpaceError(
                f"initial_points holds {dict(params)!r}, which the constraint "
                "refuses. Leave it out, or let the constraint return True for it."
            )
        return proposed

    def allows(self, params: Params) -> bool:
        """Whether the constraint lets a candidate be run."""
        return allows(self.constraint, params)

    def points(self) -> Iterator[dict[str, Any]]:
        """All candidates of a finite space, each once, the last name fastest.

        The constraint is not applied.
        """
        if any(self.is_continuous):
            raise SpaceError(
                "the candidates of a space with a continuous distribution cannot be "
                "listed. Give each parameter a list of values or a discrete "
                "distribution."
            )
        for chosen, branch in enumerate(self._branches):
            names = branch.entries.keys()
            before = [b for b in self._branches[:chosen] if b.entries.keys() == names]
            for params in branch.points():
                if not any(b.tokens(params) is not None for b in before):
                    yield params

    def _locate(self, params: Params) -> tuple[int, list[Hashable]]:
        """The first branch that has a candidate, and the identities of its values."""
        if not isinstance(params, Mapping):
            raise SpaceTypeError(
                f"params={params!r} is not a dict. Give a dict of parameter names to "
                "values."
            )
        for index, branch in enumerate(self._branches):
            if params.keys() == branch.entries.keys():
                tokens = branch.tokens(params)
                if tokens is not None:
                    return index, tokens
        raise why_not_here(params, self.branches)

    def __repr__(self) -> str:
        entries = (
            ", ".join(f"{name}: {dimension}" for name, dimension in branch.items())
            for branch in self.branches
        )
        return f"Space({' | '.join(f'{{{entry}}}' for entry in entries)})"
