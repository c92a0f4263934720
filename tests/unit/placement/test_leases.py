"""Leases: nobody shares what is not to be shared, nobody waits who need not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from sktune._errors import DeviceError
from sktune.placement import Placement, WaitEndedError, has_lease, lease
from sktune.placement import _locks as locks
from sktune.placement._leases import _n_fits
from sktune.placement._memory import Reading
from sktune.placement._queue import Ticket

LONG = 30.0  # seconds that nothing here takes


def of(folder: Path, n_fits: int = 1, names=("cpu:0",)) -> Placement:
    return Placement(tuple((name, n_fits) for name in names), folder=str(folder))


def run(placement: Placement, log: list, seconds: float = 0.02, **kwargs) -> None:
    with lease(placement, **kwargs) as held:
        time.sleep(seconds)
    log.append(held.record())


def in_threads(*tasks) -> None:
    threads = [threading.Thread(target=task[0], args=task[1:]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


def until(condition) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def most_at_once(log: list) -> int:
    """Most leases that were open at the same time."""
    events = [(row["start"], 1) for row in log] + [(row["end"], -1) for row in log]
    n, most = 0, 0
    for _, change in sorted(events):
        n += change
        most = max(most, n)
    return most


def by_slot(log: list) -> dict:
    slots: dict = {}
    for row in log:
        slots.setdefault((row["device"], row["slot"]), []).append(row)
    return slots


# The room alone, without the rest of the package, which takes a second to import.
CODE = """
import json, sys, time, types
sys.modules["sktune"] = types.ModuleType("sktune")
sys.modules["sktune"].__path__ = ["sktune"]
from sktune.placement import Placement, lease
names, n_fits, n, seconds, folder = json.loads(sys.argv[1])
placement = Placement(tuple((name, n_fits) for name in names), folder=folder)
for _ in range(n):
    with lease(placement) as held:
        print("held", flush=True)
        time.sleep(seconds)
    print(json.dumps(held.record()), flush=True)
