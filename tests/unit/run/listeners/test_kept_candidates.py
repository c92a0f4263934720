"""When what is kept of a candidate is let go."""

import pytest

from sktune._types import Candidate, Evaluation, Observation
from sktune.persistence import Checkpoints
from sktune.run.listeners._kept_candidates import KeptCandidates


def evaluated(listener, number, score, n_resources):
    candidate = Candidate(number, {}, 0)
    one = Evaluation(candidate, n_resources, 0, (0,))
    listener.on_evaluation(one, Observation(number, {}, {0: score}, n_resources))


@pytest.mark.parametrize("n_resources", [None, 3])
def test_who_has_fallen_behind_may_be_writing_until_it_is_stopped(
    tmp_path, n_resources
):
    """Where candidates go on, that is: a worker may be at work on the next rung."""
    kept = Checkpoints(tmp_path)
    listener = KeptCandidates(kept, n_candidates=1, n_splits=1)
    kept.save(0, 0, lambda file: file.write(b"fitted"))
    evaluated(listener, 0, 0.5, n_resources)
    evaluated(listener, 1, 0.9, n_resources)
    assert kept.has(0, 0) == (n_resources is not None)
    listener.on_stop(0)
    assert not kept.has(0, 0)
