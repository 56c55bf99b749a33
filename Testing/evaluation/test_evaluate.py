"""Evaluation from manifest to report, with a session that segments by thresholds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import BackendError, Cancelled, InputError
from SegAnyPETLib.evaluation.evaluate import evaluate as evaluate_cases
from SegAnyPETLib.evaluation.evaluate import relative_errors
from SegAnyPETLib.evaluation.manifest import Case, read_manifest
from SegAnyPETLib.evaluation.report import report, to_json
from SegAnyPETLib.evaluation.results import Evaluation, RelativeErrors
from SegAnyPETLib.evaluation.sessions import sessions_over
from SegAnyPETLib.evaluation.settings import EvaluationSettings
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.pet.thresholds import METHODS, relative_threshold
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.io import read_labels, write_volume
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from Testing.dicom_fixtures import write_series

GRID = np.diag([4.0, 4.0, 4.0, 1.0])
CURVES = ("dice", "nsd_2mm", "nsd_4mm", "hd95_mm", "fpv_ml", "fnv_ml", "seconds")


def evaluation(
    cases: Sequence[Case], make_session: Any, model: str = "m", progress: Any = lambda part, case: None, **settings: Any
) -> Evaluation:
    return evaluate_cases(cases, make_session, EvaluationSettings(**settings), model=model, progress=progress)


def evaluate(cases: Sequence[Case], make_session: Any, model: str = "m", **settings: Any) -> dict[str, Any]:
    """An evaluation as a report holds it."""
    return to_json(evaluation(cases, make_session, model, **settings))


class ThresholdSession:
    """Positive clicks add the region above half of the local maximum; negative ones take away their voxel's layer."""

    def __init__(self, volume: Volume) -> None:
        self._volume = volume
        self.mask_kji: NDArray[np.bool_] = np.zeros(volume.shape_kji, bool)
        self.clicks = 0

    def add_point(self, point: Point) -> None:
        self.clicks += 1
        if point.positive:
            self.mask_kji = self.mask_kji | relative_threshold(self._volume, point, 0.5)
        else:
            self.mask_kji = self.mask_kji.copy()
            self.mask_kji[self._volume.nearest_kji(point.ras)[0]] = False


