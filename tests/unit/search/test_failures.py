"""Failures that are equal are one, and what differs in them is shown apart."""

from sktune.search._failures import _counted

TRACEBACK = """Traceback (most recent call last):
  File "model.py", line {line}, in fit
    raise ValueError
ValueError: {message}
"""


def text(message, line=7):
    return TRACEBACK.format(message=message, line=line)


def test_numbers_addresses_and_paths_are_values():
    told = [
        text("mat1 (3x4) of <Net at 0x7f00ab> in /tmp/x1/a.pt, 1e-3"),
        None,
        text("mat1 (5x4) of <Net at 0x7f11cd> in /tmp/y2/b.pt, 0.25"),
        text("mat1 (5x4) of <Net at 0x7f11cd> in /tmp/y2/b.pt, 0.25"),
    ]
    first, nothing, *others = _counted(told)
    assert nothing is None and others == [first, first]
    assert first.startswith(told[0].rstrip())
    assert "(5x4) of <Net at 0x7f11cd> in /tmp/y2/b.pt, 0.25 (2 times)" in first


def test_other_words_and_other_lines_are_other_failures():
    told = [text("no depth"), text("no width"), text("no depth", line=8)]
    assert _counted(told) == told


def test_of_many_a_few_are_shown():
    (first,) = set(_counted([text(f"seed {k}") for k in range(100)]))
    assert first.count("ValueError: seed") == 6
    assert "and 94 others" in first
