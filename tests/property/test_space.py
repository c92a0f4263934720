"""Round trips between candidates and coordinates, over spaces of every kind."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sktune.space import Space

PLAIN = (bool, int, float, str)

numbers = st.one_of(
    st.integers(-100, 100), st.floats(-1e3, 1e3, allow_nan=False, width=32)
)
things = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["relu", "tanh", "", len, dict]),
    st.tuples(st.integers(0, 2)),
    st.lists(st.integers(0, 2), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2),
)
lists = st.one_of(
    st.lists(numbers, min_size=1, max_size=6),
    st.lists(things, min_size=1, max_size=6),
    st.lists(numbers, min_size=1, max_size=6).map(np.array),
)
positive = st.floats(0.01, 100)
locations = st.sampled_from([0, -3, 0.1, 17])
continuous = st.one_of(
    st.builds(stats.uniform, locations, positive),
    st.builds(lambda a, r: stats.loguniform(a, a * (1.1 + r)), positive, positive),
    st.builds(stats.norm, locations, positive),
    st.builds(lambda scale: stats.expon(scale=scale), positive),
    st.builds(stats.beta, st.floats(0.5, 5), st.floats(0.5, 5)),
    st.builds(lambda a, w: stats.Uniform(a=a, b=a + w), locations, positive),
    st.builds(lambda m, s: stats.Normal(mu=m, sigma=s), locations, positive),
)
probabilities = st.floats(0.05, 0.95)


def evenly(values):
    return stats.rv_discrete(values=(values, np.full(len(values), 1 / len(values))))


discrete = st.one_of(
    st.builds(
        lambda low, n, loc: stats.randint(low, low + n, loc=loc),
        st.integers(-5, 5),
        st.integers(1, 20),
        locations,
    ),
    st.builds(lambda n: stats.randint(1, n), st.integers(10**6, 10**12)),
    st.builds(
        lambda mu, loc: stats.poisson(mu, loc=loc), st.floats(0.1, 50), locations
    ),
    st.builds(stats.binom, st.integers(1, 30), probabilities),
    st.builds(lambda n, p: stats.Binomial(n=n, p=p), st.integers(1, 30), probabilities),
    st.builds(evenly, st.lists(numbers, min_size=1, max_size=5, unique_by=float)),
)
finite_dicts = st.dictionaries(st.sampled_from("abcd"), lists, max_size=3)
entries = st.one_of(lists, continuous, discrete)
dicts = st.dictionaries(st.sampled_from("abcd"), entries, max_size=4)


def no_candidate_in_two(subspaces):
    return len({frozenset(subspace) for subspace in subspaces}) == len(subspaces)


spaces = st.one_of(
    dicts, st.lists(dicts, min_size=1, max_size=3).filter(no_candidate_in_two)
).map(Space)


def cube(space, seed, n=8):
    """Points of the cube, its corners and faces among them."""
    rng = np.random.default_rng(seed)
    U = rng.random((n, space.n_dims))
    return np.where(rng.random(U.shape) < 0.2, np.round(U), U)


def contents(params):
    """Comparable where values are functions or lists alike; types count."""
    return [(name, type(value), value) for name, value in params.items()]


@settings(deadline=None, max_examples=60)
@given(space=spaces, seed=st.integers(0, 2**32 - 1))
def test_round_trips(space, seed):
    U = cube(space, seed)
    S = space.snap(U)
    np.testing.assert_array_equal(space.snap(S), S)
    assert np.nanmin(S, initial=0) >= 0
    assert np.nanmax(S, initial=1) <= 1
    for u, s in zip(U, S, strict=True):
        params = space.decode(u)
        assert contents(space.decode(s)) == contents(params)
        assert list(params) == sorted(params)
        np.testing.assert_allclose(space.encode(params), s, rtol=0, atol=1e-6)
        assert not any(isinstance(value, np.generic) for value in params.values())


@settings(deadline=None, max_examples=50)
@given(space=spaces, seed=st.integers(0, 2**32 - 1))
def test_keys_are_those_of_candidates(space, seed):
    candidates = [space.decode(u) for u in cube(space, seed)]
    keys = [space.key(params) for params in candidates]
    assert len(set(keys)) <= space.size
    for a, key_a in zip(candidates, keys, strict=True):
        for b, key_b in zip(candidates, keys, strict=True):
            assert (key_a == key_b) == (contents(a) == contents(b))


@settings(deadline=None, max_examples=50)
@given(
    subspaces=st.lists(finite_dicts, min_size=1, max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_points_are_all_candidates_once(subspaces, seed):
    space = Space(subspaces)
    keys = [space.key(params) for params in space.points()]
    assert len(keys) == len(set(keys)) == space.size
    assert {space.key(space.decode(u)) for u in cube(space, seed)} <= set(keys)


@settings(deadline=None, max_examples=50)
@given(given_list=lists)
def test_only_values_of_the_list_and_the_very_ones(given_list):
    space = Space({"x": given_list})
    drawn = [space.decode([u])["x"] for u in np.linspace(0, 1, 101)]
    for value in drawn:
        if isinstance(given_list, np.ndarray):
            assert type(value) in PLAIN
            assert value in given_list
        else:
            assert any(value is x for x in given_list)
    for x in given_list:
        assert any(x is value or x == value for value in drawn)


@settings(deadline=None, max_examples=50)
@given(space=spaces, seed=st.integers(0, 2**32 - 1))
def test_features_are_finite_bounded_and_smooth(space, seed):
    S = space.snap(cube(space, seed))
    F = space.features(S)
    assert F.shape == (len(S), space.n_features)
    assert np.isfinite(F).all()
    for j in range(space.n_dims):
        block = F[:, space.groups == j]
        gaps = np.linalg.norm(block[:, None] - block[None], axis=2)
        assert gaps.max() <= 1 + 1e-9
    inside = np.clip(S, 0.01, 0.99)
    h = np.where(space.is_continuous, 1e-6, 0.0)
    differences = (space.features(inside + h) - space.features(inside - h)) / 2e-6
    np.testing.assert_allclose(space.feature_slopes(inside), differences, atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(dist=discrete, seed=st.integers(0, 2**32 - 1))
def test_uniform_coordinates_draw_from_the_distribution(dist, seed):
    space = Space({"x": dist})
    n = 400
    stratified = (np.arange(n) + np.random.default_rng(seed).random(n)) / n
    drawn = np.array([space.decode([u])["x"] for u in stratified])
    spread = drawn.max() - drawn.min()
    # One number in each n-th of the interval: counts are off by at most two.
    for x in np.unique(drawn)[::20]:
        share = np.mean(drawn <= x)
        if isinstance(dist, stats.Binomial):
            expected = dist.cdf(x)  # exact at integers only
        else:
            expected = dist.cdf(x + 1e-6 * (spread or 1.0))  # one value only
        assert abs(share - expected) <= 2 / n
