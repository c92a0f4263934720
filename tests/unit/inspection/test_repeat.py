"""The best candidates of a search under other seeds and splits."""

import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sktune import (
    GridSearchCV,
    HyperbandSearchCV,
    PopulationBasedSearchCV,
    RandomizedSearchCV,
)
from sktune._random import derive_seed
from sktune.inspection import repeat
from sktune.search._again import reseeded
from tests.helpers.estimators import Draws, Score, blobs, net

X, y = blobs()
GRID = {"C": [0.001, 0.1, 1.0, 10.0], "gamma": [0.1]}


@pytest.fixture(scope="module")
def search():
    return GridSearchCV(SVC(), GRID, cv=3, random_state=0).fit(X, y)


def root_of(random_state):
    return int(np.random.RandomState(random_state).randint(2**31 - 1))


def test_scores_are_those_of_a_plain_loop_over_other_splits(search):
    found = repeat(search, X, y, n_candidates=3, n_seeds=2, random_state=0)
    assert found.scores["score"].shape == (3, 2, 3)
    assert sorted(found.search_scores) == sorted(
        np.sort(search.cv_results_["mean_test_score"])[-3:]
    )
    for k, params in enumerate(found.params):
        for seed in range(2):
            cv = StratifiedKFold(
                3,
                shuffle=True,
                random_state=derive_seed(root_of(0), "repetition", seed),
            )
            expected = cross_val_score(SVC(**params), X, y, cv=cv)
            np.testing.assert_array_equal(found.scores["score"][k, seed], expected)
    np.testing.assert_allclose(found.mean, found.scores["score"].mean(axis=(1, 2)))
    assert list(found.mean) == sorted(found.mean, reverse=True)
    again = repeat(search, X, y, n_candidates=3, n_seeds=2, random_state=0)
    other = repeat(search, X, y, n_candidates=3, n_seeds=2, random_state=1)
    np.testing.assert_array_equal(again.scores["score"], found.scores["score"])
    assert not np.array_equal(other.scores["score"], found.scores["score"])


def test_all_candidates_have_the_same_seed_on_a_split():
    search = GridSearchCV(Draws(), {"a": [0, 1, 2]}, cv=2, random_state=0).fit(X, y)
    found = repeat(search, X, y, n_seeds=3, random_state=0)
    scores = found.scores["score"]
    assert len(np.unique(scores[0])) == 6
    np.testing.assert_array_equal(scores, scores[:1].repeat(3, axis=0))
    assert found.probability_best == pytest.approx([1 / 3] * 3)
    assert found.likely_best == found.candidates.tolist()
    assert "It is a tie" in found.verdict


def test_candidates_of_rungs_are_trained_to_the_end_as_nets_of_so_many_epochs():
    space = {"lr": loguniform(0.01, 1.0), "module__hidden": [4, 8]}
    rungs = HyperbandSearchCV(
        net(verbose=0), space, max_resources=3, cv=2, random_state=0, refit=False
    ).fit(X, y)
    found = repeat(rungs, X, y, n_candidates=2, n_seeds=2, random_state=0)
    flat = RandomizedSearchCV(net(verbose=0, max_epochs=3), space, cv=2, refit=False)
    plain = flat._repeat(
        X, y, {}, found.params, n_resources=None, n_seeds=2, root=root_of(0)
    )
    expected = [
        [one.outcomes[k].score("score") for k in one.splits]
        for one in plain.evaluations
    ]
    np.testing.assert_array_equal(found.scores["score"].reshape(2, 4), expected)
    assert np.std(expected) > 0


def test_stacked_nets_in_a_pipeline_score_as_they_do_by_themselves():
    pipe = make_pipeline(StandardScaler(), net(verbose=0))
    space = {"neuralnetclassifier__lr": [0.01, 0.1]}
    kwargs = {"cv": 2, "scoring": "neg_log_loss", "random_state": 0, "refit": False}
    alone = GridSearchCV(pipe, space, **kwargs).fit(X, y)
    stacked = clone(alone).set_params(stacked=True).fit(X, y)
    pair = [repeat(s, X, y, n_seeds=1, random_state=0) for s in (alone, stacked)]
    scores = [one.scores["score"] for one in pair]
    np.testing.assert_allclose(*scores, rtol=1e-4)


def test_groups_and_splits_that_are_what_they_are():
    groups = np.arange(len(X)) % 6
    search = GridSearchCV(SVC(), GRID, cv=GroupKFold(3)).fit(X, y, groups=groups)
    found = repeat(search, X, y, n_candidates=2, n_seeds=2, groups=groups)
    expected = cross_val_score(
        SVC(**found.params[0]), X, y, groups=groups, cv=GroupKFold(3)
    )
    np.testing.assert_array_equal(found.scores["score"][0], [expected, expected])
    assert not found.has_new_splits and "only the seeds differ" in found.verdict
    holdout = PredefinedSplit(np.where(np.arange(len(X)) % 3, -1, 0))
    one = GridSearchCV(Draws(), {"a": [0, 1]}, cv=holdout, random_state=0).fit(X, y)
    found = repeat(one, X, y, n_seeds=3, random_state=0)
    assert len(np.unique(found.scores["score"][0])) == 3
    assert "nothing is said of other rows" in found.verdict
    with pytest.raises(ValueError, match="n_seeds=2 or more"):
        repeat(one, X, y, n_seeds=1)


