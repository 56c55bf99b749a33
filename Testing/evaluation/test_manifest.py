"""The manifest of an evaluation: what is read, and what is refused with which words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.manifest import Case, read_manifest


def write(folder: Path, content: Any) -> Path:
    path = folder / "cases.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_relative_paths_start_at_the_manifest_and_an_image_may_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "dicom").mkdir()
    (tmp_path / "label.nii.gz").touch()
    elsewhere = tmp_path / "dicom" / "other.nii.gz"
    elsewhere.touch()
    path = write(
        tmp_path,
        {
            "cases": [
                {"id": "a", "image": "dicom", "label": "label.nii.gz"},
                {"id": "b", "image": str(elsewhere), "label": "label.nii.gz"},
            ]
        },
    )
    label = tmp_path / "label.nii.gz"
    assert read_manifest(path) == (Case("a", tmp_path / "dicom", label), Case("b", elsewhere, label))


GOOD = {"id": "a", "image": "x.nii", "label": "x.nii"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not valid JSON"),
        ("[" * 100000, "not valid JSON"),
        ([], "needs a list of cases"),
        ('{"cases": [{"id": "\\ud800", "image": "x.nii", "label": "x.nii"}]}', "not valid JSON"),
        ({"cases": []}, "needs a list of cases"),
        ({"cases": [GOOD, "x"]}, "case 2 of the manifest"),
        ({"cases": [{"id": 3, "image": "x.nii", "label": "x.nii"}]}, 'needs the texts "id"'),
        ({"cases": [{"id": "a", "image": "x.nii"}]}, 'needs the texts "id"'),
        ({"cases": [GOOD, GOOD]}, "the id a occurs twice"),
        ({"cases": [GOOD | {"image": "no.nii"}]}, "case a: there is no image no.nii"),
        ({"cases": [GOOD | {"label": "no.nii"}]}, "case a: there is no label file no.nii"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, content: Any, words: str) -> None:
    (tmp_path / "x.nii").touch()
    with pytest.raises(InputError, match=words) as caught:
        read_manifest(write(tmp_path, content))
    assert "\n" not in str(caught.value)


def test_a_byte_order_mark_of_an_editor_is_read_over(tmp_path: Path) -> None:
    (tmp_path / "x.nii").touch()
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"cases": [GOOD]}), encoding="utf-8-sig")
    assert read_manifest(path)[0].id == "a"


def test_a_missing_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json cannot be read"):
        read_manifest(tmp_path / "nowhere.json")
