"""The page as a file: its budgets, and that what a user gave stays text."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from sktune.inspection.page import page_of, summary_of, write_text
from tests.unit.inspection.page.test_data import EVIL, curve, record, row


def many(n: int, n_params: int = 20):
    """A search of nets: params of all kinds, five splits, and curves."""
    random = np.random.default_rng(0)
    scales = {
        f"net__module__param_{k}": ("log", "linear", "linear", "category")[k % 4]
        for k in range(n_params)
    }
    values = {
        "log": lambda: 10 ** random.uniform(-5, 0),
        "linear": lambda: random.uniform(),
        "category": lambda: ("relu", "tanh", "gelu")[random.integers(3)],
    }
    rows = [
        row(
            c,
            {name: values[scale]() for name, scale in scales.items()},
            dict(enumerate(random.uniform(0.5, 0.9, 5))),
        )
        for c in range(n)
    ]
    curves = [curve(c, s, random.uniform(size=50)) for c in range(n) for s in range(5)]
    return record(*rows, scales=scales, curves=curves, n_splits=5)


def test_budgets():
    frames = "  in a file\n" * 900
    texts = [f"Traceback\n{frames}Error: {letter}" for letter in "abcdefghijkl"]
    fits = [
        {"candidate": k, "split": 0, "status": "failed", "fit_error": text}
        for k, text in enumerate(texts)
    ]
    made = replace(many(500), fits=fits, arguments={"estimator": "x" * 9000})
    began = time.process_time()
    page = page_of(made)
    assert time.process_time() - began < 2
    assert len(page.encode()) <= 300_000


class Tags(HTMLParser):
    """What the elements of a page are, and what they point to."""

    def __init__(self):
        super().__init__()
        self.names, self.links = [], []

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "action", "data")]
        self.links += [k for k, _ in attrs if k.startswith("on")]


def test_nothing_is_fetched():
    page = page_of(many(3))
    tags = Tags()
    tags.feed(page)
    assert tags.links == []
    assert tags.names.count("script") == 2 and "link" not in tags.names
    assert re.findall(r"\b\w+://[^\"' ]+", page) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in page and "url(" not in page
    assert "default-src 'none'" in page


def test_what_a_user_gave_is_text():
    made = replace(
        record(
            row(0, {EVIL: EVIL}, {0: 1.0}, n_resources=1),
            row(1, {EVIL: EVIL}, {0: 1.0}, n_resources=1, failed=True),
            scales={EVIL: "category"},
            arguments={"estimator": {"class": f"a.{EVIL}", "params": {EVIL: EVIL}}},
            fits=[
                {
                    "candidate": 0, "split": 0, "status": "failed",
                    "fit_error": f"Traceback\n  {EVIL}\n{EVIL}", "ended": None,
                }
            ],
            versions={EVIL: EVIL},
            hardware={"host": EVIL},
            resource=EVIL,
        ),
        search=EVIL,
        metrics=("score", EVIL),
    )  # fmt: skip
    for page in (page_of(made), page_of(replace(made, metric=EVIL)), summary_of(made)):
        assert EVIL not in page and "<script>document" not in page
        tags = Tags()
        tags.feed(page)
        assert tags.names.count("script") in (0, 2)


def test_a_file_is_replaced_at_once(tmp_path):
    path = tmp_path / "page.html"
    write_text("first", path)
    (tmp_path / "link.html").symlink_to(path)
    write_text("second", tmp_path / "link.html")
    assert path.read_text() == "second"
    assert (tmp_path / "link.html").is_symlink()
    assert len(list(tmp_path.iterdir())) == 2


def test_no_folder_and_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        write_text("", tmp_path / "gone" / "page.html")
    with pytest.raises(IsADirectoryError, match="name a file"):
        write_text("", tmp_path)
    write_text("", "/dev/null")
