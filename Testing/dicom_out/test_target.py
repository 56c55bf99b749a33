"""Names and kinds of targets as DICOM can hold them."""

import numpy as np
import pytest

from SegAnyPETLib.dicom_out.target import Target, terminology_of
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.quantities import Quantities
from SegAnyPETLib.volume.segmentation import Segment
from Testing.dicom_out.scans import ALGORITHM

MASK = np.ones((1, 1, 1), bool)


def target(name: str) -> Target:
    return Target(Segment(name, MASK), Quantities(1, 1, 1, 1, 1), ALGORITHM)


@pytest.mark.parametrize(
    ("name", "label"), [("Node 3", "Node 3"), ("a\\b", "a/b"), ("x" * 70, "x" * 64), (" ", "Target")]
)
def test_a_label_is_one_that_dicom_can_hold(name: str, label: str) -> None:
    assert target(name).label == label


def test_each_target_is_tracked_by_an_identifier_of_its_own() -> None:
    first, second = target("a").tracking_uid, target("a").tracking_uid
    assert first != second
    assert first.startswith("2.25.")


def test_a_segment_is_a_mass_unless_it_says_what_else() -> None:
    assert terminology_of(Segment("a", MASK)).kind.meaning == "Mass"
    assert terminology_of(Segment("a", MASK, tags={})).kind.value == "4147007"


def test_slicers_terminology_becomes_codes() -> None:
    entry = "List~SCT^49755003^Morphologically Altered Structure~SCT^14799000^Neoplasm, Secondary~^^~Codes~^^~^^"
    terms = terminology_of(Segment("a", MASK, tags={"TerminologyEntry": entry}))
    assert (terms.category.value, terms.category.scheme_designator) == ("49755003", "SCT")
    assert (terms.kind.value, terms.kind.meaning) == ("14799000", "Neoplasm, Secondary")


@pytest.mark.parametrize("entry", ["", "List", "List~a^b~c^d^e", "List~SCT^^x~SCT^1^y"])
def test_damaged_terminology_is_refused(entry: str) -> None:
    with pytest.raises(InputError, match="terminology of the segment 'a' is damaged"):
        terminology_of(Segment("a", MASK, tags={"TerminologyEntry": entry}))


def test_weights_without_a_file_have_no_checksum() -> None:
    assert ALGORITHM.parameters["WeightsSHA256"] == "ab" * 32
    assert type(ALGORITHM)("m", "", "cpu", "1").parameters["WeightsSHA256"] == "none"
