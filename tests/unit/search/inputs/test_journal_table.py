"""A journal as `warm_start_from`: its path, or the data frame that it is read as."""

import io
import json
import warnings

import pandas as pd
import pytest
from scipy.stats import uniform

from sktune import HyperbandSearchCV, RandomizedSearchCV
from sktune._errors import WarmStartError
from sktune.inspection import read_journal
from sktune.search.inputs._journal_table import as_table
from sktune.search.inputs._warm_start_from import read_warm_start
from sktune.space import Space
from tests.helpers.estimators import Score, blobs
from tests.helpers.journals import cut

X, y = blobs(30)
MIXED = [
    {"a": uniform(0, 1), "b": [0.25, 0.5, None], "odd_at": [(), (2,), (2, 3)]},
    {"a": [0.1, 0.9], "bad": [()]},
]


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "search.jsonl"


def read(given, space, metrics=("score",)):
    return read_warm_start(given, Space(space), Score(), metrics)


def fitted(journal, space=MIXED, **kwargs):
    search = RandomizedSearchCV(
        Score(b=0.5, bad=(0.9,)), space, n_iter=12, cv=2, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some have failed
        return search.set_params(journal=journal, **kwargs).fit(X, y)


def test_a_journal_says_the_same_as_its_search(journal):
    expected = read(fitted(journal), MIXED)
    assert 0 < sum(one.score is None for one in expected) < 12 == len(expected)
    frame = read_journal(journal)
    for form in (journal, str(journal), [journal], frame):
        assert read(form, MIXED) == expected


def test_a_frame_that_was_written_to_a_file(journal):
    space = {"a": uniform(0, 1), "b": [0.25, 0.5]}
    expected = read(fitted(journal, space), space)
    text = read_journal(journal).to_csv(index=False)
    assert read(pd.read_csv(io.StringIO(text)), space) == expected


def test_of_several_metrics_the_one_that_decides(journal):
    scoring = ["accuracy", "f1_macro"]
    space = {"a": uniform(0, 1)}
    search = fitted(journal, space, scoring=scoring, refit="f1_macro")
    for metric in scoring:
        expected = read(search, space, (metric,))
        assert read(journal, space, (metric,)) == expected
    with pytest.raises(WarmStartError, match="no column 'mean_test_auc'"):
        read(journal, space, ("auc",))


def test_of_rungs_the_one_that_tells_most(journal):
    space = {"a": uniform(0, 1), "b": uniform(0, 1)}
    search = HyperbandSearchCV(Score(), space, factor=2, cv=2, random_state=0)
    expected = read(search.set_params(journal=journal).fit(X, y), space)
    for form in (journal, read_journal(journal)):
        found = read(form, space)
        assert sorted(one.score for one in found) == sorted(
            one.score for one in expected
        )
        assert len(found) == len(expected) > 2


def test_a_candidate_that_lacks_a_split_is_left_out(journal):
    expected = read(fitted(journal, {"a": uniform(0, 1)}), {"a": uniform(0, 1)})
    cut(journal, 7)
    assert read(journal, {"a": uniform(0, 1)}) == expected[:3]


@pytest.mark.parametrize("text", [None, "", "a,b\n1,2\n", json.dumps({"a": 1}) + "\n"])
def test_a_file_that_is_no_journal(text, journal):
    if text is not None:
        journal.write_text(text)
    with pytest.raises(WarmStartError, match=r"is no earlier search.*As a journal: "):
        read(journal, {"a": uniform(0, 1)})


@pytest.mark.parametrize("given", [3, {"params": []}, pd.DataFrame({"a": [1]})])
def test_what_is_no_journal_stays(given):
    assert as_table(given) is given
