"""One epoch of batches for all nets of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sktune.execution.stacking._batch_steps import BatchSteps, Check
from sktune.execution.stacking._comparison import compare_with_own
from sktune.execution.stacking._lockstep import Runner
from sktune.execution.stacking._model import StackedModel
from sktune.execution.stacking._shared_memory import SharedMemory
from sktune.execution.stacking._trace import Trace


class Stack:
    """Nets of one signature that run their epochs together, while they do.

    Nets lie beside those with as many rows, since such have all batches of one size.

    Parameters
    ----------
    nets : list of NeuralNet
    """

    def __init__(self, nets: Sequence[Any]) -> None:
        self.nets = list(nets)
        self._order: list[int] | None = None
        self._memory: SharedMemory
        self._traces: dict[bool, Trace] = {}
        self._longest = len(self.nets)

    def prepare(self, runners: Sequence[Runner]) -> None:
        """See that the nets can be run as one, before anything is done.

        Raises
        ------
        Untraceable
            Where their forward pass cannot be run as one.
        """
        if self._order is None:
            sizes = [len(runner.due.iterator.dataset) for runner in runners]
            self._order = sorted(range(len(sizes)), key=sizes.__getitem__)
            self._memory = SharedMemory([self.nets[k] for k in self._order])
        training = runners[0].due.training
        if training in self._traces:
            return
        for net in self.nets:
            net._set_training(training)
        nets, memory = self._memory.nets, self._memory
        memory.take(training=False)
        try:
            trace = Trace(nets[0].module_)
            mine = memory.part(range(len(nets)))
            modules = [net.module_ for net in nets]
            model = StackedModel(trace, modules, mine.parameters, mine.buffers)
            compare_with_own(model, [runners[k] for k in self._order])
        finally:
            memory.give_back(training=False)
        self._traces[training] = trace

    def run(self, runners: Sequence[Runner], check: Check | None = None) -> None:
        """Run the epoch that all of them are due.

        A net whose own code fails leaves the epoch with `Epoch.error`.

        Parameters
        ----------
        runners : list of Runner
            In the order of the nets.
        check : callable, default=None
            Called before each batch; gives the positions of runners that have to leave
            now, each with its error.
        """
        self.prepare(runners)
        assert self._order is not None
        training = runners[0].due.training
        for net in self.nets:
            net._set_training(training)
        in_order = [runners[k] for k in self._order]
        steps = BatchSteps(
            self._memory, in_order, self._traces[training], self._longest
        )
        steps.run(self._positions(check))
        self._longest = steps.longest

    def _positions(self, check: Check | None) -> Check:
        assert self._order is not None
        number = {position: k for k, position in enumerate(self._order)}
        if check is None:
            return lambda: ()
        return lambda: [(number[position], error) for position, error in check()]
