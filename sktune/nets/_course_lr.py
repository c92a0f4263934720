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
        self._last_momenta = [momentum_of(g) for g in self.optimizer.param_groups]
        if not self.course.momentum_drop:
            return
        share = self.course.momentum(self.last_epoch + self.n_before)
        for k, group in enumerate(self.optimizer.param_groups):
            first = group.setdefault("initial_momentum", momentum_of(group))
            if first is not None:
                self._last_momenta[k] = first * share
                _set_momentum(group, first * share)

    def adopt(self) -> None:
        """A rate or momentum that was set since is the net's own from now on."""
        groups = self.optimizer.param_groups
        last = zip(groups, self.get_last_lr(), self._last_momenta, strict=False)
        for group, lr, momentum in last:
            if group["lr"] != lr:
                group["initial_lr"] = group["lr"]
            if momentum_of(group) != momentum and "initial_momentum" in group:
                group["initial_momentum"] = momentum_of(group)


def momentum_of(group: dict[str, Any]) -> float | None:
    """That of SGD and its like, or the first of Adam's betas."""
    momentum = group["betas"][0] if "betas" in group else group.get("momentum")
    return None if momentum is None else float(momentum)


def _set_momentum(group: dict[str, Any], momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