"""


def process(folder: Path, n=1, seconds=0.01, names=("cpu:0",), n_fits=1):
    """A process of its own, which leases n times."""
    return start(CODE, json.dumps([names, n_fits, n, seconds, str(folder)]))


def start(code: str, args: str, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-c", code, args],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
        **kwargs,
    )


def test_threads_and_processes_share(tmp_path):
    names = ("cpu:0", "cpu:1")
    log: list = []
    others = [process(tmp_path, 10, names=names) for _ in range(2)]

    def leases():
        for _ in range(10):
            run(of(tmp_path, names=names), log, 0.01)

    in_threads(*[(leases,)] * 3)
    for other in others:
        lines = other.communicate(timeout=LONG)[0].splitlines()
        log += [json.loads(line) for line in lines if line != "held"]
    assert len(log) == 50
    slots = by_slot(log)
    assert set(slots) == {("cpu:0", 0), ("cpu:1", 0)}
    for rows in slots.values():
        assert most_at_once(rows) == 1
    assert most_at_once(log) == 2
    assert len({row["pid"] for row in log}) == 3
    assert not list(tmp_path.glob("ticket-*"))


def test_fits_are_spread_over_devices(tmp_path):
    placement = of(tmp_path, 2, ("cpu:0", "cpu:1"))
    with ExitStack() as stack:
        held = [stack.enter_context(lease(placement)) for _ in range(4)]
        assert [(one.device, one.slot) for one in held] == [
            ("cpu:0", 0),
            ("cpu:1", 0),
            ("cpu:0", 1),
            ("cpu:1", 1),
        ]
        with pytest.raises(WaitEndedError):
            stack.enter_context(lease(placement, stopped=_set_soon()))


def _set_soon() -> threading.Event:
    event = threading.Event()
    threading.Timer(0.05, event.set).start()
    return event


def test_first_come_first_served(tmp_path):
    order: list = []

    def waits(number: int) -> None:
        with lease(of(tmp_path)):
            order.append(number)

    threads = [threading.Thread(target=waits, args=(i,)) for i in range(6)]
    with lease(of(tmp_path)):
        for i, thread in enumerate(threads):
            thread.start()
            until(lambda i=i: len(list(tmp_path.glob("*.wants"))) == i + 1)
    for thread in threads:
        thread.join(LONG)
    assert order == [0, 1, 2, 3, 4, 5]


def test_nobody_waits_for_a_device_that_others_do_not_want(tmp_path):
    with lease(of(tmp_path, names=("cpu:0",))):
        log: list = []
        waiting = threading.Thread(
            target=run, args=(of(tmp_path, names=("cpu:0",)), log)
        )
        waiting.start()
        until(lambda: list(tmp_path.glob("*.wants")))
        for names in [("cpu:1",), ("cpu:0", "cpu:1")]:
            with lease(of(tmp_path, names=names)) as held:
                assert held.device == "cpu:1"
        assert not log
    waiting.join(LONG)
    assert log


@pytest.mark.parametrize("n_before", [0, 2])
def test_a_killed_holder_frees_its_slot(tmp_path, n_before):
    holder = process(tmp_path, 1, 10 * LONG)
    assert holder.stdout.readline() == "held\n"
    waiting = [process(tmp_path, 1, 10 * LONG) for _ in range(n_before)]
    until(lambda: len(list(tmp_path.glob("*.wants"))) == n_before)
    log: list = []
    last = threading.Thread(target=run, args=(of(tmp_path), log, 0))
    last.start()
    until(lambda: len(list(tmp_path.glob("*.wants"))) == n_before + 1)
    for dying in [*waiting, holder]:  # those who wait, too, leave nothing behind
        dying.kill()
        dying.communicate()
    start = time.monotonic()
    last.join(LONG)
    assert log and time.monotonic() - start < 5
    assert not list(tmp_path.glob("ticket-*"))


def test_a_child_does_not_hold_what_its_parent_held(tmp_path):
    code = CODE.replace("        time.sleep(seconds)", "        fork()")
    code = (
        "import os, signal\n"
        "def fork():\n"
        "    if os.fork() == 0:\n"
        "        time.sleep(300)\n"
        "    print(os.getpid(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n" + code
    )
    args = json.dumps([["cpu:0"], 1, 1, 0, str(tmp_path)])
    parent = start(code, args, start_new_session=True)
    try:
        parent.wait(LONG)
        log: list = []
        in_threads((run, of(tmp_path), log))
        assert log
    finally:
        os.killpg(parent.pid, 9)  # the child
        parent.stdout.close()


@pytest.mark.slow
def test_waiting_costs_nothing(tmp_path):
    """Whoever is at the head of the queue looks now and then, the others sleep."""
    code = CODE.replace("for _ in", "before = time.process_time()\nfor _ in")
    code += "print(time.process_time() - before)\n"
    args = json.dumps([["cpu:0"], 1, 1, 0, str(tmp_path)])
    with lease(of(tmp_path)):
        waiting = [start(code, args) for _ in range(2)]
        until(lambda: len(list(tmp_path.glob("*.wants"))) == 2)
        time.sleep(2)
    spent = sorted(float(w.communicate(timeout=LONG)[0].split()[-1]) for w in waiting)
    assert spent[0] < 0.01  # asleep: no more than it takes to come and go
    assert spent[1] < 0.01 + 2 * 0.01  # one percent of a processor


def test_alone(tmp_path):
    """All slots of the device, whatever number of them others have been given."""
    log: list = []
    begun = threading.Event()

    def alone():
        begun.set()
        run(of(tmp_path, 3), log, exclusive_on="cpu:0")

    def late():
        begun.wait()
        until(lambda: list(tmp_path.glob("*.wants")))
        run(of(tmp_path, 5), log)

    with lease(of(tmp_path, 3)), lease(of(tmp_path, 3)) as held:
        assert held.slot == 1
        threads = [threading.Thread(target=task) for task in (alone, late)]
        for thread in threads:
            thread.start()
        until(lambda: len(list(tmp_path.glob("*.wants"))) == 2)
        assert not log
    for thread in threads:
        thread.join(LONG)
    assert len(log) == 2 and most_at_once(log) == 1
    assert log[0]["slot"] == 0


def test_one_fit_per_device_is_alone_beside_a_search_that_allows_more(tmp_path):
    with lease(of(tmp_path, 1)), pytest.raises(WaitEndedError):
        run(of(tmp_path, 4), [], stopped=_set_soon())
    first, second = lease(of(tmp_path, 4)), lease(of(tmp_path, 4))
    with first:
        second.__enter__()
    with second_slot(second), pytest.raises(WaitEndedError):
        run(of(tmp_path, 1), [], stopped=_set_soon())


@contextmanager
def second_slot(held):
    try:
        yield
    finally:
        held.__exit__(None, None, None)


def test_whoever_waits_behind_others_can_be_stopped(tmp_path):
    with lease(of(tmp_path)):
        head = threading.Thread(target=run, args=(of(tmp_path), []))
        head.start()
        until(lambda: list(tmp_path.glob("*.wants")))
        with pytest.raises(WaitEndedError):
            run(of(tmp_path), [], stopped=_set_soon())
        assert len(list(tmp_path.glob("*.wants"))) == 1
    head.join(LONG)


def test_without_a_limit(tmp_path, monkeypatch):
    placement = Placement(None, folder=str(tmp_path / "not made"))
    monkeypatch.setattr("sktune.placement._devices._gpus", lambda visible: ())
    with lease(placement) as one, lease(placement) as other:
        assert one.device == other.device == "cpu"
        assert one.slot is other.slot is None
    assert not (tmp_path / "not made").exists()


def test_a_thread_knows_of_its_lease(tmp_path):
    assert not has_lease()
    known = []
    with lease(of(tmp_path)):
        assert has_lease()
        in_threads((lambda: known.append(has_lease()),))
    assert known == [False] and not has_lease()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(DeviceError, match=r"cannot be made: .*SKTUNE_DEVICE_LOCKS"),
        lease(of(tmp_path / "file" / "folder")),
    ):
        pass


def test_other_users_may_use_the_locks(tmp_path):
    folder = tmp_path / "locks"
    with lease(of(folder)):
        pass
    assert folder.stat().st_mode & 0o1777 == 0o1777
    assert (folder / "cpu-0.slot0").stat().st_mode & 0o666 == 0o666


def test_a_ticket_of_the_dead_is_removed(tmp_path):
    (tmp_path / "ticket-3").touch()
    (tmp_path / "ticket-3.wants").write_text('["cpu-0"]')
    with lease(of(tmp_path)):
        pass
    ticket = Ticket(tmp_path, frozenset({"cpu-0"}))
    assert ticket.number == 1
    ticket.close()
    # Also by those whom it does not keep from every device.
    (tmp_path / "ticket-3").touch()
    (tmp_path / "ticket-3.wants").write_text('["cpu-0"]')
    with lease(of(tmp_path, names=("cpu:0", "cpu:1"))) as held:
        assert held.device == "cpu:0"


def test_where_the_system_has_no_flock(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    log: list = []
    in_threads(*[(run, of(tmp_path), log)] * 4)
    assert len(log) == 4 and most_at_once(log) == 1


# -- as many as there is memory for ----------------------------------------------------


class Simulated:
    """A device of 1 GB, of which each fit takes 0.3."""

    def __init__(self, peak: int = 3 * 10**8) -> None:
        self.peak = peak

    def begin(self) -> None:
        pass

    def read(self) -> Reading:
        return Reading(total=10**9, peak=self.peak, beside=0)


def simulated(name: str) -> Simulated:
    return Simulated()


def test_as_many_as_fit(tmp_path):
    placement = replace(of(tmp_path, "auto"), memory=simulated)
    log: list = []

    def fit(ran_out: bool = False) -> None:
        with lease(placement) as held:
            time.sleep(0.05)
            # Threads share what is measured: as processes of their own would.
            held._note(lambda measured: measured.with_reading(Simulated().read()))
            if ran_out:
                held.ran_out()
        log.append(held.record())

    in_threads(*[(fit,)] * 8)
    first, *others = sorted(log, key=lambda row: row["start"])
    assert all(row["start"] >= first["end"] for row in others)
    assert most_at_once(others) == 3
    log.clear()
    fit(True)
    in_threads(*[(fit,)] * 6)
    assert most_at_once(log) == 2


def test_only_what_one_fit_took_is_measured(tmp_path):
    placement = replace(of(tmp_path, "auto"), memory=simulated)
    with lease(placement) as held:
        held.measure()
    with lease(placement) as one, lease(placement) as other:
        assert {one.slot, other.slot} == {0, 1}
        other._memory = Simulated(peak=9 * 10**8)
        other.measure()
    assert _n_fits(placement, placement.here()[0]) == 3
    again = replace(placement, search="another")
    with lease(again) as held:
        assert held._allowed == 1
