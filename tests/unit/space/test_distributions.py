"""Every kind of distribution, by what comes back from the unit interval."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sktune.space import Space

CONTINUOUS = {
    "uniform": stats.uniform(2, 3),
    "loguniform": stats.loguniform(1e-5, 1e-1),
    "norm": stats.norm(3, 2),
    "expon": stats.expon(scale=0.1),
    "beta": stats.beta(2, 5),
    "truncnorm": stats.truncnorm(-1, 2),
    "histogram": stats.rv_histogram((np.array([1, 0, 3]), np.arange(4))),
    "unfrozen": stats.norm,
    "Uniform": stats.Uniform(a=1, b=3),
    "Normal": stats.Normal(mu=0, sigma=2),
    "made": stats.make_distribution(stats.loguniform)(a=1e-4, b=1e-1),
    "truncated": stats.truncate(stats.Normal(mu=0, sigma=1), lb=0, ub=1),
    "shifted": 2 * stats.Normal(mu=0, sigma=1) + 1,
    "folded": stats.abs(stats.Normal(mu=0, sigma=1)),
    "mixture": stats.Mixture([stats.Normal(mu=-1, sigma=1), stats.Normal()]),
}

if hasattr(stats, "Logistic"):  # from SciPy 1.17
    CONTINUOUS["Logistic"] = stats.Logistic()

# (distribution, some of its values and their probabilities)
DISCRETE = {
    "randint": (stats.randint(1, 5), {k: 1 / 4 for k in range(1, 5)}),
    "randint, loc": (stats.randint(0, 2, loc=5), {5: 0.5, 6: 0.5}),
    "randint, loc no integer": (
        stats.randint(1, 10, loc=0.1),
        {k + 0.1: 1 / 9 for k in range(1, 10)},
    ),
    "bernoulli": (stats.bernoulli(0.3), {0: 0.7, 1: 0.3}),
    "binom": (stats.binom(2, 0.5), {0: 0.25, 1: 0.5, 2: 0.25}),
    "poisson": (stats.poisson(1), {0: np.exp(-1), 2: np.exp(-1) / 2}),
    "geom": (stats.geom(0.5), {1: 1 / 2, 2: 1 / 4, 3: 1 / 8}),
    "skellam": (stats.skellam(1, 1), {0: 0.3085083}),
    "values": (
        stats.rv_discrete(values=([4, 0.5, 1.5], [0.5, 0.2, 0.3])),
        {0.5: 0.2, 1.5: 0.3, 4.0: 0.5},
    ),
    "values, loc": (
        stats.rv_discrete(values=([1, 7, 9], [0.2, 0, 0.8]))(loc=2),
        {3: 0.2, 11: 0.8},
    ),
    "values, positional loc": (
        stats.rv_discrete(values=([0.1, 0.2], [0.2, 0.8]))(0.2),
        {0.1 + 0.2: 0.2, 0.4: 0.8},
    ),
    "Binomial": (stats.Binomial(n=2, p=0.5), {0: 0.25, 1: 0.5, 2: 0.25}),
    "made": (
        stats.make_distribution(stats.randint)(low=1, high=5),
        {k: 1 / 4 for k in range(1, 5)},
    ),
    "made, infinite": (
        stats.make_distribution(stats.poisson)(mu=1),
        {0: np.exp(-1), 2: np.exp(-1) / 2},
    ),
}

# Too many values for a table.
COUNTABLE = {
    "randint": stats.randint(1, 10**9),
    "randint, loc no integer": stats.randint(1, 10**9, loc=0.1),
    "seeds": stats.randint(0, 2**32),
    "poisson": stats.poisson(1e9),
    "binom": stats.binom(10**6, 0.5),
    "geom": stats.geom(1e-6),
    "dlaplace": stats.dlaplace(1e-6),
    "made": stats.make_distribution(stats.randint)(low=1, high=10**7),
}


def decode(space, u):
    return space.decode([u])["x"]


@pytest.mark.parametrize("dist", CONTINUOUS.values(), ids=CONTINUOUS)
def test_continuous_by_its_own_ppf(dist):
    space = Space({"x": dist})
    ppf = getattr(dist, "ppf", None) or dist.icdf
    assert space.size == np.inf
    assert space.is_continuous.tolist() == [True]
    for u in (0.01, 0.3, 0.5, 0.99):
        x = decode(space, u)
        assert type(x) is float
        assert x == pytest.approx(float(ppf(u)))
        assert space.encode({"x": x}) == pytest.approx(u, abs=1e-7)


@pytest.mark.parametrize("dist", CONTINUOUS.values(), ids=CONTINUOUS)
def test_continuous_stays_finite_and_inside(dist):
    space = Space({"x": dist})
    low, high = dist.support()
    for u in (0.0, 1e-300, 1 - 1e-16, 1.0):
        x = decode(space, u)
        assert np.isfinite(x)
        assert low <= x <= high
        assert space.encode({"x": x}) == pytest.approx(u, abs=1e-7)


def test_ends_that_were_named_are_reached_and_limits_are_not():
    space = Space({"x": stats.loguniform(1e-4, 1e-1)})
    assert (decode(space, 0.0), decode(space, 1.0)) == (1e-4, 1e-1)
    assert decode(Space({"x": stats.expon()}), 0.0) > 0


def test_a_ppf_that_is_rounded_outside_is_brought_back():
    class Rounded:
        """Anything that has a distribution's methods is one."""

        def rvs(self, random_state=None): ...

        def support(self):
            return 0.0, 1.0

        def cdf(self, x):
            return np.clip(x, 0, 1)

        def ppf(self, u):
            return np.round(1.1 * np.asarray(u) - 0.05, 3)

    space = Space({"x": Rounded()})
    assert [decode(space, u) for u in (0.01, 0.5, 0.99)] == [0.0, 0.5, 1.0]


