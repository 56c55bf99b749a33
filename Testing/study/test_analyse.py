"""A study from its folder to its results."""

from pathlib import Path

import pytest

from SegAnyPETLib.study.analyse import Results, analyse
from SegAnyPETLib.study.masks import mask_path
from SegAnyPETLib.volume.io import read_labels, write_volume
from Testing.study.played import SAVING, played

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return analyse(played(tmp_path_factory.mktemp("study")))


def test_savings_that_were_put_into_logs_come_out(results: Results) -> None:
    assert results.collected.left == ()
    assert len(results.rows) == 2 * 2 * 8
    for one in results.savings.readers:
        assert one.interval[0] < SAVING[one.reader] < one.interval[1]


def test_a_threshold_that_cuts_no_gap_changes_nothing(results: Results) -> None:
    """The readers act every ten seconds."""
    shares = {one.ratio for found in results.sensitivity.values() for one in found}
    assert len({round(share, 6) for share in shares}) == 1


def test_quality_is_measured_and_compared(results: Results) -> None:
    dice, volume = results.comparisons
    assert dice.quantity == "dice"
    assert 0.98 < results.quality[0].values["dice"] < 1
    assert results.quality[0].values["suv_max"] == 8
    assert abs(dice.difference) < 0.01
    assert dice.shown
    assert (volume.quantity, volume.cases) == ("volume_ml", 8)


def test_readers_whose_masks_are_nearly_equally_large_agree(results: Results) -> None:
    first = results.between[0]
    assert (first.arm, first.quantity, first.agreement.readers) == ("manual", "volume_ml", 2)
    assert 0.99 < first.agreement.icc < 1


def test_what_was_not_read_is_told(tmp_path: Path) -> None:
    results = analyse(played(tmp_path, skip=frozenset({3})))
    (left,) = results.collected.left
    assert left.why == "was not read"
    assert len(results.rows) == 31


def test_a_mask_that_is_not_the_one_of_the_log_is_told(tmp_path: Path) -> None:
    study = played(tmp_path)
    path = mask_path(study, "R1", "manual", "c2")
    labels = read_labels(path)
    write_volume(labels.with_array(labels.array_kji * 0), path)
    mask_path(study, "R2", "manual", "c2").unlink()
    results = analyse(study)
    assert "R1, c2, manual: the mask is not the one that the log tells of" in results.notes
    assert "R2, c2, manual: there is no mask" in results.notes
    assert len(results.quality) == 30
