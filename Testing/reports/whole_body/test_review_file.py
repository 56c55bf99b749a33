import csv
import json
from pathlib import Path

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.hotspots import propose
from SegAnyPETLib.pet.proposals.review import Review, State
from SegAnyPETLib.reports.whole_body.review_file import Origin, read_review, review_csv, review_fields, review_json
from SegAnyPETLib.volume.volume import Volume

ORIGIN = Origin("suv4", 4.0, "fdg")


@pytest.fixture
def pet() -> Volume:
    array = np.ones((14, 12, 20), np.float32)
    array[5:9, 4:8, 9:13] = 8.0
    array[1:3, 1:3, 2] = 5.0
    array[11, 10, 3:6] = 6.0
    return Volume(array, np.diag([-4.0, 5.0, 3.0, 1.0]), "SUVbw")


@pytest.fixture
def review(pet: Volume) -> Review:
    return Review.of(propose(pet, cut_of("suv4"), min_volume_ml=0.01)).decide([2], State.REJECTED)


@pytest.fixture
def path(pet: Volume, review: Review, tmp_path: Path) -> Path:
    path = tmp_path / "review.json"
    path.write_text(review_json(review_fields(review, ORIGIN, pet)))
    return path


def test_a_review_is_read_as_it_was_written(pet: Volume, review: Review, path: Path):
    found, origin = read_review(path, pet)
    assert origin == ORIGIN
    assert found.states == review.states == (State.OPEN, State.REJECTED, State.OPEN)
    for one, other in zip(found.proposals, review.proposals, strict=True):
        assert (one.disease, one.kind) == (other.disease, other.kind)
        mask = one.candidate.region.to_array(pet.shape_kji)
        assert np.array_equal(mask, other.candidate.region.to_array(pet.shape_kji))
        assert one.candidate.tlg == other.candidate.tlg


def test_a_review_fits_the_same_scan_with_its_slices_reversed(pet: Volume, review: Review, path: Path):
    matrix = pet.ijk_to_ras.copy()
    matrix[:3, 2] *= -1
    matrix[:3, 3] = pet.point_ras((13, 0, 0))
    turned = Volume(np.ascontiguousarray(pet.array_kji[::-1]), matrix, "SUVbw")
    found, _ = read_review(path, turned)
    mask = found.proposals[0].candidate.region.to_array(pet.shape_kji)
    assert np.array_equal(mask[::-1], review.proposals[0].candidate.region.to_array(pet.shape_kji))


def test_the_table_has_a_line_for_each_proposal(pet: Volume, review: Review):
    rows = list(csv.DictReader(review_csv(review_fields(review, ORIGIN, pet)).splitlines()))
    assert [row["number"] for row in rows] == ["1", "2", "3"]
    assert [row["state"] for row in rows] == ["open", "rejected", "open"]
    assert {float(row["suv_max"]) for row in rows} == {5, 6, 8}
    assert "mask" not in rows[0]


def test_a_review_of_another_scan_is_refused(pet: Volume, path: Path):
    for other in (
        Volume(pet.array_kji, np.diag([-4.0, 5.0, 3.3, 1.0]), "SUVbw"),
        Volume(pet.array_kji[::-1].copy(), pet.ijk_to_ras, "SUVbw"),
    ):
        with pytest.raises(InputError, match="review of another scan"):
            read_review(path, other)


def _without_number(content: dict) -> None:
    del content["proposals"][0]["number"]


def _twice(content: dict) -> None:
    content["proposals"].append(content["proposals"][0])


def _outside(content: dict) -> None:
    content["proposals"][0]["mask"]["offset_kji"] = [100, 0, 0]


def _bits(content: dict) -> None:
    content["proposals"][0]["mask"]["bits"] = "AAAA"


def _huge(content: dict) -> None:
    content["proposals"][0]["mask"]["shape_kji"] = [10**9, 10**9, 10**9]


def _state(content: dict) -> None:
    content["proposals"][0]["state"] = "maybe"


def _more(content: dict) -> None:
    content["name"] = "somebody"


@pytest.mark.parametrize("damage", [_without_number, _twice, _outside, _bits, _huge, _state, _more])
def test_a_damaged_review_is_refused_in_one_line(damage, pet: Volume, path: Path):
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"^review\.json is (no review|damaged)[^\n]*$"):
        read_review(path, pet)


def test_what_is_no_json_or_not_there_is_refused(pet: Volume, tmp_path: Path):
    (tmp_path / "a.json").write_text("hello")
    with pytest.raises(InputError, match=r"a\.json is no review"):
        read_review(tmp_path / "a.json", pet)
    with pytest.raises(InputError, match=r"b\.json is not there"):
        read_review(tmp_path / "b.json", pet)
