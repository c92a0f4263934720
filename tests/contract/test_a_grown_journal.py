"""What a journal refuses to go on to, and what it says then."""

import warnings

import pytest
from scipy.stats import uniform
from sklearn.model_selection import KFold

from sktune import BayesSearchCV
from sktune._errors import JournalError
from sktune.inspection import read_journal
from sktune.persistence import read_records
from tests.helpers.journals import SPACE, cut, make
from tests.helpers.searches import (
    X,
    bayes,
    every_search,
    grid,
    halving,
    hyperband,
    population,
    randomized,
    y,
)

WIDE = {"a": uniform(0, 1), "b": uniform(0, 1)}
# A search, and what it is asked for then; what differs, in words.
OTHERWISE = {
    "draws without replacement that are all of the space": (
        lambda journal: make(randomized, journal, n_iter=3),
        {"n_iter": 4},
        r"n_iter .3 in the journal, 4 now.; candidate 0.a .*, 0.0 now",
    ),
    "a start that is longer": (
        lambda journal: make(bayes, journal, n_iter=4, space=WIDE),
        {"n_iter": 8},
        r"n_iter .4 in the journal, 8 now.; candidate 2.a ",
    ),
    "a start that is shorter": (
        lambda journal: make(bayes, journal, n_iter=8, space=WIDE),
        {"n_iter": 6},
        r"n_iter .8 in the journal, 6 now.; candidate 3.a ",
    ),
    "a first rung with other resources": (
        lambda journal: make(halving, journal, n_iter=4, space=WIDE),
        {"n_candidates": 8},
        r"n_candidates .4 in .*, 8 now.; n_resources of candidate 0 in rung 0 ",
    ),
    "another order": (
        lambda journal: make(grid, journal, space={"a": [0.1, 0.2], "b": [0.5, 0.6]}),
        {"param_grid": {"a": [0.1, 0.2], "b": [0.5, 0.6, 0.7]}},
        r"param_grid.b .*; candidate 2.a .*; candidate 2.b .*param_grid=\[the grid",
    ),
    "rounds that use the space up": (
        lambda journal: make(
            hyperband,
            journal,
            space={"a": [0.0, 0.1, 0.2], "b": [k / 60 for k in range(60)]},
            n_rounds=1,
            factor=12,
        ),
        {"n_rounds": 13},
        r"n_rounds .1 in the journal, 13 now.; candidate 0.\w ",
    ),
}


@pytest.mark.filterwarnings("ignore:Hyperband plans")
@pytest.mark.parametrize("case", OTHERWISE)
def test_what_begins_otherwise_is_refused_before_anything_is_run(case, journal, fits):
    make_one, now, differs = OTHERWISE[case]
    make_one(journal).fit(X, y)
    before = journal.read_bytes()
    fits.clear()
    with pytest.raises(JournalError, match=f"it differs in: {differs}") as info:
        make_one(journal).set_params(**now).fit(X, y)
    assert not fits
    assert journal.read_bytes() == before
    there = {path.name for path in journal.parent.iterdir()}
    assert there <= {journal.name, f"{journal.name}.lock"}
    # The line that it says can be written.
    message = str(info.value)
    assert "initial_points=[search.best_params_]" in message
    assert f"warm_start_from={str(journal)!r}" in message
    assert f"journal={str(journal.with_name('search-2.jsonl'))!r}" in message


def test_the_lines_that_are_named_can_be_written(journal):
    first = make(bayes, journal, n_iter=4, space=WIDE).fit(X, y)
    other = journal.with_name("search-2.jsonl")
    learnt = make(bayes, other, n_iter=3, space=WIDE, warm_start_from=str(journal))
    expected = make(bayes, n_iter=3, space=WIDE, warm_start_from=first).fit(X, y)
    assert learnt.fit(X, y).cv_results_["params"] == expected.cv_results_["params"]
    for search in (bayes, randomized):
        tried = make(
            search, n_iter=3, space=WIDE, initial_points=[first.best_params_]
        ).fit(X, y)
        assert tried.cv_results_["params"][0] == first.best_params_


