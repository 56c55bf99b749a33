"""There is no room for text in a log."""

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.log.kinds import KINDS, check_event

SHA = "ab" * 32


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("point_placed", {"target": "L1", "point_ras": [1.0, -2.0, 3], "positive": True}),
        ("target_finished", {"target": "L1", "mask_sha256": SHA, "volume_ml": 3.5}),
        ("paused", {}),
    ],
)
def test_an_event_with_its_fields_passes(kind: str, data: dict) -> None:
    check_event(kind, data)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("spoken", {}),
        ("paused", {"why": 3}),
        ("undo", {}),
        ("undo", {"target": "Smith, John"}),
        ("undo", {"target": "/data/smith/pet.nii"}),
        ("target_finished", {"target": "L1", "mask_sha256": "none", "volume_ml": 3.5}),
        ("target_finished", {"target": "L1", "mask_sha256": SHA, "volume_ml": float("nan")}),
        ("model_asked", {"request": True}),
        ("point_placed", {"target": "L1", "point_ras": [1.0, 2.0], "positive": True}),
    ],
)
def test_what_has_no_place_in_a_log_is_refused(kind: str, data: dict) -> None:
    with pytest.raises(InputError):
        check_event(kind, data)


def test_no_field_takes_a_sentence() -> None:
    fields = {check for checks in KINDS.values() for check in checks.values()}
    assert not any(check("the patient of bed 3") for check in fields)