def test_loguniform_is_even_on_a_log_scale():
    space = Space({"x": stats.loguniform(1e-4, 1)})
    decoded = [decode(space, u) for u in (0, 0.25, 0.5, 0.75, 1)]
    assert decoded == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])


@pytest.mark.parametrize(
    ("dist", "probabilities"), DISCRETE.values(), ids=list(DISCRETE)
)
def test_discrete_values_own_cells_of_their_probability(dist, probabilities):
    space = Space({"x": dist})
    n = 20_000
    grid = (np.arange(n) + 0.5) / n
    drawn = [decode(space, u) for u in grid]
    assert len(set(drawn)) <= space.size
    assert sorted(drawn) == drawn
    for value, probability in probabilities.items():
        assert drawn.count(value) / n == pytest.approx(probability, abs=2 / n)
    whole = all(float(v).is_integer() for v in probabilities)
    assert {type(x) for x in drawn} == {int if whole else float}


@pytest.mark.parametrize(
    "dist",
    [d for d, _ in DISCRETE.values()] + list(COUNTABLE.values()),
    ids=[*DISCRETE, *(f"countable {name}" for name in COUNTABLE)],
)
def test_discrete_coordinates_are_middles_that_decode_to_themselves(dist):
    space = Space({"x": dist})
    assert space.is_continuous.tolist() == [False]
    grid = np.r_[0, 1e-12, np.linspace(0.001, 0.999, 40), 1 - 1e-12, 1][:, None]
    snapped = space.snap(grid)
    values = [space.decode(u) for u in grid]
    assert [space.decode(u) for u in snapped] == values
    np.testing.assert_array_equal(space.snap(snapped), snapped)
    encoded = np.array([space.encode(v) for v in values])
    np.testing.assert_allclose(encoded, snapped, rtol=0, atol=1e-14)
    for u, params in zip(snapped[1:-1, 0], values[1:-1], strict=True):
        at, before = dist.cdf(params["x"] + 1e-7), dist.cdf(params["x"] - 1e-7)
        if not isinstance(dist, stats.Binomial):  # interpolates
            assert before - 1e-6 <= u <= at + 1e-6


@pytest.mark.parametrize(
    "dist",
    [d for d, _ in DISCRETE.values()] + list(COUNTABLE.values()),
    ids=[*DISCRETE, *(f"countable {name}" for name in COUNTABLE)],
)
def test_cells_hold_what_is_decoded_to_one_value(dist):
    space = Space({"x": dist})
    U = np.linspace(0.0, 1.0, 41)[:, None]
    snapped = space.snap(U)
    low, high = space.cells(snapped)
    assert (low <= U + 1e-12).all()
    assert (high >= U - 1e-12).all()
    assert low[0] == 0.0
    assert high[-1] == 1.0
    inner = slice(1, -1)  # the middle of a tail's cell need not be the coordinate
    middles = (low + high)[inner] / 2
    known = (low[inner] > 0) & (high[inner] < 1)
    np.testing.assert_allclose(middles[known], snapped[inner][known], atol=1e-12)


@pytest.mark.parametrize("dist", COUNTABLE.values(), ids=COUNTABLE)
def test_countable_values_follow_the_ppf(dist):
    space = Space({"x": dist})
    ppf = getattr(dist, "ppf", None) or dist.icdf
    low, high = dist.support()
    assert 1000 < space.size < np.inf
    for u in (0.0, 0.001, 0.2, 0.5, 0.999, 1.0):
        assert low <= decode(space, u) <= high
        assert type(decode(space, u)) is type(decode(space, 0.5))
    # A middle is half a cell from either end of it, hence 0.2 + 1e-9 and not 0.2.
    for u in (0.2 + 1e-9, 0.7 + 1e-9):
        assert decode(space, u) == pytest.approx(float(ppf(u)), abs=1.01)


def test_countable_coordinates_are_middles():
    space = Space({"x": stats.randint(1, 10**6 + 1)})
    for k in (1, 2, 500_000, 10**6):
        assert space.encode({"x": k}) == pytest.approx((k - 0.5) / 10**6, abs=1e-12)


@pytest.mark.parametrize(
    ("dist", "size"),
    [
        (stats.randint(1, 5), 4),
        (stats.randint(0, 10**9), 10**9),
        (stats.bernoulli(0.3), 2),
        (stats.bernoulli(1), 1),
        (stats.Binomial(n=10, p=0.3), 11),
        (stats.binom(1000, 0.5), 219),  # all more likely than 1e-12
        (stats.rv_discrete(values=([1, 2, 3], [0.5, 0, 0.5])), 2),
        (stats.poisson(3), 23),
        (stats.zipf(2), 100_000),
    ],
)
def test_size_is_the_number_of_values_that_can_be_drawn(dist, size):
    space = Space({"x": dist})
    assert space.size == size
    if size < 1000:
        values = [params["x"] for params in space.points()]
        assert len(set(values)) == size
        assert sorted(values) == values


def test_what_a_table_leaves_out_is_less_likely_than_1e_12():
    dist = stats.binom(1000, 0.5)
    likely = [k for k in range(1001) if dist.pmf(k) >= 1e-12]
    assert [params["x"] for params in Space({"x": dist}).points()] == likely


def test_countable_values_are_listed_lazily():
    points = Space({"x": stats.randint(3, 10**9)}).points()
    assert [next(points)["x"] for _ in range(3)] == [3, 4, 5]
