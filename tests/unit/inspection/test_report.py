"""A page of a search and of its journal: one page; and one of a journal that grows."""

from __future__ import annotations

import json
import re
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import SGDClassifier
from skorch import NeuralNetClassifier

from sktune import (
    GridSearchCV,
    HyperbandSearchCV,
    RandomizedSearchCV,
    SuccessiveHalvingSearchCV,
)
from sktune.inspection import _report, watch_report, write_report

X, Y = load_iris(return_X_y=True)
SPACE = {"alpha": loguniform(1e-5, 1), "penalty": ["l2", "l1", None]}
SEARCHES = {
    "flat": lambda **kw: RandomizedSearchCV(
        SGDClassifier(random_state=0), SPACE, n_iter=4, **kw
    ),
    "several metrics": lambda **kw: RandomizedSearchCV(
        SGDClassifier(random_state=0),
        [SPACE, {"loss": ["hinge"]}],
        n_iter=3,
        scoring=["accuracy", "f1_macro"],
        refit=False,
        **kw,
    ),
    "rungs": lambda **kw: HyperbandSearchCV(
        SGDClassifier(random_state=0, tol=None),
        SPACE,
        resource="max_iter",
        max_resources=9,
        **kw,
    ),
    "nets": lambda **kw: SuccessiveHalvingSearchCV(
        NeuralNetClassifier(
            torch.nn.Linear,
            module__in_features=4,
            module__out_features=3,
            criterion=torch.nn.CrossEntropyLoss,
            verbose=0,
        ),
        {"lr": loguniform(1e-3, 1), "optimizer": [torch.optim.SGD, torch.optim.Adam]},
        n_candidates=6,
        max_resources=3,
        **kw,
    ),
}


def data_of(path):
    page = path.read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """By name, a search that was fitted once and has a journal."""

    @cache
    def fit(name):
        path = tmp_path_factory.mktemp(name.replace(" ", "_")) / "journal.jsonl"
        search = SEARCHES[name](cv=2, random_state=0, journal=path)
        return search.fit(X.astype(np.float32), Y)

    return fit


@pytest.mark.parametrize("name", SEARCHES)
def test_search_and_journal_make_one_page(name, fitted, tmp_path):
    search = fitted(name)
    search.to_html(tmp_path / "a.html")
    write_report(search.journal, tmp_path / "b.html")
    told = data_of(tmp_path / "a.html")
    assert told == data_of(tmp_path / "b.html")
    assert len(told["rows"]) == len(search.cv_results_["params"])
    if search.refit:
        best = told["rows"][told["ranked"][0]]
        row = search.best_index_
        candidates = search.cv_results_.get("candidate", range(row + 1))
        assert told["candidates"][best[0]] == candidates[row]


def test_a_net(fitted, tmp_path):
    fitted("nets").to_html(tmp_path / "a.html")
    data = data_of(tmp_path / "a.html")
    lr, optimizer = data["params"]
    assert (lr["scale"], optimizer["words"]) == ("log", ["SGD", "Adam"])
    assert {len(scores) for _, _, scores in data["curves"]} == {1, 3}
    page = (tmp_path / "a.html").read_text()
    assert "<h2>Params of the best</h2>" in page and "Epochs trained" in page
    assert "loguniform(0.001, 1)" in page and "<summary>Rungs</summary>" in page
    assert torch.__version__ in page


def test_metric(fitted, tmp_path):
    search = fitted("several metrics")
    for one, metric in [(None, "accuracy"), ("f1_macro", "f1_macro")]:
        write_report(search.journal, tmp_path / "a.html", metric=one)
        assert data_of(tmp_path / "a.html")["metric"] == metric
    with pytest.raises(ValueError, match="Did you mean 'f1_macro'"):
        write_report(search, tmp_path / "a.html", metric="f1_micro")


def test_failures(tmp_path):
    search = GridSearchCV(
        SGDClassifier(random_state=0), {"alpha": [1e-3, -1.0, -2.0]}, cv=2
    )
    for journal, told in [(None, "in a journal"), ("j.jsonl", "4 fits of candidates")]:
        search.set_params(journal=journal and tmp_path / journal)
        with pytest.warns(FitFailedWarning), pytest.warns(UserWarning, match="finite"):
            search.fit(X, Y)
        search.to_html(tmp_path / "a.html")
        page = (tmp_path / "a.html").read_text()
        assert told in page and "4 failed" in page
        assert ("Traceback" in page) == bool(journal)
        assert [row[4] for row in data_of(tmp_path / "a.html")["rows"]] == [0, 1, 1]


def test_a_journal_is_not_overwritten(fitted, tmp_path):
    search = fitted("flat")
    before = search.journal.read_bytes()
    for given in (search, search.journal):
        with pytest.raises(ValueError, match="name another file"):
            write_report(given, search.journal)
    assert search.journal.read_bytes() == before


def test_no_page_of_a_search_that_is_not_fitted(tmp_path):
    with pytest.raises(NotFittedError):
        SEARCHES["flat"]().to_html(tmp_path / "a.html")
    assert not list(tmp_path.iterdir())


def test_a_page_follows_its_journal(fitted, tmp_path, monkeypatch):
    """It is written when the journal has grown, and no more renewed in the end."""
    lines = fitted("flat").journal.read_text().splitlines(keepends=True)
    journal, page = tmp_path / "j.jsonl", tmp_path / "a.html"
    journal.write_text("".join(lines[:3]) + lines[3][:40])  # one is being written
    seen = []

    def sleep(seconds):
        data = data_of(page)
        seen.append((len(data["rows"]), data["reload"], page.stat().st_mtime_ns))
        if len(seen) == 2:  # in the first pause nothing has happened
            journal.write_text("".join(lines))
        elif len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(_report.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        watch_report(journal, page)
    assert [n for n, *_ in seen] == [1, 1, 4]
    assert {reload for _, reload, _ in seen} == {3.0}
    assert seen[0][2] == seen[1][2] < seen[2][2]
    assert data_of(page)["reload"] is None
