"""Subsets of the rows: nested, whole in the end, and each a likeness of the whole."""

from __future__ import annotations

import pickle
import warnings
from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, StratifiedKFold

from sktune._errors import EstimatorError
from sktune.execution.estimators._subsets import check_subsets, subsets


@st.composite
def problems(draw, max_classes=6, n_groups=None):
    """Labels, groups and a training part of any order, with repeated rows."""
    n = draw(st.integers(1, 60))
    n_classes = draw(st.integers(1, max_classes))
    y = np.array(draw(st.lists(st.integers(1, n_classes), min_size=n, max_size=n)))
    groups = np.array(draw(st.lists(st.integers(0, 12), min_size=n, max_size=n)))
    train = np.array(draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=80)))
    return y, groups, train


seeds = st.integers(0, 2**31 - 1)


def one(train, y=None, groups=None, *, stratify=True, n_samples, seed=0):
    splits = [(train, [])]
    (subset,) = subsets(
        splits, y, groups, stratify=stratify, n_samples=n_samples, seed=seed
    )
    return subset


def is_within(part, whole):
    """Whether a list can be had from another by leaving elements out."""
    rest = iter(whole.tolist())
    return all(element in rest for element in part.tolist())


@given(problems(), seeds, st.booleans(), st.booleans())
def test_nested_in_order_and_whole(problem, seed, stratify, grouped):
    y, groups, train = problem
    groups = groups if grouped else None
    n = len(y)
    subset = one(train, y, groups, stratify=stratify, n_samples=n, seed=seed)
    rows = [subset.rows(k) for k in range(1, n + 1)]
    for smaller, larger in pairwise(rows):
        assert is_within(smaller, larger)
        assert not Counter(smaller.tolist()) - Counter(larger.tolist())
    assert all(r.dtype == np.int64 for r in rows)
    np.testing.assert_array_equal(rows[-1], train)
    assert len(rows[0]) >= 1


@given(problems(), seeds, st.booleans())
def test_number_of_rows(problem, seed, stratify):
    y, _, train = problem
    n = len(y)
    subset = one(train, y, stratify=stratify, n_samples=n, seed=seed)
    for k in range(1, n + 1):
        expected = max(1, int(Fraction(len(train) * k, n)))
        assert len(subset.rows(k)) == expected


@given(problems(), seeds)
def test_every_class_is_there_and_has_its_share(problem, seed):
    y, _, train = problem
    # Of as many rows as the training part, every size comes up.
    y = y[train]
    n = len(y)
    subset = one(np.arange(n), y, n_samples=n, seed=seed)
    sizes = Counter(y.tolist())
    for k in range(1, n + 1):
        counts = Counter(y[subset.rows(k)].tolist())
        assert len(counts) >= min(k, len(sizes))
        shares = {c: k * size / n for c, size in sizes.items()}
        # Rows that are there only because no class may be missing.
        extra = sum(max(0, 1 - share) for share in shares.values())
        for c, share in shares.items():
            bound = 1 + extra + sizes[c] / n * len(sizes) / 2
            assert abs(counts[c] - share) <= bound
        # Webster's apportionment: no class would have deserved another's last row more.
        if k > len(sizes):
            last = max((counts[c] - 0.5) / sizes[c] for c in sizes if counts[c] > 1)
            assert last <= min((counts[c] + 0.5) / sizes[c] for c in sizes)


@given(st.integers(1, 40), st.integers(1, 40), seeds)
def test_share_of_two_classes_is_exact_to_one_row(n_first, n_second, seed):
    y = np.array(["a"] * n_first + ["b"] * n_second)
    n = len(y)
    subset = one(np.arange(n), y, n_samples=n, seed=seed)
    for k in range(1, n + 1):
        share = k * n_first / n
        n_drawn = np.sum(y[subset.rows(k)] == "a")
        assert abs(n_drawn - share) < 1


