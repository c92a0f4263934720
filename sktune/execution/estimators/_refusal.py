"""Why a searched name is refused, to be made an error where every candidate has it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sktune._errors import EstimatorError, ParamNameError
from sktune.execution.estimators._name_hints import hint


@dataclass(frozen=True)
class Refusal:
    """Why one of the estimators that may be there cannot be given a name.

    Attributes
    ----------
    why : str
        A sentence.
    remedy : str
        What to do, or what there is instead; comes after the hint.
    is_unknown : bool
        Whether the name may be a slip: then the nearest ones are named.
    cause : Exception or None
        What the estimator raised.
    """

    why: str
    remedy: str = ""
    is_unknown: bool = True
    cause: Exception | None = None

    def error(self, name: str, valid: Iterable[str]) -> ParamNameError | EstimatorError:
        """The error that says so of `name`."""
        remedy = f" {self.remedy}" if self.remedy else ""
        error: ParamNameError | EstimatorError
        if self.is_unknown:
            error = ParamNameError(
                f"Invalid parameter {name!r}: {self.why}{hint(name, valid)}{remedy}"
            )
        elif self.cause is not None:
            error = EstimatorError(f"Parameter {name!r}: {self.why}{remedy}")
        else:
            error = ParamNameError(f"Parameter {name!r}: {self.why}{remedy}")
        error.__cause__ = self.cause
        return error
