"""The module of this repository loads and opens its panel."""

from pathlib import Path

MODULE = Path(__file__).resolve().parents[2] / "SegAnyPET"


def test_the_module_is_listed_and_opens(slicer_harness) -> None:
    loaded = slicer_harness.load("SegAnyPET", MODULE)
    assert loaded.description.title == "SegAnyPET"
    assert loaded.description.categories == ["Segmentation"]
    assert loaded.widget.parent.visible