@given(problems(), seeds, st.booleans())
def test_groups_are_whole_and_have_all_classes(problem, seed, stratify):
    y, groups, train = problem
    n = len(y)
    subset = one(train, y, groups, stratify=stratify, n_samples=n, seed=seed)
    sizes = Counter(groups[train].tolist())
    for k in range(1, n + 1):
        rows = subset.rows(k)
        drawn = Counter(groups[rows].tolist())
        assert drawn == {group: sizes[group] for group in drawn}
        if stratify:
            assert set(y[rows]) == set(y[train])
            check_subsets([subset], y, k)


@given(problems(max_classes=2), seeds)
def test_groups_are_about_as_many_rows_as_asked_for(problem, seed):
    y, groups, train = problem
    n = len(y)
    subset = one(train, y, groups, stratify=False, n_samples=n, seed=seed)
    largest = max(Counter(groups[train].tolist()).values())
    for k in range(1, n + 1):
        wanted = max(1, len(train) * k // n)
        assert abs(len(subset.rows(k)) - wanted) < largest


@given(problems(), seeds, st.integers(1, 60))
def test_refused_exactly_where_a_class_would_vanish(problem, seed, n_resources):
    y, _, train = problem
    n = len(y)
    subset = one(train, y, n_samples=n, seed=seed)
    if set(y[subset.rows(n_resources)]) == set(y[train]):
        check_subsets([subset], y, n_resources)
        return
    with pytest.raises(EstimatorError) as info:
        check_subsets([subset], y, n_resources)
    enough = int(str(info.value).split("Pass min_resources=")[1].split()[0])
    check_subsets([subset], y, enough)
    with pytest.raises(EstimatorError, match="fewer than its"):
        check_subsets([subset], y, enough - 1)


@given(problems(), seeds)
def test_the_seed_decides_and_splits_are_independent(problem, seed):
    y, groups, train = problem
    common = dict(stratify=True, n_samples=len(y), seed=seed)
    alone = subsets([(train, []), (train, [])], y, groups, **common)
    again = subsets([([0], []), (train, [])], y, groups, **common)
    np.testing.assert_array_equal(alone[1].rank, again[1].rank)
    np.testing.assert_array_equal(alone[1].train, again[1].train)


def test_two_splits_and_two_seeds_draw_differently():
    rows = np.arange(100)
    splits = [(rows, []), (rows, [])]
    first, second = subsets(splits, None, None, stratify=False, n_samples=100, seed=0)
    other = one(rows, n_samples=100, seed=1)
    drawn = {tuple(s.rows(20).tolist()) for s in (first, second, other)}
    assert len(drawn) == 3


LABELS = np.arange(30) % 3


@pytest.mark.parametrize(
    "y",
    [
        LABELS.tolist(),
        [f"class {label}" for label in LABELS],
        LABELS.astype(float),
        LABELS[:, None],
        pd.Series(LABELS, index=np.arange(30)[::-1] + 7),
        pd.Series([f"class {label}" for label in LABELS], dtype="category"),
        torch.tensor(LABELS),
        torch.tensor(LABELS, dtype=torch.float32, requires_grad=True),
        [torch.tensor(label) for label in LABELS],
    ],
    ids=lambda y: type(y).__name__,
)
def test_classes_in_any_container(y):
    subset = one(np.arange(30), y, n_samples=30)
    expected = one(np.arange(30), LABELS, n_samples=30)
    np.testing.assert_array_equal(subset.rank, expected.rank)
    assert subset.n_classes == 3


@pytest.mark.parametrize(
    "y",
    [
        None,
        np.linspace(0, 1, 30),
        np.where(LABELS, 1.0, np.nan),
        np.eye(3)[LABELS],
        np.stack([LABELS, LABELS], axis=1),
        [[1] * (1 + label) for label in LABELS],
        [torch.zeros(2)] * 30,
        [None] * 30,
        LABELS.astype(object),
        {"a": LABELS},
    ],
    ids=str,
)
def test_shuffled_where_y_is_no_column_of_classes(y):
    subset = one(np.arange(30), y, n_samples=30)
    expected = one(np.arange(30), LABELS, stratify=False, n_samples=30)
    np.testing.assert_array_equal(subset.rank, expected.rank)
    check_subsets([subset], y, 1)


def test_more_classes_than_scikit_learn_expects_is_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert one(np.arange(30), np.arange(30), n_samples=30).n_classes == 30


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        (np.array([True, False, True, True]), [0, 2, 3]),
        ([True, False, True, True], [0, 2, 3]),
        (slice(3, 0, -2), [3, 1]),
        (range(1, 4), [1, 2, 3]),
        ([3, 0, 3], [3, 0, 3]),
        ((3, 1), [3, 1]),
        (np.array([2, 0], dtype=np.int32), [2, 0]),
        (pd.Index([2, 0]), [2, 0]),
        (pd.Series([True, False, True, True], index=list("abcd")), [0, 2, 3]),
        (torch.tensor([2, 0]), [2, 0]),
        ([], []),
    ],
    ids=str,
)
@pytest.mark.parametrize("groups", [None, ["a", "a", "b", "c"]])
def test_training_part_in_any_form(train, expected, groups):
    subset = one(train, [0, 1, 0, 1], groups, n_samples=4)
    assert subset.rows(4).tolist() == expected
    assert subset.rows(4).dtype == np.int64
    check_subsets([subset], [0, 1, 0, 1], 4)


