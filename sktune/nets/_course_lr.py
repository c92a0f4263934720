"""A scheduler of torch's kind that sets rates and momenta by a closed form."""

from __future__ import annotations

from typing import Any

from torch.optim.lr_scheduler import LRScheduler

from sktune.nets._lr_policies import LRCourse


class CourseLR(LRScheduler):
    """Sets what an `LRCourse` says, in every group by its own rate and momentum.

    torch's ``LambdaLR`` with a momentum, and with groups that may come later.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    course : LRCourse
    n_before : int, default=0
        Steps that were taken before, in another training.
    """

    def __init__(self, optimizer: Any, course: LRCourse, n_before: int = 0) -> None:
        self.course = course
        self.n_before = n_before
        super().__init__(optimizer)

    def get_lr(self) -> list[Any]:
        """The rates of this step, by group."""
        share = self.course.rate(self.last_epoch + self.n_before)
        groups = self.optimizer.param_groups
        return [group.setdefault("initial_lr", group["lr"]) * share for group in groups]

    def step(self, epoch: int | None = None) -> None:
        """Go on by a step."""
        super().step(epoch)
        if not self.course.momentum_drop:
            return
        share = self.course.momentum(self.last_epoch + self.n_before)
        for group in self.optimizer.param_groups:
            if "betas" in group:  # of Adam and its like
                first, *others = group["betas"]
                first = group.setdefault("initial_momentum", first)
                group["betas"] = (first * share, *others)
            elif "momentum" in group:
                first = group.setdefault("initial_momentum", group["momentum"])
                group["momentum"] = first * share