def test_which_splitters_have_other_splits():
    assert reseeded(KFold(3), 1, may_shuffle=False) is None
    assert reseeded(GroupKFold(3), 1, may_shuffle=False) is None
    assert reseeded(PredefinedSplit([0, 1]), 1, may_shuffle=True) is None
    given = ShuffleSplit(2, random_state=0)
    assert reseeded(given, 1, may_shuffle=False).random_state == 1
    assert given.random_state == 0
    number = reseeded(KFold(3), 1, may_shuffle=True)
    assert number.shuffle and number.random_state == 1


def test_several_metrics():
    search = GridSearchCV(
        SVC(), GRID, scoring=["accuracy", "recall_macro"], refit="recall_macro", cv=3
    ).fit(X, y)
    found = repeat(search, X, y, n_candidates=2, n_seeds=1, random_state=0)
    assert found.metric == "recall_macro" and set(found.scores) == {
        "accuracy",
        "recall_macro",
    }
    by_accuracy = repeat(
        search, X, y, n_candidates=2, n_seeds=1, metric="accuracy", random_state=0
    )
    np.testing.assert_allclose(
        by_accuracy.mean, by_accuracy.scores["accuracy"].mean(axis=(1, 2))
    )


def test_who_won_is_told_in_words(search):
    found = repeat(search, X, y, n_candidates=4, n_seeds=2, random_state=0)
    assert found.winner == search.best_index_
    text = repr(found)
    assert f"The winner of the search, candidate {found.winner}," in text
    assert "best with" in text and "gamma" in text
    assert "<table>" in found._repr_html_() and found.verdict[:20] in text
    assert all(found.low <= found.mean) and all(found.mean <= found.high)
    assert all(found.behind >= 0) and found.probability_best.sum() == pytest.approx(1)
    score = GridSearchCV(Score(), {"a": [0.3, 0.9]}, cv=2, random_state=0).fit(X, y)
    sure = repeat(score, X, y, n_seeds=2)
    assert "it is a winner" in sure.verdict
    score.best_index_ = 1  # as a callable `refit` may choose
    other = repeat(score, X, y, n_seeds=2)
    assert "candidate 0 is better" in other.verdict
    one = repeat(score, X, y, n_candidates=1, n_seeds=2)
    assert "no other to be compared with" in one.verdict


def test_a_table_and_a_picture(search):
    found = repeat(search, X, y, n_candidates=3, n_seeds=2, random_state=0)
    frame = found.to_frame()
    assert frame.candidate.tolist() == found.candidates.tolist()
    assert {"search", "score", "low", "high", "behind", "C"} <= set(frame)
    display = found.plot()
    display.figure_.canvas.draw()
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    won = list(found.candidates).index(found.winner)
    assert [label.endswith("(won)") for label in labels] == [k == won for k in range(3)]
    points = display.ax_.lines[0].get_xdata()
    np.testing.assert_allclose(
        np.sort(points), np.sort(found.scores["score"].mean(axis=2).ravel())
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_candidates_that_fail_are_never_the_best():
    search = GridSearchCV(Score(), {"a": [0.3, 0.9, 0.5]}, cv=2).fit(X, y)
    search.estimator = Score(bad=(0.3,))
    with pytest.warns(FitFailedWarning):
        found = repeat(search, X, y, n_seeds=2)
    assert found.candidates[-1] == 0 and np.isnan(found.mean[-1])
    assert found.probability_best[-1] == 0.0
    assert "candidate 0, has failed" in found.verdict
    found.plot()


def test_mistakes(search):
    with pytest.raises(TypeError, match=r"has no argument 'n_seed'. Did you mean"):
        repeat(search, X, y, n_seed=3)
    with pytest.raises(ValueError, match="n_seeds=0 must be an integer"):
        repeat(search, X, y, n_seeds=0)
    with pytest.raises(ValueError, match="confidence_level=95"):
        repeat(search, X, y, confidence_level=95)
    with pytest.raises(TypeError, match="A search of sktune is needed, not SVC"):
        repeat(SVC(), X, y)
    splits = list(KFold(2).split(X))
    iterated = GridSearchCV(SVC(), GRID, cv=iter(splits)).fit(X, y)
    with pytest.raises(ValueError, match=r"cv=list\(cv\)"):
        repeat(iterated, X, y)


def test_a_child_of_a_population_is_more_than_its_params():
    search = PopulationBasedSearchCV(
        net(verbose=0), {"lr": loguniform(0.01, 1.0)}, population_size=4, quantile=0.5,
        max_resources=3, cv=2, refit=False, random_state=0,
    ).fit(X, y)  # fmt: skip
    with pytest.raises(ValueError, match="has gone on as another"):
        repeat(search, X, y, n_candidates=8, n_seeds=1)
