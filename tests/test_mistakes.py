"""The tables of docs/guides/mistakes.md, row by row."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import loguniform, uniform, zipf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import EarlyStopping

import sktune
from sktune.strategy import Bayes
from tests.helpers.estimators import net

PAGE = Path(__file__).parents[1] / "docs" / "guides" / "mistakes.md"
FIT_ARGUMENTS = ("X", "y", "sample_weight", "groups")


class Homemade:
    def fit(self, X, y):
        return self

    def score(self, X, y):
        return 0.0


X = np.random.default_rng(0).normal(size=(24, 3))
y = np.arange(24) % 2
NAMES = {
    **{"X": X, "y": y, "np": np, "uniform": uniform, "loguniform": loguniform},
    **{"zipf": zipf, "KFold": KFold, "GroupKFold": GroupKFold, "Bayes": Bayes},
    **{"LogisticRegression": LogisticRegression, "StandardScaler": StandardScaler},
    **{"Homemade": Homemade, "GridSearchCV": sktune.GridSearchCV},
    **{"net": net, "EarlyStopping": EarlyStopping},
}
SEARCHES = [name for name in sktune.__all__ if name.endswith("SearchCV")]


def rows():
    section = None
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        cells = re.fullmatch(r"\| (.+?) \| `(.+)` \| (.+) \|", line)
        if cells:
            yield section, *cells.groups()


ROWS = list(rows())


def pattern(message: str) -> str:
    return ".*".join(re.escape(part) for part in re.split(r" ?… ?", message))


def searches_with(arguments):
    """All searches that have the arguments, made."""
    given = {k: v for k, v in arguments.items() if k not in FIT_ARGUMENTS}
    only = given.pop("search", None)
    space = given.pop("space", None)
    for name in [only] if only else SEARCHES:
        is_grid = name == "GridSearchCV"
        if space is None:
            searched = {"C": [0.1, 1.0] if is_grid else uniform(0, 1)}
        else:
            searched = space
        cls = getattr(sktune, name)
        own = cls(LogisticRegression(), {}).get_params(deep=False)
        if not set(given) <= set(own):
            continue
        if "n_candidates" in own:
            given = {"n_candidates": 2, **given}
        estimator = given.get("estimator", LogisticRegression())
        rest = {k: v for k, v in given.items() if k != "estimator" and k in own}
        yield cls(estimator, searched, **{"cv": 3, **rest})


@pytest.mark.parametrize(
    ("section", "mistake", "code", "message"), ROWS, ids=[row[1] for row in ROWS]
)
def test_mistake(section, mistake, code, message):
    n = 0
    for search in searches_with(eval(f"dict({code})", dict(NAMES))):
        # Anew for each, since an iterator can be read once only.
        arguments = eval(f"dict({code})", dict(NAMES))
        if "cv" in arguments:
            search.set_params(cv=arguments["cv"])
        data = {k: v for k, v in arguments.items() if k in FIT_ARGUMENTS}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises((ValueError, TypeError)) as caught:
                search.fit(**{"X": X, "y": y, **data})
        text = " ".join(str(caught.value).split())
        assert re.search(pattern(message), text), (type(search).__name__, text)
        n += 1
    assert n


def test_the_page_has_many_rows_and_is_found():
    assert len(ROWS) >= 50
    assert "guides/mistakes" in (PAGE.parents[1] / "index.md").read_text()
    n_lines = sum(
        line.startswith("| ") and not line.startswith("| mistake |")
        for line in PAGE.read_text().splitlines()
    )
    assert len(ROWS) == n_lines
