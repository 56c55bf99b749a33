"""SUVpeak and TLG in Slicer's module Segment Statistics."""

import sys

import pytest

from Testing.module.held_backend import HeldBackend

PEAK = "SegAnyPETSegmentStatisticsPlugin.suv_peak"
TLG = "SegAnyPETSegmentStatisticsPlugin.tlg"


@pytest.fixture
def lesion(unopened):
    """A lesion in a PET in SUV."""
    unopened.add_pet()
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    unopened.click((12, 12, 10))
    return unopened


def statistics(user):
    import SegmentStatistics

    logic = SegmentStatistics.SegmentStatisticsLogic()
    logic.getParameterNode().SetParameter("Segmentation", user.segmentation.GetID())
    logic.getParameterNode().SetParameter("ScalarVolume", user.panel.selection.volume.GetID())
    logic.computeStatistics()
    return logic.getStatistics()


def test_the_measurements_are_those_of_the_panel(lesion) -> None:
    found, segment_id = statistics(lesion), lesion.panel.selection.segmentId
    *_, peak, tlg = lesion.rows()[0]
    assert f"{found[segment_id, PEAK]:.2f}" == peak
    assert f"{found[segment_id, TLG]:.2f}" == tlg


def test_the_measurements_are_coded_as_dicom_says(lesion) -> None:
    info = statistics(lesion)["MeasurementInfo"]
    assert "126031" in info[PEAK]["DICOM.DerivationCode"]
    assert "{SUVbw}g/ml" in info[PEAK]["DICOM.UnitsCode"]
    assert "126033" in info[TLG]["DICOM.QuantityCode"]
    assert (info[TLG]["name"], info[TLG]["units"]) == ("TLG", "g")


def test_over_values_that_are_not_suv_nothing_is_measured(lesion) -> None:
    lesion.panel.selection.volume.SetVoxelValueUnits(None)
    found = statistics(lesion)
    assert [key for key in found if isinstance(key, tuple)] == []


def test_an_empty_segment_has_no_measurements(lesion) -> None:
    lesion.press("resetButton")
    lesion.rest()
    assert [key for key in statistics(lesion) if isinstance(key, tuple)] == []


def test_only_what_is_requested_is_measured(lesion) -> None:
    import SegmentStatistics

    logic = SegmentStatistics.SegmentStatisticsLogic()
    node = logic.getParameterNode()
    node.SetParameter("Segmentation", lesion.segmentation.GetID())
    node.SetParameter("ScalarVolume", lesion.panel.selection.volume.GetID())
    node.SetParameter(f"{TLG}.enabled", "False")
    logic.computeStatistics()
    keys = {key[1] for key in logic.getStatistics() if isinstance(key, tuple)}
    assert keys == {PEAK}


def test_without_segment_statistics_the_module_loads(slicer_harness, monkeypatch) -> None:
    from Testing.module.conftest import MODULE

    monkeypatch.setitem(sys.modules, "SegmentStatisticsPlugins", None)
    monkeypatch.delitem(sys.modules, "SegAnyPETPanel.statistics_plugin", raising=False)
    assert slicer_harness.load("SegAnyPET", MODULE).widget.panel is not None
