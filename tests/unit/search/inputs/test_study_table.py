"""Studies as tables; what is of Optuna itself is in test_to_optuna.py."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import uniform

from sktune import BayesSearchCV
from sktune._errors import WarmStartError
from sktune.search.inputs._study_table import is_study, table_of_study
from tests.helpers.estimators import Score
from tests.helpers.searches import X, y


def study(direction="MAXIMIZE", n=1):
    trials = [("COMPLETE", 0.5), ("PRUNED", 0.9), ("FAIL", None), ("RUNNING", None)]
    return SimpleNamespace(
        study_name="s",
        directions=[SimpleNamespace(name=direction)] * n,
        trials=[
            SimpleNamespace(
                state=SimpleNamespace(name=state), value=value, params={"a": k / 10}
            )
            for k, (state, value) in enumerate(trials)
        ],
    )


def test_trials_that_came_to_an_end():
    assert is_study(study()) and not is_study({"params": []})
    table = table_of_study(study(), "accuracy")
    assert table["params"] == [{"a": 0.0}, {"a": 0.2}]
    np.testing.assert_equal(table["mean_test_accuracy"], [0.5, np.nan])


def test_what_was_minimized():
    assert table_of_study(study("MINIMIZE"), "score")["mean_test_score"][0] == -0.5


def test_several_objectives():
    search = BayesSearchCV(Score(), {"a": uniform()}, warm_start_from=study(n=2))
    with pytest.raises(WarmStartError, match="has 2 objectives"):
        search.fit(X, y)
