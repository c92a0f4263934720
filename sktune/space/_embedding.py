"""Coordinates as points of a Euclidean space, for kernels and distances.

The distance between two candidates is made of the distances in each coordinate, and the
largest in each is about 1. Being Euclidean, it leaves every stationary kernel positive
definite.

- A number lies on the line [0, 1].
- A category is a corner of a simplex with edges of length 1.
- A coordinate that not all subspaces have is at the origin where it is inactive, and
  all its values are equally far from there, so that nothing depends on a value that is
  not used. A number then lies on an arc of radius 1 and 60 degrees: its two ends are as
  far from each other as from the origin [1]_.

References
----------
.. [1] Hutter, F., Osborne, M. A. (2013). A kernel for hierarchical parameter spaces.
   arXiv:1310.5738.
"""

from __future__ import annotations

import numpy as np

from sktune.space._dimension import Dimension
from sktune.space._distributions import Floats

_ANGLE = np.pi / 3  # a chord of length 1
_CORNER = 1 / np.sqrt(2)


def n_features(dimension: Dimension, conditional: bool) -> int:
    """How many features a coordinate has."""
    return dimension.n_categories or (2 if conditional else 1)


def embed(dimension: Dimension, column: Floats, conditional: bool) -> Floats:
    """Features, of shape (n, n_features), of a snapped column of shape (n,)."""
    x = dimension.positions(column)
    if dimension.n_categories:
        features = np.zeros((len(column), dimension.n_categories))
        features[np.arange(len(column)), x.astype(np.intp)] = _CORNER
    elif conditional:
        features = np.column_stack([np.sin(_ANGLE * x), np.cos(_ANGLE * x)])
    else:
        return x[:, None]
    features[np.isnan(column)] = 0.0
    return features


def slopes(dimension: Dimension, column: Floats, conditional: bool) -> Floats:
    """Derivative of each feature with respect to the coordinate, shaped as `embed`."""
    shape = len(column), n_features(dimension, conditional)
    if not dimension.is_continuous:
        return np.zeros(shape)
    if not conditional:
        return np.ones(shape)
    angle = _ANGLE * column
    slope = _ANGLE * np.column_stack([np.cos(angle), -np.sin(angle)])
    slope[np.isnan(column)] = 0.0
    return slope
