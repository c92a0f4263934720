"""Journals that earlier versions have written are read and continued."""

import json
import shutil
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier

from sktune import HyperbandSearchCV, SuccessiveHalvingSearchCV
from sktune.inspection import read_journal
from sktune.persistence import PROTOCOL, read_records
from sktune.strategy import Bayes

FOLDER = Path(__file__).parent / "journals"


def make(journal):  # f1 is for two classes, and raises
    """The search whose journal was cut after its 10th fit, by each protocol number."""
    return SuccessiveHalvingSearchCV(
        SGDClassifier(random_state=0),
        {"alpha": [0.0001, 0.001, 0.01, 0.1], "eta0": [0.5]},
        n_candidates=4,
        factor=2,
        resource="partial_fit",
        max_resources=4,
        scoring=["accuracy", "f1"],
        refit="accuracy",
        cv=2,
        error_score=-1.0,
        random_state=0,
        journal=journal,
    )


@pytest.mark.filterwarnings("ignore:Scoring failed", "ignore::UserWarning")
@pytest.mark.parametrize("protocol", range(1, PROTOCOL + 1))
def test_an_old_journal_is_read_and_continued(protocol, tmp_path):
    old, journal = FOLDER / f"protocol-{protocol}.jsonl", tmp_path / "search.jsonl"
    shutil.copy(old, journal)
    header = read_records(old)[0]
    assert header["protocol"] == protocol
    frame = read_journal(old)
    assert len(frame) == 10
    assert frame.test_f1.isna().all()
    X, y = load_iris(return_X_y=True)
    search = make(journal).fit(X, y)
    whole = read_journal(journal)
    assert len(whole) == 14
    assert not whole[["candidate", "split", "iter"]].duplicated().any()
    results = search.cv_results_
    assert (results["mean_test_f1"] == -1.0).all()
    assert results["split0_test_accuracy"][0] == frame.test_accuracy[0]


@pytest.mark.filterwarnings("ignore:Hyperband plans")
def test_a_strategy_that_was_told_more_and_lay_elsewhere(tmp_path):
    """As protocol 1 described it: by its file, and with what searches know."""
    journal = tmp_path / "search.jsonl"

    def search():
        return HyperbandSearchCV(
            SGDClassifier(random_state=0),
            {"alpha": [0.0001, 0.001, 0.01, 0.1]},
            resource="partial_fit",
            max_resources=4,
            factor=2,
            strategy=Bayes(surrogate="tpe"),
            cv=2,
            random_state=0,
            journal=journal,
        )

    X, y = load_iris(return_X_y=True)
    whole = search().fit(X, y).cv_results_
    first, *others = journal.read_text().splitlines(keepends=True)
    header = json.loads(first)
    strategy = header["arguments"]["strategy"]
    assert strategy["class"] == "sktune.strategy.Bayes"
    strategy["class"] = "sktune.strategy._bayes.Bayes"
    strategy["params"] |= dict(knowledge=[], max_resources=None, n_candidates=None)
    header["steered_by"] = header.pop("refit_metric")
    header["protocol"] = 1
    journal.write_text("".join([json.dumps(header) + "\n", *others[:9]]))
    continued = search().fit(X, y).cv_results_
    assert continued["params"] == whole["params"]
    assert (continued["mean_test_score"] == whole["mean_test_score"]).all()