def write_case(folder: Path, name: str, image: NDArray, labels: NDArray) -> Case:
    case = Case(name, folder / f"{name}_pet.nii.gz", folder / f"{name}_label.nii.gz")
    write_volume(Volume(image.astype(np.float32), GRID), case.image)
    write_volume(Volume(labels.astype(np.int16), GRID), case.label)
    return case


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Label 2: a lesion that one click finds. Label 7: two separate parts of 8 and 27 voxels and one spilled layer."""
    image, labels = np.ones((12, 14, 30)), np.zeros((12, 14, 30))
    labels[2:4, 2:4, 2:4] = 2
    labels[5:8, 8:11, 12:15] = 7
    labels[5:7, 8:10, 24:26] = 7
    image[labels > 0] = 10.0
    image[8, 8:11, 12:15] = 10.0  # hot, but not in the reference
    return write_case(tmp_path, "one", image, labels)


def without_seconds(result: dict[str, Any]) -> dict[str, Any]:
    rows = [result["targets"], *(b["targets"] for b in result.get("baselines", {}).values())]
    for row in (row for table in rows for row in table):
        assert all(s >= 0 for s in row.pop("seconds"))
    return result


def test_every_positive_label_is_a_target_with_a_fresh_session(case: Case) -> None:
    sessions: list[ThresholdSession] = []

    def make_session(volume: Volume) -> ThresholdSession:
        sessions.append(ThresholdSession(volume))
        return sessions[-1]

    result = evaluate([case], make_session, model="half", clicks=4)
    assert (result["model"], result["clicks"]) == ("half", 4)
    first, second = result["targets"]
    assert [(t["case"], t["label"]) for t in result["targets"]] == [("one", 2), ("one", 7)]
    assert first["volume_ml"] == pytest.approx(8 * 0.064)
    assert all(len(t[name]) == 4 for t in result["targets"] for name in CURVES)
    # One click is enough for the first target; the last values fill the lists.
    assert first["dice"] == [1.0] * 4
    assert first["clicks_used"] == len(first["prompts"]) == sessions[0].clicks == 1
    # The second needs its larger part, then the negative click (9 voxels), then its smaller part (8 voxels).
    assert [p["positive"] for p in second["prompts"]] == [True, False, True]
    assert second["clicks_used"] == sessions[1].clicks == 3
    assert second["dice"] == pytest.approx([2 * 27 / (36 + 35), 2 * 27 / (27 + 35), 1.0, 1.0])
    assert second["fnv_ml"] == pytest.approx([8 * 0.064, 8 * 0.064, 0.0, 0.0])
    assert second["fpv_ml"] == [0.0] * 4
    assert second["relative_error"]["mtv"] == 0.0
    assert result["summary"]["all"]["dice"]["mean"][3] == 1.0
    assert result["summary"]["small"]["count"] == 2


def test_the_first_prompt_is_the_deepest_voxel_in_patient_space(case: Case) -> None:
    result = evaluate([case], ThresholdSession, model="half", clicks=1)
    assert result["targets"][1]["prompts"] == [{"ras": [13 * 4.0, 9 * 4.0, 6 * 4.0], "positive": True}]


@pytest.mark.slow
@pytest.mark.parametrize("robot", ["ideal", "noisy"])
def test_equal_seeds_give_equal_results_but_for_the_seconds(case: Case, robot: Any) -> None:
    runs = [
        without_seconds(evaluate([case], ThresholdSession, model="m", clicks=3, robot=robot, seed=5, baselines=True))
        for _ in range(2)
    ]
    assert json.dumps(runs[0]) == json.dumps(runs[1])


def test_a_target_has_the_same_result_whatever_other_cases_are_there(case: Case, tmp_path: Path) -> None:
    image, labels = np.ones((6, 6, 6)), np.zeros((6, 6, 6))
    image[1:5, 1:5, 1:5], labels[1:5, 1:5, 1:5] = 5.0, 1
    other = write_case(tmp_path, "other", image, labels)
    alone = evaluate([case], ThresholdSession, model="m", clicks=3, robot="noisy", seed=1)
    after = evaluate([other, case], ThresholdSession, model="m", clicks=3, robot="noisy", seed=1)
    assert [t["prompts"] for t in alone["targets"]] == [t["prompts"] for t in after["targets"][1:]]


def test_what_is_undefined_is_null_in_strict_json(tmp_path: Path) -> None:
    image, labels = np.ones((4, 4, 4)), np.zeros((4, 4, 4))
    labels[1, 1, 1] = 1
    case = write_case(tmp_path, "cold", image, labels)

    class EmptySession(ThresholdSession):
        def add_point(self, point: Point) -> None:
            pass

    result = evaluate([case], EmptySession, model="none", clicks=2)
    target = json.loads(json.dumps(result, allow_nan=False))["targets"][0]
    assert target["dice"] == [0.0, 0.0]
    assert target["hd95_mm"] == [None, None]
    assert target["relative_error"] == {"suv_max": None, "suv_mean": None, "suv_peak": None, "mtv": -1.0, "tlg": -1.0}
    assert result["summary"]["all"]["hd95_mm"]["mean"] == [None, None]
    assert "| - |" in report(evaluation([case], EmptySession, clicks=2))


@pytest.mark.slow
def test_baselines_are_measured_on_the_same_targets(case: Case) -> None:
    result = evaluate([case], ThresholdSession, model="half", clicks=2, baselines=True)
    assert list(result["baselines"]) == list(METHODS)
    half = result["baselines"]["50%"]
    assert [(t["case"], t["label"]) for t in half["targets"]] == [("one", 2), ("one", 7)]
    assert [t["dice"] for t in half["targets"]] == [t["dice"][:1] for t in result["targets"]]
    assert half["summary"]["all"]["count"] == 2
    assert "baselines" not in evaluate([case], ThresholdSession, model="half", clicks=1)


def test_relative_errors_compare_with_the_reference_mask() -> None:
    image = Volume(np.array([[[1.0, 2.0, 4.0, 8.0]]], dtype=np.float32), np.diag([20.0, 20.0, 20.0, 1.0]))
    reference = np.array([[[False, False, True, True]]])
    predicted = np.array([[[False, True, True, False]]])
    assert relative_errors(image, predicted, reference) == RelativeErrors(-0.5, -0.5, -0.5, 0.0, -0.5)


def test_progress_ends_at_one_and_never_falls(case: Case) -> None:
    seen: list[float] = []
    evaluation([case], ThresholdSession, clicks=1, progress=lambda part, name: seen.append(part))
    assert seen == [0.0, 0.5, 1.0]


def test_a_run_without_any_case_that_can_be_used_is_refused_with_the_name_of_the_case(
    case: Case, tmp_path: Path
) -> None:
    other_grid = Case("mixed", case.image, tmp_path / "coarse.nii.gz")
    write_volume(Volume(np.ones((3, 3, 3), np.uint8), np.diag([9.0, 9.0, 9.0, 1.0])), other_grid.label)
    with pytest.raises(InputError, match="case mixed: the label map lies on another grid"):
        evaluation([other_grid], ThresholdSession)
    with pytest.raises(InputError, match="at least 1 click"):
        EvaluationSettings(clicks=0)


def test_one_bad_case_does_not_lose_the_run(case: Case, tmp_path: Path) -> None:
    other_grid = Case("mixed", case.image, tmp_path / "coarse.nii.gz")
    write_volume(Volume(np.ones((3, 3, 3), np.uint8), np.diag([9.0, 9.0, 9.0, 1.0])), other_grid.label)
    found = evaluation([other_grid, case], ThresholdSession, clicks=1)
    alone = evaluation([case], ThresholdSession, clicks=1)
    assert [t.scores for t in found.targets] == [t.scores for t in alone.targets]
    assert [f["case"] for f in to_json(found)["failed"]] == ["mixed"]
    assert "Not evaluated: case mixed: the label map lies on another grid" in report(found)


def test_a_model_that_fails_on_one_case_does_not_lose_the_run_but_a_cancelled_run_ends(
    case: Case, tmp_path: Path
) -> None:
    other = write_case(tmp_path, "other", np.ones((6, 6, 6)), np.pad(np.ones((2, 2, 2)), 2))

    def failing(error: Exception) -> Any:
        class Failing(ThresholdSession):
            def add_point(self, point: Point) -> None:
                if self.mask_kji.size == 6**3:
                    raise error
                super().add_point(point)

        return Failing

    found = evaluation([other, case], failing(BackendError("the memory does not suffice")), clicks=1)
    assert [(c.case, c.error) for c in found.failed] == [("other", "the memory does not suffice")]
    assert len(found.targets) == 2
    with pytest.raises(BackendError, match="memory"):
        evaluation([other], failing(BackendError("the memory does not suffice")), clicks=1)
    with pytest.raises(Cancelled):
        evaluation([case, other], failing(Cancelled()), clicks=1)


def test_labels_that_were_saved_cropped_are_those_of_the_whole_grid(case: Case, tmp_path: Path) -> None:
    labels = read_labels(case.label)
    first, last = np.argwhere(labels.array_kji).min(axis=0), np.argwhere(labels.array_kji).max(axis=0) + 1
    part = labels.array_kji[tuple(slice(a, b) for a, b in zip(first, last, strict=True))]
    matrix = labels.ijk_to_ras.copy()
    matrix[:3, 3] = labels.point_ras(first)
    cropped = Case(case.id, case.image, tmp_path / "cropped.nii.gz")
    write_volume(Volume(part, matrix), cropped.label)
    found, whole = (evaluation([each], ThresholdSession, clicks=1) for each in (cropped, case))
    assert [t.scores for t in found.targets] == [t.scores for t in whole.targets]


def test_doubts_about_a_case_are_reported(case: Case, tmp_path: Path) -> None:
    almost = Case(case.id, case.image, tmp_path / "almost.nii.gz")
    labels = read_labels(case.label)
    write_volume(labels.with_array((labels.array_kji * 0.9999).astype(np.float32)), almost.label)
    found = evaluation([almost], ThresholdSession, clicks=1)
    assert "not quite whole numbers; they were rounded" in report(found)
    assert to_json(found)["notes"][0]["case"] == case.id


def test_what_was_assumed_to_get_suv_is_reported(case: Case, tmp_path: Path) -> None:
    labels = read_labels(case.label)
    write_series(tmp_path / "dicom", 1000 * labels.array_kji.astype(np.int16))
    series = Case(case.id, tmp_path / "dicom", tmp_path / "labels.nii.gz")
    write_volume(Volume(labels.array_kji, read_scan(series.image).volume.ijk_to_ras), series.label)
    found = evaluation([series], ThresholdSession, clicks=1)
    expected = "reference time by SeriesTime (0008,0031), 60.0 min after the injection"
    assert to_json(found)["assumed"] == [{"case": case.id, "assumed": expected}]


def test_a_case_without_a_lesion_is_a_case(case: Case, tmp_path: Path) -> None:
    shape = (12, 14, 30)
    healthy = write_case(tmp_path, "healthy", np.ones(shape), np.zeros(shape))
    found = evaluation([healthy, case], ThresholdSession, clicks=1)
    assert (found.without_lesion, found.failed) == (("healthy",), ())
    text = report(found)
    assert "2 targets in 2 cases" in text
    assert "| per case (2) |" in text
    assert "Cases without a lesion: healthy; nothing is clicked there, so their false positive volume is 0 ml" in text
    assert "0 targets in 1 case" in report(evaluation([healthy], ThresholdSession, clicks=1))


def test_a_label_of_several_components_is_said_and_can_be_split(case: Case) -> None:
    whole, split = (evaluation([case], ThresholdSession, clicks=1, split_components=s) for s in (False, True))
    assert [(t.target.label, t.target.component, t.target.components) for t in whole.targets] == [(2, 0, 1), (7, 0, 2)]
    assert "1 target has several components; --split-components makes each one a target." in report(whole)
    assert [(t.target.label, t.target.component, t.target.volume_ml) for t in split.targets] == [
        (2, 1, pytest.approx(8 * 0.064)),
        (7, 1, pytest.approx(27 * 0.064)),
        (7, 2, pytest.approx(8 * 0.064)),
    ]
    assert "--split-components" not in report(split)
    assert to_json(split)["targets"][2]["component"] == 2


def test_the_report_names_the_definition_of_hd95_and_the_clicks_that_made_it_worse(case: Case) -> None:
    text = report(evaluation([case], ThresholdSession, clicks=4))
    assert "HD95: the larger of the two directed 95th percentiles" in text
    assert "A click lowered the Dice by more than 0.01 in 0.0 % of clicks after the first, by 0.000 at most" in text
    assert "No 95 % interval: 1 case with a target is too few, 10 are needed." in text
    assert text.index("| per case (1)") < text.index("| all targets (2)")
    assert text.endswith("Research use only, not a medical device.\n")


def test_the_protocol_of_autopet_clicks_all_lesions_of_a_scan_from_no_click_on(case: Case, tmp_path: Path) -> None:
    shape = (12, 14, 30)
    healthy = write_case(tmp_path, "healthy", np.ones(shape), np.zeros(shape))
    found = evaluation([case, healthy], ThresholdSession, robot="autopet4")
    target, empty = found.targets
    assert found.steps == tuple(range(11))
    dice = target.curve("dice")
    assert dice[0] == 0.0
    # Each of the three lesions is found whole by its click; the hot layer beside one is what background clicks lie in.
    assert dice[3] == 1.0
    assert len(target.prompts) == 4
    assert target.curve("fnv_ml")[[0, 3]] == pytest.approx([43 * 0.064, 0.0])
    assert np.isnan(empty.curve("dice")).all()
    assert np.isnan(empty.curve("fnv_ml")).all()
    assert (empty.curve("fpv_ml") == 0).all()
    assert to_json(found)["autopet4"]["dice_area"] == pytest.approx(np.trapezoid(dice))
    text = report(found)
    assert "by the rules of autoPET IV (trapezoid, not divided)" in text
    assert "| per scan (2) | 0 | 0.000 |" in text


def test_the_protocol_of_autopet_has_its_own_clicks_and_targets() -> None:
    with pytest.raises(InputError, match="leave out --baselines, --split-components"):
        EvaluationSettings(robot="autopet4", baselines=True)
    with pytest.raises(InputError, match="leave out --clicks"):
        EvaluationSettings(robot="autopet4", clicks=3)


@dataclass(frozen=True)
class Alternative:
    """A mask that a click may mean."""

    mask: MaskPatch


class SizedThresholdSession(ThresholdSession):
    """Half a maximum, beside which nothing is smaller, and what lies above 20 % is larger."""

    chosen = 1

    def find_sizes(self) -> None:
        """They are known."""

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        masks = np.zeros_like(self.mask_kji), self.mask_kji, self._volume.array_kji > 2.0
        return tuple(Alternative(MaskPatch.cropped(mask)) for mask in masks)

    def smaller(self) -> None:
        self.mask_kji = np.zeros_like(self.mask_kji)

    def larger(self) -> None:
        self.mask_kji = self._volume.array_kji > 2.0


def test_the_chooser_may_once_take_another_size_instead_of_a_click(tmp_path: Path) -> None:
    image, labels = np.ones((7, 7, 9)), np.zeros((7, 7, 9))
    labels[1:6, 1:6, 1:8] = 1
    image[labels > 0], image[3, 3, 4] = 4.0, 20.0
    case = write_case(tmp_path, "core", image, labels)
    found = evaluation([case], SizedThresholdSession, clicks=3, robot="chooser").targets[0]
    assert found.curve("dice").tolist() == [pytest.approx(2 / 176), 1.0, 1.0]
    assert (found.size_step, len(found.prompts), found.steps_made) == (2, 1, 2)
    assert found.to_json()["size_step"] == 2
    with pytest.raises(InputError, match="needs a model that offers other sizes"):
        evaluation([case], ThresholdSession, clicks=3, robot="chooser")


def test_the_chooser_clicks_if_no_size_is_better(case: Case) -> None:
    class Stuck(SizedThresholdSession):
        @property
        def alternatives(self) -> tuple[Alternative, ...]:
            return super().alternatives[:2]

    chooser, ideal = (evaluation([case], Stuck, clicks=3, robot=robot).targets for robot in ("chooser", "ideal"))
    assert [t.prompts for t in chooser] == [t.prompts for t in ideal]
    assert [t.size_step for t in chooser] == [0, 0]


def test_the_report_shows_the_clicks_and_the_baselines(case: Case) -> None:
    text = report(evaluation([case], ThresholdSession, model="half", clicks=4, baselines=True))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| all targets")]
    assert [row[1] for row in rows] == ["1", "3", "4"]
    assert rows[0][2] == f"{(1 + 54 / 71) / 2:.3f}"
    assert rows[-1][2] == "1.000"
    assert all(f"| {name}, all targets (2) | 1 |" in text for name in METHODS)
    assert "| < 1 ml (1) | 1.000 | 1.000 | 1.000 | - |" in text
    assert "| 2 to 5 ml (1) |" in text
    assert "Difference: Dice after one click minus that of the best threshold method." in text
    assert "small" not in text
    assert "Median absolute error after the last click: suv_max 0.0 %" in text


class IsocontourBackend:
    """Half of the value at the first click is the contour; the image and the click are all that it looks at."""

    spec = ModelSpec("isocontour", size=24, spacing_mm=(2.0, 8.0))

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        clicked = [tuple(np.rint(t.points_kji[0]).astype(int)) for t in targets]
        return [Prediction.of(image.array_kji - image.array_kji[index] / 2, 24, quality=1.0) for index in clicked]


def test_interactive_sessions_are_evaluated_over_a_backend(tmp_path: Path) -> None:
    image, labels = np.ones((12, 12, 12)), np.zeros((12, 12, 12))
    image[4:8, 3:8, 4:9], labels[4:8, 3:8, 4:9] = 9.0, 1
    case = write_case(tmp_path, "one", image, labels)
    result = evaluate([case], sessions_over(IsocontourBackend()), model="isocontour", clicks=2)
    assert result["targets"][0]["dice"][0] > 0.8
    assert result["targets"][0]["prompts"][0]["positive"]


def test_a_real_scan_is_evaluated_from_its_manifest(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "sts" / "STS_002"
    if not folder.is_dir():
        folder = sorted((shared_data / "sts").iterdir())[0]
    manifest = tmp_path / "cases.json"
    entry = {"id": folder.name, "image": str(folder / "PET_image.nii.gz"), "label": str(folder / "PET_mask.nii.gz")}
    manifest.write_text(json.dumps({"cases": [entry]}))
    result = evaluate(read_manifest(manifest), ThresholdSession, model="half", clicks=2, baselines=True)
    target = result["targets"][0]
    assert target["volume_ml"] > 1
    assert 0 <= target["dice"][0] <= 1
    assert result["baselines"]["50%"]["targets"][0]["dice"][0] == target["dice"][0]
