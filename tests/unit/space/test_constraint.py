"""A constraint that does not say whether a candidate may be run."""

from __future__ import annotations

import pytest

from sktune._errors import SpaceError, SpaceTypeError
from sktune.space import Space, allows


def test_constraint_that_cannot_be_called():
    with pytest.raises(SpaceTypeError, match=r"constraint=3 cannot be called"):
        Space({"a": [1]}, constraint=3)


def test_constraint_that_raises_names_the_params():
    space = Space({"a": [1]}, constraint=lambda params: params["b"] > 0)
    with pytest.raises(
        SpaceError, match=r"constraint raised KeyError .*params \{'a': 1\}"
    ) as caught:
        space.allows({"a": 1})
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_constraint_that_does_not_answer(answer):
    with pytest.raises(SpaceError, match=r"constraint returned .*has to return True"):
        allows(lambda params: answer, {"a": 1})
