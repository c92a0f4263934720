"""The batches of one epoch, step by step, of nets that lie side by side in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from skorch import NeuralNetBinaryClassifier
from skorch.dataset import unpack_data
from torch import Tensor

from sktune.execution.stacking._batch_events import BatchEvents
from sktune.execution.stacking._chain import Chain, NoChainError
from sktune.execution.stacking._lockstep import Epoch, Runner
from sktune.execution.stacking._losses import StackedLoss, part
from sktune.execution.stacking._model import StackedModel
from sktune.execution.stacking._numbers import Numbers
from sktune.execution.stacking._row_blocks import NetRows, RowBlocks, runs
from sktune.execution.stacking._shared_memory import SharedMemory
from sktune.execution.stacking._trace import Trace

Check = Callable[[], Iterable[tuple[int, BaseException]]]
_ROWS = 8192  # of all nets in a step; more has not been seen to be quicker


class BatchSteps:
    """One epoch of a stack; nets are numbered as they lie in memory.

    Parameters
    ----------
    memory : SharedMemory
    runners : sequence of Runner
    trace : Trace
        The forward pass in the mode of this epoch.
    longest : int
        The largest number of nets in a step.

    Attributes
    ----------
    longest : int
        As given, or what there turned out to be memory for.
    """

    def __init__(
        self,
        memory: SharedMemory,
        runners: Sequence[Runner],
        trace: Trace,
        longest: int,
    ) -> None:
        self._memory, self._trace = memory, trace
        self._epochs: list[Epoch] = [runner.due for runner in runners]
        self._training = self._epochs[0].training
        self._runners, self._numbers = runners, Numbers(runners)
        self._models: dict[range, StackedModel] = {}
        self._loss = StackedLoss(memory.nets)
        self._events = [
            BatchEvents(epoch, self._loss.reads_nets) for epoch in self._epochs
        ]
        self._unread: list[tuple[range, int, Tensor]] = []
        self._present = dict.fromkeys(range(len(self._epochs)))
        self.longest = longest
        device = memory.nets[0].device
        self._device_type = "cpu" if device is None else torch.device(device).type
        self._chains: dict[range, Chain | None] = {}

    def run(self, check: Check) -> None:
        """Run the epoch."""
        rows: dict[int, NetRows] = {}
        for k in list(self._present):
            with self._code_of(k):
                rows[k] = NetRows(self._epochs[k].iterator, k, self._numbers)
        self._blocks = RowBlocks(rows, self._memory.nets[0].device)
        n_batches = {k: one.n_batches for k, one in rows.items()}
        self._memory.take(self._training)
        try:
            for batch in range(max(n_batches.values(), default=0)):
                for k, error in check():
                    self._leave(k, error)
                due = [k for k in self._present if batch < n_batches[k]]
                for k, problem in self._blocks.load(batch, due).items():
                    self._leave(k, problem)
                self._batch([k for k in due if k in self._present], batch)
        finally:
            self._memory.give_back(self._training)
            self._read_losses()
            for k, events in enumerate(self._events):
                events.close(n_batches[k] if k in self._present else None)
                self._numbers.keep(k)

    def _leave(self, k: int, error: BaseException) -> None:
        if k in self._present:
            self._epochs[k].error = error
            del self._present[k]

    @contextmanager
    def _code_of(self, k: int) -> Iterator[None]:
        """In here is code of one net: it draws its own numbers and fails by itself."""
        try:
            if self._events[k].draws:
                with self._numbers.alone(k):
                    yield
            else:
                yield
        except BaseException as error:
            self._leave(k, error)

    def _batch(self, due: Sequence[int], batch: int) -> None:
        """One batch of each net, those together that have batches of one size."""
        for k in due:
            if self._events[k].hears:
                with self._code_of(k):
                    self._events[k].begin(self._blocks.of(k, batch))
        keys = [(k, self._blocks.key(k, batch)) for k in due if k in self._present]
        longest = self.longest
        if keys and self._device_type == "cpu":
            size = self._blocks.size(keys[0][0], batch)
            longest = min(longest, max(1, _ROWS // size))
        for members in runs(keys, longest):
            self._try(members, batch)

    def _try(self, members: range, batch: int) -> None:
        """A step; where it fails, by halves, so that only those fail that have to."""
        self._numbers.mark()
        buffers = self._memory.part(members).copies_of_buffers()
        try:
            loss, y_pred = self._computed(members, batch)
        except Exception as error:
            self._numbers.undo()
            self._memory.part(members).restore_buffers(buffers)
            if len(members) == 1:
                self._leave(members[0], error)
                return
            half = len(members) // 2
            if isinstance(error, torch.OutOfMemoryError):
                self.longest = half
            middle = members.start + half
            self._try(range(members.start, middle), batch)
            self._try(range(middle, members.stop), batch)
            return
        self._finish(members, batch, loss.detach(), y_pred)

    def _computed(self, members: range, batch: int) -> tuple[Tensor, Any]:
        """Losses and outputs; where nets are trained, gradients are there then."""
        X, y = unpack_data(self._blocks.together(members, batch))
        chain = self._chain(members) if isinstance(X, Tensor) else None
        if chain is not None:
            try:
                return self._by_hand(chain, members, batch, X, y)
            except NoChainError:
                self._numbers.undo()
                self._chains[members] = None
        with torch.set_grad_enabled(self._training):
            y_pred = self._inferred(self._model(members).run(self._numbers, X))
            if batch == 0 and self._training:
                self._watch(members, y_pred, y)
            loss = self._loss.of(members, y_pred, y, X, self._training, self._numbers)
        if self._training:
            by_own = self._loss.reads_nets or self._model(members).runs_own
            self._memory.part(members).take_gradients(loss.sum(), by_own)
        return loss, y_pred

    def _chain(self, members: range) -> Chain | None:
        if members not in self._chains:
            chain, mine = None, self._memory.part(members)
            if self._training and not self._loss.reads_nets:
                positions = {id(leaf): k for k, leaf in enumerate(mine.leaves)}
                chain = self._model(members).as_chain(positions)
            is_cast = torch.is_autocast_enabled(self._device_type)
            self._chains[members] = None if is_cast else chain
        return self._chains[members]

    def _by_hand(
        self, chain: Chain, members: range, batch: int, X: Tensor, y: Any
    ) -> tuple[Tensor, Tensor]:
        self._model(members).draw_from(self._numbers)
        with torch.no_grad():
            output, backwards = chain.forward(X)
            y_pred = self._inferred(output)
            if batch == 0:
                self._watch(members, y_pred, y)
            found = self._loss.with_gradients(members, y_pred, y, X, self._numbers)
            loss, gradients = found
            out = self._memory.part(members).room_for_gradients(chain.trained)
            chain.backward(gradients.reshape(output.shape), backwards, out)
        return loss, y_pred

    def _inferred(self, outputs: Any) -> Any:
        """Outputs of the modules, as `infer` of skorch's nets makes them.

        For all but one kind of net they are so already.
        """
        if type(self._memory.nets[0]).infer is not NeuralNetBinaryClassifier.infer:
            return outputs
        first, *rest = outputs if isinstance(outputs, tuple) else (outputs,)
        shape = tuple(first.shape[1:])  # of one net
        if len(shape) > 2 or (len(shape) == 2 and shape[1] != 1):
            raise ValueError(
                f"Expected module output to have shape (n,) or (n, 1), got {shape} "
                "instead"
            )
        first = first.reshape(len(first), -1)
        return (first, *rest) if isinstance(outputs, tuple) else first

    def _watch(self, members: range, y_pred: Any, y: Any) -> None:
        for i, k in enumerate(members):
            runner, net = self._runners[k], self._epochs[k].net
            if runner.watch is not None:
                given = net.criterion_, part(y_pred, i), part(y, i)
                runner.within(runner.watch, *given)

    def _model(self, members: range) -> StackedModel:
        if members not in self._models:
            mine = self._memory.part(members)
            nets = self._memory.nets[members.start : members.stop]
            modules = [net.module_ for net in nets]
            self._models[members] = StackedModel(
                self._trace, modules, mine.parameters, mine.buffers, members.start
            )
        return self._models[members]

    def _finish(self, members: range, batch: int, loss: Tensor, y_pred: Any) -> None:
        """The steps of the optimisers, and what is told of the batch."""
        if self._training:
            mine = self._memory.part(members)
            for k in members:
                if self._events[k].on_grad_computed:
                    mine.show_gradients(k)
                    with self._code_of(k):
                        self._events[k].gradients(self._blocks.of(k, batch))
            with torch.no_grad():
                mine.step()
        size = self._blocks.size(members[0], batch)
        self._unread.append((members, size, loss))
        if not any(self._events[k].hears for k in members):
            return
        self._unread.pop()
        self._read_losses()
        for i, (k, value) in enumerate(zip(members, loss.tolist(), strict=True)):
            events = self._events[k]
            if not events.hears:
                events.record(value, size)
            elif k in self._present:
                with self._code_of(k):
                    given = self._blocks.of(k, batch)
                    events.end(given, value, size, loss[i], part(y_pred, i))
        self._memory.forget_options()

    def _read_losses(self) -> None:
        for members, size, loss in self._unread:
            for k, value in zip(members, loss.tolist(), strict=True):
                self._events[k].record(value, size)
        self._unread = []
