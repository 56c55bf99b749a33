import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.windows.dataset import case_names, fitted_cases, split_organ_maps, windows_of
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume


@pytest.fixture
def cases(tmp_path):
    """Five real-looking cases with a lesion that no flip leaves as it is; the uptake of case n is n + 4."""
    for n in range(5):
        mask = np.zeros((12, 12, 12), np.uint8)
        mask[1:11, 3:6, 3:6] = 1
        mask[1:4, 3:6, 3:11] = 1
        mask[1:4, 3:9, 3:6] = 1
        folder = tmp_path / f"CASE_{n}"
        folder.mkdir()
        matrix = np.diag([-4.0, -4.0, 3.0, 1.0])
        write_volume(Volume(np.where(mask, n + 4.0, 0.5).astype(np.float32), matrix), folder / "PET_image.nii.gz")
        write_volume(Volume(mask, matrix), folder / "PET_mask.nii.gz")
    return tmp_path


def recipe(cases, **settings):
    return Recipe("a", steps=1, size=32, real_cases=str(cases), real_share=1.0, analytic_bodies=1, **settings)


def test_excluded_cases_are_never_fitted(cases):
    assert case_names(recipe(cases, exclude=("CASE_1",))) == ["CASE_0", "CASE_2", "CASE_3", "CASE_4"]


def test_folds_leave_each_case_out_once(cases):
    fitted = [{c.name for c in fitted_cases(recipe(cases, folds=3, fold=n))} for n in range(3)]
    left_out = [set(case_names(recipe(cases))) - names for names in fitted]
    assert sorted(name for names in left_out for name in names) == case_names(recipe(cases))


@pytest.mark.slow
def test_real_windows_show_the_lesion_of_a_case(cases):
    windows = windows_of(recipe(cases))
    rng = np.random.default_rng(0)
    for _ in range(10):
        sample = windows.draw(rng)
        assert sample.kind == "real"
        assert np.median(sample.image[sample.target]) > 1.3 * np.median(sample.image[~sample.target])


@pytest.mark.slow
def test_windows_of_a_fixed_voxel_size_show_targets_larger_and_smaller(cases):
    windows = windows_of(recipe(cases, family="sam", sam=SamConfig(size=32), window_spacing_mm=3.0))
    rng = np.random.default_rng(0)
    samples = [windows.draw(rng) for _ in range(8)]
    assert {sample.spacing_mm for sample in samples} == {3.0}
    assert {windows.simulated.draw(rng).spacing_mm for _ in range(8)} == {3.0}
    whole = [int(s.target.sum()) for s in samples if s.target.sum() > 100]
    assert max(whole) > 1.2 * min(whole)


@pytest.mark.slow
def test_poor_masks_are_known_as_such_unless_a_simulated_lesion_is_the_target_instead(cases, monkeypatch):
    draws = windows_of(recipe(cases, low_quality=("CASE_0", "CASE_3")))
    assert [case.low_quality for case in draws.real.cases] == [True, False, False, True, False]
    draws.real.cases = draws.real.cases[:1]
    rng = np.random.default_rng(0)
    monkeypatch.setattr("SegAnyPETLib.training.windows.real.PASTED_SHARE", 0.0)
    assert all(draws.draw(rng).low_quality for _ in range(5))
    monkeypatch.setattr("SegAnyPETLib.training.windows.real.PASTED_SHARE", 1.0)
    assert not all(draws.draw(rng).low_quality for _ in range(5))


def test_a_poor_case_that_is_not_there_is_refused(cases):
    with pytest.raises(InputError, match="low_quality names no case that could be fitted: CASE_9"):
        fitted_cases(recipe(cases, low_quality=("CASE_9", "CASE_1")))


@pytest.mark.slow
def test_a_share_of_simulated_references_is_degraded():
    windows = windows_of(Recipe("a", steps=1, size=32, analytic_bodies=1, noisy_share=0.5))
    rng = np.random.default_rng(0)
    poor = [windows.draw(rng).low_quality for _ in range(30)]
    assert 6 < sum(poor) < 24
    windows.noisy_share = 1.0
    degraded = windows.draw(np.random.default_rng(6))
    true = windows.simulated.draw(np.random.default_rng(6))
    assert (degraded.image == true.image).all()
    assert (degraded.target != true.target).any()


def test_a_mask_on_another_grid_is_refused(cases):
    write_volume(Volume(np.ones((2, 2, 2), np.uint8), np.eye(4)), cases / "CASE_2" / "PET_mask.nii.gz")
    with pytest.raises(InputError, match="CASE_2"):
        fitted_cases(recipe(cases))


def test_what_is_wrong_with_a_case_is_told_with_its_name(cases):
    (cases / "CASE_3" / "PET_mask.nii.gz").unlink()
    with pytest.raises(InputError, match=r"case CASE_3: PET_mask\.nii\.gz is not there"):
        fitted_cases(recipe(cases))


def test_a_fold_that_leaves_no_case_is_refused(cases):
    others = tuple(f"CASE_{n}" for n in range(1, 5))
    with pytest.raises(InputError, match="fold 0 leaves no case"):
        fitted_cases(recipe(cases, exclude=others, folds=2, fold=0))


def test_a_stride_that_leaves_no_organ_map_is_refused(tmp_path):
    (tmp_path / "0.nii.gz").touch()
    with pytest.raises(InputError, match="leaves out every map"):
        windows_of(Recipe("a", steps=1, organ_maps=str(tmp_path), organ_map_stride=2, analytic_bodies=0))


def test_what_is_wrong_with_an_organ_map_is_told_with_its_name(tmp_path):
    write_volume(Volume(np.full((4, 4, 4), 99, np.uint8), np.eye(4)), tmp_path / "7.nii.gz")
    with pytest.raises(InputError, match=r"organ map 7\.nii\.gz: .*labels 1 to 10"):
        windows_of(Recipe("a", steps=1, organ_maps=str(tmp_path), analytic_bodies=0))


def test_every_nth_organ_map_is_left_out(tmp_path):
    for n in range(7):
        (tmp_path / f"{n}.nii.gz").touch()
    fitted, left_out = split_organ_maps(tmp_path, 3)
    assert [p.name[0] for p in left_out] == ["0", "3", "6"]
    assert len(fitted) == 4
    assert split_organ_maps(tmp_path, 0)[1] == []


def test_folders_without_data_are_refused(tmp_path):
    with pytest.raises(InputError, match="no organ maps"):
        split_organ_maps(tmp_path, 0)
    with pytest.raises(InputError, match="no cases"):
        case_names(recipe(tmp_path))
