"""Tables and pictures of what ran where."""

from types import SimpleNamespace

import pytest

from sktune import GridSearchCV
from sktune.inspection import LeasesDisplay, device_use, plot_leases
from tests.helpers.estimators import Score, blobs


def leased(*rows):
    """A search whose leases are these: device, slot, start, end, split, and more."""
    keys = ("device", "slot", "start", "end", "split")
    defaults = {"host": "here", "pid": 1, "candidate": 0, "out_of_memory": False}
    leases = [defaults | dict(zip(keys, row, strict=False)) for row in rows]
    for lease, row in zip(leases, rows, strict=True):
        lease.update(*row[len(keys) :])
    return SimpleNamespace(leases_=leases)


@pytest.fixture
def on_devices():
    return leased(
        ("cuda:0", 0, 100.0, 102.0, 0),
        ("cuda:0", 1, 100.5, 101.0, 1, {"out_of_memory": True}),
        ("cuda:1", 0, 101.0, 103.0, 2),
        ("cuda:0", 0, 102.0, 103.0, 1),
        ("cuda:0", 0, 103.0, 104.0, None),
    )


def test_use_of_devices(on_devices):
    table = device_use(on_devices)
    assert [(row["device"], row["slot"]) for row in table] == [
        ("cuda:0", 0),
        ("cuda:0", 1),
        ("cuda:1", 0),
    ]
    assert [row["fits"] for row in table] == [3, 1, 1]
    assert [row["busy"] for row in table] == [4.0, 0.5, 2.0]
    assert [row["share"] for row in table] == [1.0, 0.125, 0.5]
    assert [row["out_of_memory"] for row in table] == [0, 1, 0]
    assert "cuda:1" in repr(table)


def test_leases_are_drawn_slot_by_slot(on_devices, tmp_path):
    ax = plot_leases(on_devices)
    ticks = [tick.get_text() for tick in ax.get_yticklabels()]
    assert ticks == ["cuda:0 #0", "cuda:0 #1", "cuda:1"]
    drawn = [path.get_extents() for bars in ax.collections for path in bars.get_paths()]
    assert sorted((box.x0, box.x1) for box in drawn) == [
        (0.0, 2.0),
        (0.5, 1.0),
        (1.0, 3.0),
        (2.0, 3.0),
        (3.0, 4.0),
    ]
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "fit",
        "out of memory, tried again alone",
        "refit",
    }
    ax.figure.savefig(tmp_path / "leases.png")
    assert (tmp_path / "leases.png").stat().st_size > 1000


def test_short_fits_are_no_white_edges():
    """Hundreds of bars that are narrower than an edge would be nothing but white."""
    short = [("cuda:0", 0, t / 10, t / 10 + 0.08, 0) for t in range(600)]
    ax = plot_leases(leased(*short, ("cuda:0", 0, 60.0, 80.0, None)))
    edges = {bars.get_label(): bars.get_edgecolor() for bars in ax.collections}
    faces = {bars.get_label(): bars.get_facecolor() for bars in ax.collections}
    assert (edges["fit"] == faces["fit"]).all()
    assert (edges["refit"] == 1.0).all()  # white
    assert sum(len(bars.get_paths()) for bars in ax.collections) == 601


def test_leases_without_slots_and_of_several_machines():
    search = leased(
        ("cpu", None, 0.0, 2.0, 0),
        ("cpu", None, 1.0, 3.0, 1),
        ("cpu", None, 2.5, 3.0, 2),
        ("cuda:0", 0, 0.0, 1.0, 3, {"host": "there"}),
    )
    ticks = [tick.get_text() for tick in plot_leases(search).get_yticklabels()]
    assert ticks == ["here cpu #0", "here cpu #1", "there cuda:0"]
    assert [row["fits"] for row in device_use(search)] == [3, 1]


def test_a_search_without_leases(search):
    for show in (device_use, plot_leases):
        with pytest.raises(ValueError, match=r"no leases to show.*devices='auto'"):
            show(search)


def test_many_slots_make_a_high_figure():
    rows = [("cuda:0", slot, 0.0, 1.0, 0) for slot in range(40)]
    display = LeasesDisplay.from_search(leased(*rows))
    assert display.figure_.get_size_inches()[1] > 10
    display.figure_.canvas.draw()


def test_of_a_journal(tmp_path):
    path = tmp_path / "search.jsonl"
    search = GridSearchCV(
        Score(), {"a": [0.1, 0.2]}, cv=2, devices="cpu", journal=path, refit=False
    )
    with pytest.warns(UserWarning, match="nothing to place"):
        search.fit(*blobs(30))
    assert device_use(path) == device_use(search)
    assert LeasesDisplay.from_search(path).leases == search.leases_
    plain = GridSearchCV(Score(), {"a": [0.1]}, cv=2, journal=tmp_path / "plain.jsonl")
    plain.fit(*blobs(30))
    with pytest.raises(ValueError, match=r"plain\.jsonl' has no leases to show"):
        plot_leases(plain.journal)
