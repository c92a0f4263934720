"""What is printed in few characters."""

import pytest

from sktune._text import duration, rough_duration


@pytest.mark.parametrize(
    "seconds, words, roughly",
    [
        (0, "0 s", "0 s"),
        (0.0123, "12 ms", "0 s"),
        (0.5, "500 ms", "0 s"),
        (4.56, "4.6 s", "5 s"),
        (59.6, "60 s", "60 s"),
        (119.7, "2 min 0 s", "2 min"),
        (3599, "59 min 59 s", "60 min"),
        (7260, "2 h 1 min", "2.0 h"),
    ],
)
def test_durations(seconds, words, roughly):
    assert duration(seconds) == words
    assert rough_duration(seconds) == roughly
