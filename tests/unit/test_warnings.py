"""Warnings point at the first line that is of no package in between."""

import threading
import warnings
from functools import partial

import pytest

from sktune._warnings import at_the_users_line, warn


def within(module, function):
    """A function that calls another from a file of some module."""
    names = {"__name__": module, "function": function}
    exec(compile("def call():\n    function()", f"{module}.py", "exec"), names)
    return names["call"]


def said(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    (one,) = caught
    return one


DEEP = within("sktune.deep", partial(warn, "so"))


def test_packages_in_between_are_passed_over():
    call = within("sktune._run", within("contextlib", DEEP))
    assert said(call).filename == __file__
    call = within("joblib.x", within("sklearn.y", within("sktune.z", DEEP)))
    one = said(within("users.own", within("sklearn.model_selection", call)))
    assert (one.filename, one.lineno) == ("users.own.py", 2)


def test_a_thread_of_nobody():
    """The first frames of a thread are those of `threading`."""

    def run():
        thread = threading.Thread(target=DEEP)
        thread.start()
        thread.join()

    assert said(run).filename == "sktune.deep.py"


def test_what_others_warn_of():
    def call():
        with at_the_users_line():
            warnings.warn("theirs", FutureWarning, stacklevel=1)

    one = said(within("users.own", within("sktune.search", call)))
    assert one.category is FutureWarning and str(one.message) == "theirs"


def test_filters_of_the_user_hold():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warn("so")
        with at_the_users_line():
            warnings.warn("theirs", UserWarning, stacklevel=1)
    with pytest.raises(UserWarning, match="so"):
        warn("so")
    with pytest.raises(UserWarning, match="theirs"), at_the_users_line():
        warnings.warn("theirs", UserWarning, stacklevel=1)
