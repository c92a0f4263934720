"""Exceptions that come back as they were, or not at all."""

import copyreg
import pickle

import numpy as np

from sktune._errors import LostError
from sktune._types import FitOutcome
from sktune.execution.fitting._raised import first_raised, pickled, portable


class TwoArguments(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def raised(error):
    outcome = FitOutcome({}, fit_error="the traceback", raised=pickled(error))
    _, cause = first_raised([FitOutcome({}), outcome])
    return cause


def test_what_comes_back():
    for error in (ValueError("a", 1), OSError(2, "no file"), TwoArguments(3, "m")):
        error.add_note("a note")
        again = raised(error)
        assert type(again) is type(error) and str(again) == str(error)
        assert vars(again) == vars(error)
    assert raised(TwoArguments(3, "m")).code == 3
    undecodable = UnicodeDecodeError("utf-8", b"x", 0, 1, "reason")
    assert str(raised(undecodable)) == str(undecodable)


def test_what_others_have_told_of_its_class_does_not_matter(monkeypatch):
    """As dask does for all exceptions that there are when it is imported."""
    broken = lambda error: (ValueError, ("?",))  # noqa: E731
    monkeypatch.setitem(copyreg.dispatch_table, UnicodeDecodeError, broken)
    undecodable = UnicodeDecodeError("utf-8", b"x", 0, 1, "reason")
    assert str(raised(undecodable)) == str(undecodable)


def test_classes_of_a_notebook_come_back_as_themselves():
    class Here(TwoArguments):
        pass

    assert type(raised(Here(1, "m"))) is Here


def test_what_does_not_come_back_is_a_text():
    large = ValueError("large")
    large.data = np.zeros(10**6)
    unsendable = ValueError("holds a generator")
    unsendable.data = (k for k in range(3))
    for error in (large, unsendable):
        assert isinstance(raised(error), LostError)
        assert str(raised(error)) == "the traceback"
    assert first_raised([FitOutcome({})]) == (None, None)


def test_it_holds_no_frames():
    try:
        raise TwoArguments(3, "m")
    except TwoArguments as error:
        assert raised(error).__traceback__ is None


def test_any_pickler_can_send_it():
    class Here(TwoArguments):
        pass

    again = pickle.loads(pickle.dumps(portable(Here(1, "m"))))
    assert type(again) is Here and vars(again) == {"code": 1}
    unsendable = ValueError("holds a generator")
    unsendable.data = (k for k in range(3))
    assert portable(unsendable) is None
