"""The page in a headless browser: as one sees it, points at it and types."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sktune.inspection._search_record import RecordedRow
from sktune.inspection.page import page_of
from tests.helpers.browser import BROWSER, Browser
from tests.unit.inspection.page.test_data import EVIL, curve, record, row

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no chromium")

ROWS = "[...document.querySelectorAll('#table tbody tr')]"
FIRST_CELLS = f"{ROWS}.map(tr => tr.cells[1].textContent)"
SORTS = (
    "[...document.querySelectorAll('#table th')].map(th => "
    "[th.textContent, th.ariaSort]).filter(one => one[1] !== 'none')"
)
HOT = (
    "[document.querySelectorAll('svg .hot path').length,"
    " document.querySelectorAll('tr.hot').length,"
    " tip.hidden ? '' : tip.textContent]"
)
# Whether the page, and not a part of it, is wider than the window.
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"


def search():
    """Twelve candidates: rungs, curves, a space with conditions, and failures."""
    rows, curves = [], []
    for c in range(12):
        params = {"net__lr": 10.0 ** -(c % 5), "act": ["relu", "tanh"][c % 2]}
        if c % 3 == 0:
            params["net__a_param_with_a_rather_long_name"] = c
        place = {"bracket": 0, "iter": 0, "n_resources": 1}
        failed = c == 7
        score = {0: float("nan") if failed else c / 12, 1: c / 12}
        rows.append(row(c, params, score, failed=failed, **place))
        if c > 8:
            place = {"bracket": 0, "iter": 1, "n_resources": 3}
            rows.append(row(c, params, {0: 0.9 - c / 100, 1: 0.5}, **place))
        curves.append(curve(c, 0, [c / 24, c / 12]))
    error = f"Traceback\n  File {'x' * 300}\nValueError: {EVIL}"
    failed = {"candidate": 7, "split": 0, "status": "failed", "fit_error": error}
    scales = {name: "linear" for one in rows for name in one.params}
    return record(
        *rows,
        curves=curves,
        fits=[failed],
        scales={**scales, "net__lr": "log", "act": "category"},
        resource="max_epochs",
        arguments={"estimator": {"class": "a.b", "params": {"x": "y" * 500}}},
    )


@pytest.fixture(scope="module")
def browser():
    with Browser() as started:
        yield started


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page_of(search()), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, page):
    browser.open(page)
    yield browser
    assert browser.errors == []


def test_what_is_on_it(opened):
    captions = "[...document.querySelectorAll('figcaption')].map(f => f.title)"
    assert opened.run(captions) == [
        "Convergence",
        "Rungs",
        "Learning curves",
        "Parallel coordinates",
        "lr",
        "act",
        "a_param_with_a_rather_long_name",
    ]
    # Rows of those that came furthest, in their order.
    assert opened.run(FIRST_CELLS)[:4] == ["9", "10", "11", "8"]
    assert opened.run("document.title") == "Search of b"
    assert opened.run("document.querySelectorAll('.edge').length") >= 3  # failed
    assert not opened.run("document.body.innerHTML.includes('NaN')")


def test_several_metrics_have_a_front_beside_the_first(browser, tmp_path):
    scores = [(0.9, -30.0), (0.8, -10.0), (0.7, -20.0), (0.9, -40.0), (0.6, -5.0)]
    rows = [
        RecordedRow(c, {"a": c}, {"score": {0: one}, "size": {0: two}}, 0.5)
        for c, (one, two) in enumerate(scores)
    ]
    path = tmp_path / "page.html"
    made = replace(record(*rows), metrics=("score", "size"))
    path.write_text(page_of(made), encoding="utf-8")
    browser.open(path)
    figure = (
        "[...document.querySelectorAll('figure')]"
        ".find(f => f.querySelector('figcaption').title === 'Pareto front')"
    )
    edge = browser.run(f"{figure}.querySelector('.so-far').getAttribute('d')")
    corners = re.fullmatch(
        r"M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)H([\d.]+)V([\d.]+)", edge
    )
    x0, y0, x1, y1, x2, y2 = map(float, corners.groups())
    # From the smallest to the best: 5, 10 and 30; 20 and 40 are beaten.
    assert (x0 - x1) / (x1 - x2) == pytest.approx(5 / 20, rel=0.02)
    assert (y0 - y1) / (y1 - y2) == pytest.approx(2.0, rel=0.02)
    assert browser.errors == []


def test_sorting_by_click_and_by_key(opened):
    assert opened.run(SORTS) == [["rank", "ascending"]]
    opened.click_on("#table th:nth-child(2) button")
    assert opened.run(FIRST_CELLS) == [str(k) for k in range(12)]
    opened.press("Enter")  # the button has the focus
    assert opened.run(SORTS) == [["candidate", "descending"]]
    assert opened.run(FIRST_CELLS)[0] == "11"
    opened.press("Tab")
    opened.press(" ")
    assert opened.run(SORTS) == [["score", "descending"]]
    assert opened.run(FIRST_CELLS)[0] == "8"  # failures stay at the end, either way
    opened.press(" ")
    assert opened.run(SORTS) == [["score", "ascending"]]
    assert opened.run(FIRST_CELLS)[-1] == "7"


@pytest.mark.parametrize(
    "text, n, first",
    [
        ("tanh", 6, "9"),
        ("TANH failed", 1, "7"),
        ("lr<=0.01 score>0.6", 2, "9"),
        ("act=relu lr=1", 2, "10"),
        ("nothing such", 0, None),
    ],
)
def test_filter(opened, text, n, first):
    opened.click_on("#filter")
    opened.type(text)
    found = opened.run(FIRST_CELLS)
    assert len(found) == n and next(iter(found), None) == first
    assert opened.run("document.getElementById('found').textContent") == f"{n} of 12"


def test_all_rungs_of_a_candidate(opened):
    opened.click_on("#rungs")
    assert len(opened.run(ROWS)) == 15
    assert opened.run("document.getElementById('found').textContent") == "15 rows"


def test_a_candidate_that_is_pointed_at_is_marked_everywhere(opened):
    assert opened.run(HOT) == [0, 0, ""]
    # The best is the last dot that is drawn in the picture of lr.
    pictures = "document.querySelectorAll('svg.picture')"
    path = opened.run(f"{pictures}[4].querySelector('.best').getAttribute('d')")
    x, y = map(float, re.match(r"M([\d.]+) ([\d.]+)", path).groups())
    left, top = opened.run(
        f"(() => {{ const e = {pictures}[4]; e.scrollIntoView();"
        "const b = e.getBoundingClientRect(); return [b.x, b.y]; })()"
    )
    opened.move(left + x + 1, top + y + 1)
    n_marks, n_rows, tip = opened.run(HOT)
    assert (n_marks, n_rows) == (12, 1)  # in all 7 pictures, with some bars
    assert tip.startswith("Candidate 9, rank 1") and "lr1e-4" in tip
    opened.move(5, 5)
    assert opened.run(HOT) == [0, 0, ""]
    opened.click(left + x, top + y)  # stays
    opened.move(5, 5)
    assert opened.run(HOT)[:2] == [12, 1]
    opened.press("Escape")
    assert opened.run(HOT) == [0, 0, ""]


def test_rows_and_keys_mark_candidates(opened):
    opened.move(*opened.middle("#table tbody tr:nth-child(2)"))
    assert opened.run(f"[{HOT}[0] > 6, {HOT}[1]]") == [True, 1]
    opened.move(5, 5)
    opened.run(f"{ROWS}[0].focus()")
    opened.press("ArrowDown")
    assert opened.run("document.activeElement.cells[1].textContent") == "10"
    assert opened.run("document.querySelector('tr.hot').cells[1].textContent") == "10"
    opened.run("document.querySelector('svg.picture').focus()")
    opened.press("Home")
    assert opened.run(HOT)[2].startswith("Candidate 9, rank 1")
    opened.press("ArrowRight")
    assert opened.run("document.querySelector('tr.hot').cells[1].textContent") == "10"
    assert opened.run("document.querySelector('svg.picture:focus-visible') !== null")


@pytest.mark.parametrize("dark", [False, True])
def test_light_dark_and_narrow(browser, page, dark):
    browser.open(page, width=360, dark=dark)
    browser.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.run(OVERFLOW) == 0
    style = "getComputedStyle(document.body)"
    ground, ink = (
        sum(map(int, re.findall(r"\d+", browser.run(f"{style}.{name}"))[:3])) / 765
        for name in ("backgroundColor", "color")
    )
    assert (ground < 0.2 and ink > 0.8) if dark else (ground > 0.9 and ink < 0.2)
    browser.click_on("svg.picture")
    assert browser.run(OVERFLOW) == 0
    assert browser.errors == []


@pytest.mark.parametrize(
    "made",
    [
        record(),
        record(row(0, {"a": 1}, {0: 0.5})),
        record(*(row(k, {"a": k}, {0: float("nan")}, failed=True) for k in range(3))),
        record(*(row(k, {"a": None}, {0: 1e300 * k}) for k in range(3))),
        record(*(row(k, {"a": k - 1.0}, {0: 0.1 * k}) for k in range(250))),
    ],
    ids=["nothing", "one", "all failed", "huge", "many"],
)
def test_searches_of_all_kinds(browser, tmp_path, made):
    path = tmp_path / "page.html"
    path.write_text(page_of(made), encoding="utf-8")
    browser.open(path)
    assert browser.errors == []
    n_rows = len({one.candidate for one in made.rows})
    assert len(browser.run(ROWS)) == min(100, n_rows)
    if n_rows > 100:
        browser.click_on("#more")
        assert len(browser.run(ROWS)) == n_rows
    shapes = "[...document.querySelectorAll('path')].map(p => p.getAttribute('d'))"
    assert not [d for d in browser.run(shapes) if "NaN" in d or "Infinity" in d]


def test_a_page_that_is_renewed_keeps_what_its_reader_has_set(browser, tmp_path):
    path = tmp_path / "page.html"
    path.write_text(page_of(search(), reload_every=3), encoding="utf-8")
    hand_out = "window.setInterval = renew => { window.renew = renew; }"
    browser.call("Page.addScriptToEvaluateOnNewDocument", source=hand_out)
    browser.open(path)
    browser.click_on("#table th:nth-child(2) button")
    browser.run("document.querySelector('#about details').open = true")
    path.write_text(page_of(search()).replace("Search of b", "Renewed"), "utf-8")
    browser.click_on("#filter")
    browser.run("renew()")  # not while one types
    assert browser.run("document.title") == "Search of b"
    browser.click_on("#table tbody tr:nth-child(3)")  # of candidate 2
    browser.run("renew()")
    browser.wait_for("Page.loadEventFired")
    assert browser.run("document.title") == "Renewed"
    assert browser.run(SORTS) == [["candidate", "ascending"]]
    assert browser.run("document.querySelector('#about details').open")
    assert browser.run("document.querySelector('tr.hot').cells[1].textContent") == "2"
    assert browser.errors == []
