"""How a search runs: what continues, what stacks, which callbacks bar what."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sktune.advice._check import Check, not_applicable
from sktune.advice._time_estimate import TimeEstimate
from sktune.execution.estimators._nets import callbacks_by_name

CONTINUES, STACKS, CALLBACKS = "what continues", "what stacks", "callbacks"
DEVICE, MEMORY, FITS = "device", "memory", "trial fits"

_HOW = {
    "epochs": "a net goes on exactly where it paused",
    "warm_start": "the estimator goes on by warm_start",
    "partial_fit": "the estimator goes on by partial_fit",
    "n_samples": "every rung trains from scratch, on more rows",
    "from_scratch": "every rung trains from scratch",
}


def check_continuation(search: Any, told: Sequence[str]) -> Check:
    """What candidates do that are given more; `told` are warnings of the search."""
    how = getattr(search, "continuation_", None)
    if how is None:
        return not_applicable(CONTINUES, "every candidate gets everything at once")
    said = f"{_HOW[how]} (resource {search.resource_!r})"
    about = [text for text in told if "from scratch" in text]
    if about:
        return Check(CONTINUES, "warn", about[0])
    if how == "from_scratch":
        said += ": what does not go on costs more"
    return Check(CONTINUES, "ok", said)


def check_stacks(search: Any, net: Any, plan: Any) -> Check:
    """What is trained as one, and what might be.

    Parameters
    ----------
    search : BaseSearch
    net : skorch net or None
    plan : StackPlan or None
        Of some shapes.
    """
    if net is None or plan is None or not plan.shapes:
        return not_applicable(STACKS, "only nets are trained as one")
    reasons = [shape.reason for shape in plan.shapes if shape.reason is not None]
    quicker = [s.speedup for s in plan.shapes if s.speedup is not None]
    if reasons and len(reasons) == len(plan.shapes):
        status = "warn" if search.stacked is True else "ok"
        return Check(STACKS, status, f"nets are trained by themselves: {reasons[0]}")
    times = f"{min(quicker):.1f} to {max(quicker):.1f}" if quicker else "?"
    if len(quicker) and min(quicker) * 1.05 > max(quicker):
        times = f"{max(quicker):.1f}"
    sizes = [size for shape in plan.shapes for size in shape.sizes]
    up_to = max(sizes, default=1)
    if not search.stacked:
        return Check(
            STACKS,
            "ok",
            f"nothing is, and might be: stacked=True trains up to {up_to} nets as one, "
            f"{times} times as quick",
        )
    more = f"; some are not: {reasons[0]}" if reasons else ""
    return Check(
        STACKS, "ok", f"up to {up_to} nets as one, {times} times as quick{more}"
    )


def check_callbacks(search: Any, net: Any, plan: Any) -> Check:
    """Callbacks of a net that bar stacking, end a rung early, or schedule a rate."""
    if net is None:
        return not_applicable(CALLBACKS, "the estimator is no net")
    from skorch.callbacks import EarlyStopping

    found = callbacks_by_name(net)

    def is_a(one: Any, kind: Any) -> bool:
        return issubclass(one if isinstance(one, type) else type(one), kind)

    stops = [name for name, one in found.items() if is_a(one, EarlyStopping)]
    said = []
    if stops and getattr(search, "continuation_", None) == "epochs":
        said.append(
            f"{stops[0]!r} (EarlyStopping) may end a net before its rung does, which "
            "is then compared with nets that were trained on: the rungs stop what is "
            f"behind, so take it out (callbacks__{stops[0]}=None)"
        )
    elif stops and getattr(search, "early_stopping", None) is not None:
        said.append(
            f"{stops[0]!r} (EarlyStopping) and early_stopping of the search both stop "
            "fits: leave one of them out"
        )
    reasons = [] if plan is None else [s.reason or "" for s in plan.shapes]
    bars = [reason for reason in reasons if "callback" in reason]
    if bars and search.stacked:
        said.append(f"nothing is stacked: {bars[0]}")
    if said:
        return Check(CALLBACKS, "warn", "; ".join(said))
    if bars:
        return Check(CALLBACKS, "ok", f"one would bar stacking: {bars[0]}")
    own = [name for name in found if not name.startswith(_OF_SKORCH)]
    listed = f"{', '.join(own)}: " if own else ""
    return Check(CALLBACKS, "ok", f"{listed}none is in the way of anything")


_OF_SKORCH = ("epoch_timer", "train_loss", "valid_loss", "valid_acc", "print_log")


def check_device(search: Any, net: Any, n_slots: int | None) -> Check:
    """Where fits run, and whether a device that is there is idle."""
    if net is None:
        return not_applicable(DEVICE, "the estimator is no net")
    import torch

    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if search.devices is not None:
        slots = "" if n_slots is None else f", {n_slots} fits at once"
        return Check(DEVICE, "ok", f"devices={search.devices!r}{slots}")
    if n_gpus and not str(net.device).startswith("cuda"):
        return Check(
            DEVICE,
            "warn",
            f"device={str(net.device)!r}, and {n_gpus} GPUs are idle: pass "
            "devices='auto' to the search, or device='cuda' to the net",
        )
    if str(net.device).startswith("cuda") and not n_gpus:
        return Check(
            DEVICE, "fail", f"device={str(net.device)!r}, and torch finds no GPU here"
        )
    return Check(DEVICE, "ok", f"device={str(net.device)!r}")


def check_memory(time: TimeEstimate) -> Check:
    """What fits take beside each other, and what there is."""
    if time.memory is None:
        return not_applicable(MEMORY, "this system does not tell (pip install psutil)")
    said = f"a fit takes {megabytes(time.memory)} beyond its process"
    there = _available()
    if there is not None and time.memory * time.n_workers > there:
        return Check(
            MEMORY,
            "fail",
            f"{said}, {time.n_workers} of them more than the {megabytes(there)} that "
            "are free: lower n_jobs, or the batch size",
        )
    return Check(MEMORY, "ok", said)


def megabytes(n: int) -> str:
    return f"{n / 2**30:.1f} GB" if n >= 2**30 else f"{max(1, round(n / 2**20))} MB"


def _available() -> int | None:
    if sys.platform == "linux":
        with suppress(OSError, ValueError, IndexError):
            for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
                if line.startswith("MemAvailable"):
                    return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def check_fits(time: TimeEstimate) -> Check:
    """Whether those that were timed came to a score."""
    failed = [
        (params, outcome)
        for params, outcome in time.outcomes
        if outcome.traceback is not None or outcome.failed
    ]
    n = len(time.outcomes)
    if not failed:
        return Check(FITS, "ok", f"{n} short fits were run, and all of them scored")
    params, outcome = failed[0]
    text = (outcome.traceback or "a score that is no number").strip().splitlines()[-1]
    status = "fail" if len(failed) == n else "warn"
    shown = ", ".join(f"{k}={v}" for k, v in params.items())
    return Check(
        FITS, status, f"{len(failed)} of {n} short fits failed, such as {shown}: {text}"
    )