def test_what_else_differs_is_named_too(journal, fits):
    make(randomized, journal, n_iter=3).fit(X, y)
    fits.clear()
    with pytest.raises(JournalError, match=r"estimator.b .*; n_iter .*name a new file"):
        make(randomized, journal, n_iter=4).set_params(estimator__b=0.5).fit(X, y)
    cv = KFold(2, shuffle=True)
    with pytest.raises(JournalError, match="shuffles needs a random_state"):
        make(randomized, journal, n_iter=4, cv=cv).fit(X, y)
    assert not fits


@every_search
def test_a_search_that_was_killed_before_its_first_fit(search, journal):
    if search is population:
        pytest.skip("a population of another size is another search")
    numbers = {halving: "n_candidates", hyperband: "n_rounds"}
    name = "param_grid" if search is grid else numbers.get(search, "n_iter")
    first = make(search, journal, space=SPACE if search is grid else WIDE).fit(X, y)
    cut(journal, 0)
    more = {"param_grid": {"a": [0.1], "b": [0.2, 0.3]}}.get(name, 6)
    expected = first.set_params(journal=None, **{name: more}).fit(X, y).cv_results_
    again = first.set_params(journal=journal).fit(X, y).cv_results_
    assert again["params"] == expected["params"]


@pytest.mark.parametrize("search", [randomized, bayes])
def test_without_a_random_state(search, journal, fits):
    kwargs = {"space": WIDE, "random_state": None}
    first = make(search, journal, n_iter=8, **kwargs).fit(X, y)
    fits.clear()
    again = make(search, journal, n_iter=10, **kwargs).fit(X, y)
    assert again.cv_results_["params"][:8] == first.cv_results_["params"]
    assert len(fits) == 2 * 2 + 1


def test_a_line_that_is_broken_is_named(journal):
    for n in (3, 4):
        make(randomized, journal, n_iter=n, space=WIDE).fit(X, y)
    text = journal.read_text()
    journal.write_text(text.replace('"arguments": {"n_iter": 4}', '"arguments": 4'))
    with pytest.raises(JournalError, match="no valid 'arguments' in line 9"):
        make(randomized, journal, n_iter=4, space=WIDE).fit(X, y)


def test_the_journal_says_what_it_was_asked_for_in_between(journal):
    for n in (4, 5, 3):
        make(randomized, journal, n_iter=n, space=WIDE).fit(X, y)
    records = read_records(journal)
    assert records[0]["arguments"]["n_iter"] == records[0]["n_candidates"] == 4
    changes = [record for record in records if record["record"] == "arguments"]
    assert [one["arguments"] for one in changes] == [{"n_iter": 5}, {"n_iter": 3}]
    assert [one["n_candidates"] for one in changes] == [5, 3]
    assert len(read_journal(journal)) == 10


def test_a_journal_that_does_not_say_how_many_there_were_to_be(journal):
    """As those of protocol 1 and 2 were written at first."""

    def make_one(n):
        return BayesSearchCV(
            make(bayes).estimator, WIDE, n_iter=n, cv=2, random_state=0, journal=journal
        )

    make_one(8).fit(X, y)
    text = journal.read_text()
    assert text.count('"n_candidates": 8, ') == 1
    journal.write_text(text.replace('"n_candidates": 8, ', ""))
    again = make_one(10).fit(X, y)
    expected = make_one(10).set_params(journal=None).fit(X, y)
    assert again.cv_results_["params"] == expected.cv_results_["params"]


def test_a_failure_that_is_raised_now_is_no_other_decision(journal):
    space = {"a": [0.0, 0.25, 0.5, 0.75], "b": [k / 20 for k in range(20)]}
    search = make(bayes, journal, space=space, n_iter=8).set_params(estimator__bad=())
    search.fit(X, y)
    worst = read_journal(journal).param_a[4]
    journal.unlink()
    search.set_params(estimator__bad=(worst,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(X, y)
    search.set_params(n_iter=9, error_score="raise")
    with pytest.raises(ValueError, match=f"a={worst} is bad"):
        search.fit(X, y)
