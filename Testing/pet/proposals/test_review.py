import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.frame import BodyFrame
from SegAnyPETLib.pet.proposals.hotspots import Proposal
from SegAnyPETLib.pet.proposals.proposal import candidate_of
from SegAnyPETLib.pet.proposals.review import Review, State
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

PET = Volume(np.full((2, 2, 8), 5, np.float32), np.eye(4), "SUVbw")


def review(*scores: float) -> Review:
    regions = [MaskPatch(np.ones((1, 1, 1), bool), (0, 0, n)) for n in range(len(scores))]
    candidates = [candidate_of(PET, region, BodyFrame(None, 0, 0)) for region in regions]
    return Review.of(Proposal(c, score, "lesion") for c, score in zip(candidates, scores, strict=True))


def test_nothing_is_decided_at_first():
    assert review(0.9, 0.2).numbers(State.OPEN) == (1, 2)


def test_a_decision_makes_another_review_and_leaves_the_old_one():
    first = review(0.9, 0.6, 0.2)
    second = first.decide([1, 3], State.ACCEPTED)
    assert second.numbers(State.ACCEPTED) == (1, 3)
    assert second.decide([3], State.REJECTED).states == (State.ACCEPTED, State.OPEN, State.REJECTED)
    assert first.numbers(State.OPEN) == (1, 2, 3)


def test_what_was_rejected_stays_rejected_when_all_of_a_kind_are_accepted():
    found = review(0.9, 0.95, 0.2).decide([2], State.REJECTED).decide_open(lambda p: p.disease > 0.5, State.ACCEPTED)
    assert found.states == (State.ACCEPTED, State.REJECTED, State.OPEN)


def test_open_proposals_come_by_their_doubt():
    assert review(0.9, 0.55, 0.2, 0.4).decide([4], State.ACCEPTED).by_doubt() == (2, 3, 1)


def test_a_number_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="no proposal 3; their numbers are 1 to 2"):
        review(0.9, 0.2).decide([1, 3], State.ACCEPTED)
