from dataclasses import replace

import pytest

from SegAnyPETLib.pet.proposals.kinds import KINDS, Appearance, kind_scores

#: What the simulated bladder looks like: below, in the middle, large and hot.
BLADDER = Appearance(-540, 0, -8, 2.0, 1.3, 0.38, False)
BRAIN = Appearance(160, 0, 27, 3.0, 1.0, 0.45, False)
NODE = Appearance(60, 45, 0, 0.3, 1.0, 0.45, False)


@pytest.mark.parametrize("tracer", KINDS)
def test_shares_add_up_and_physiology_weighs_as_much_as_disease(tracer: str):
    assert sum(kind_scores(NODE, tracer).values()) == pytest.approx(1)
    kinds = KINDS[tracer]
    assert kinds["lesion"].weight == 1
    assert sum(kind.weight for name, kind in kinds.items() if name != "lesion") == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("appearance", "kind"), [(BLADDER, "bladder"), (BRAIN, "brain"), (NODE, "lesion")])
def test_what_looks_like_an_organ_gets_its_name(appearance: Appearance, kind: str):
    scores = kind_scores(appearance, "fdg")
    assert max(scores, key=lambda name: scores[name]) == kind
    assert (scores["lesion"] > 0.5) == (kind == "lesion")


def test_a_partner_at_the_mirrored_place_speaks_for_physiology():
    alone, paired = (kind_scores(replace(NODE, paired=paired), "psma")["lesion"] for paired in (False, True))
    assert paired < alone


def test_a_height_that_is_not_known_is_left_out():
    unknown = kind_scores(replace(BLADDER, above_shoulders_mm=None), "fdg")
    assert sum(unknown.values()) == pytest.approx(1)
    assert unknown["bladder"] < kind_scores(BLADDER, "fdg")["bladder"]


def test_what_is_far_from_everything_has_a_score_too():
    assert 0 <= kind_scores(Appearance(1e5, 1e5, 1e5, 9, 9, 1, True), "fdg")["lesion"] <= 1