@pytest.mark.parametrize(
    "groups",
    [list("aabbccddee"), pd.Series(list("aabbccddee")), torch.arange(10) // 2],
    ids=["list", "Series", "Tensor"],
)
def test_groups_in_any_container(groups):
    subset = one(np.arange(10), None, groups, n_samples=10)
    for k in range(1, 11):
        rows = subset.rows(k).reshape(-1, 2)
        np.testing.assert_array_equal(rows[:, 0] // 2, rows[:, 1] // 2)


def test_groups_of_one_class_each_keep_the_shares():
    groups = np.repeat(np.arange(100), 5)
    y = np.where(groups < 20, "rare", "frequent")
    subset = one(np.arange(500), y, groups, n_samples=500)
    for k in range(50, 501, 50):
        rows = subset.rows(k)
        assert len(rows) == k
        assert abs(np.mean(y[rows] == "rare") - 0.2) <= 5 / k


def test_few_groups_are_enough_for_all_classes():
    # One group has all six classes, class 5 alone; 50 others have one class each.
    y = np.append(np.arange(6), np.arange(50) % 5)
    groups = np.append(np.zeros(6, dtype=int), np.arange(1, 51))
    subset = one(np.arange(56), y, groups, n_samples=56)
    assert len(subset.rows(1)) == 6


def test_message_where_a_class_would_vanish():
    y = np.repeat(["cat", "dog", "emu"], [6, 2, 2])
    splits = [(np.arange(10), []), (np.arange(5, 10), [])]
    both = subsets(splits, y, None, stratify=True, n_samples=10, seed=0)
    check_subsets(both, y, 6)
    message = (
        r"^min_resources=5 leaves 2 of 5 training rows in split 1, fewer than its 3 "
        r"classes: none of \['(cat|dog|emu)'\] would be there. Pass min_resources=6 or "
        r"more.$"
    )
    with pytest.raises(EstimatorError, match=message):
        check_subsets(both, y, 5)


def test_the_smallest_resources_of_scikit_learn_are_enough():
    y = np.arange(60) % 3
    splits = list(StratifiedKFold(5).split(y, y))
    drawn = subsets(splits, y, None, stratify=True, n_samples=60, seed=0)
    check_subsets(drawn, y, 5 * 2 * 3)
    assert [len(subset.rows(30)) for subset in drawn] == [24] * 5


def test_small_and_travels():
    n = 10_000
    y = np.arange(n) % 7
    splits = list(GroupKFold(3).split(y, y, y))
    drawn = subsets(splits, y, None, stratify=True, n_samples=n, seed=0)
    n_train = sum(len(train) for train, _ in splits)
    alone, together = len(pickle.dumps(splits)), len(pickle.dumps((splits, drawn)))
    # Beside the splits, one integer for each row.
    assert together - alone < 8 * n_train + 2000
    copies = pickle.loads(pickle.dumps(drawn))
    np.testing.assert_array_equal(copies[2].rows(77), drawn[2].rows(77))
