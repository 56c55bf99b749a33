"""Where the training windows of a recipe come from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.analytic_organs import analytic_organs
from SegAnyPETLib.simulation.anatomy import Anatomy, anatomy_from_organs
from SegAnyPETLib.simulation.details import with_details
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.windows.degraded_reference import degraded_reference
from SegAnyPETLib.training.windows.real import RealCase, RealWindows
from SegAnyPETLib.training.windows.sample import Sample
from SegAnyPETLib.training.windows.simulated import SimulatedWindows
from SegAnyPETLib.volume.io import check_image, read_image, read_labels


class Windows:
    """Real and simulated windows, mixed.

    Args:
        simulated: source of simulated windows.
        real: source of real ones, if there is any.
        real_share: share of real windows.
        noisy_share: share of simulated windows whose reference is degraded, as by a careless reader.
    """

    def __init__(
        self, simulated: SimulatedWindows, real: RealWindows | None, real_share: float, noisy_share: float = 0.0
    ) -> None:
        self.simulated = simulated
        self.real = real
        self.real_share = real_share
        self.noisy_share = noisy_share

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a new window."""
        if self.real is not None and rng.random() < self.real_share:
            return self.real.draw(rng)
        sample = self.simulated.draw(rng)
        if self.noisy_share and rng.random() < self.noisy_share:
            return replace(sample, target=degraded_reference(sample.target, rng), low_quality=True)
        return sample


def windows_of(recipe: Recipe) -> Windows:
    """Load the data of a recipe.

    Raises:
        InputError: a folder is missing or empty, a file in it cannot be used, or all that is there is left out.
    """
    rng = np.random.default_rng(recipe.seed)
    anatomies = [anatomy_from_organs(analytic_organs(rng), rng) for _ in range(recipe.analytic_bodies)]
    anatomies = [with_details(anatomy, rng) for anatomy in (*anatomies, *_mapped_anatomies(recipe, rng))]
    spacing_mm = recipe.window_spacing_mm or None
    simulated = SimulatedWindows(anatomies, recipe.size, recipe.organ_share, spacing_mm)
    real = RealWindows(fitted_cases(recipe), recipe.size, spacing_mm) if recipe.real_share > 0 else None
    return Windows(simulated, real, recipe.real_share, recipe.noisy_share)


def _mapped_anatomies(recipe: Recipe, rng: np.random.Generator) -> list[Anatomy]:
    if not recipe.organ_maps:
        return []
    fitted, _ = split_organ_maps(Path(recipe.organ_maps), recipe.organ_map_stride)
    if not fitted and not recipe.analytic_bodies:
        raise InputError(f"organ_map_stride leaves out every map in {recipe.organ_maps}; set it to 0 or add maps")
    most = recipe.max_organ_maps
    if most and len(fitted) > most:
        fitted = [fitted[n * len(fitted) // most] for n in range(most)]
    return [_anatomy(path, rng) for path in fitted]


def _anatomy(path: Path, rng: np.random.Generator) -> Anatomy:
    try:
        return anatomy_from_organs(read_labels(path), rng)
    except InputError as error:
        raise InputError(f"organ map {path.name}: {error}") from error


def split_organ_maps(folder: Path, stride: int) -> tuple[list[Path], list[Path]]:
    """Split organ maps into those to fit on and those left out: every ``stride``-th in the order of their names.

    Raises:
        InputError: the folder has no map.
    """
    paths = sorted(folder.glob("*.nii.gz"))
    if not paths:
        raise InputError(f"no organ maps (*.nii.gz) in {folder}")
    left_out = paths[::stride] if stride else []
    return [p for p in paths if p not in left_out], left_out


def fitted_cases(recipe: Recipe) -> list[RealCase]:
    """Return the real cases that a recipe fits on.

    Raises:
        InputError: the fold leaves no case, one cannot be used, or a case of low quality is not there.
    """
    names = fold_names(recipe)
    unknown = set(recipe.low_quality) - set(case_names(recipe))
    if unknown:
        raise InputError(f"low_quality names no case that could be fitted: {', '.join(sorted(unknown))}; correct it")
    if not names:
        raise InputError(
            f"fold {recipe.fold} leaves no case in {recipe.real_cases} to fit; add cases or use fewer folds"
        )
    cases = [read_case(Path(recipe.real_cases) / name) for name in names]
    return [replace(case, low_quality=case.name in recipe.low_quality) for case in cases]


def fold_names(recipe: Recipe) -> list[str]:
    """Names of the real cases that a recipe fits: all but the excluded ones and those of the fold left out."""
    names = case_names(recipe)
    return [name for n, name in enumerate(names) if not recipe.folds or n % recipe.folds != recipe.fold]


def case_names(recipe: Recipe) -> list[str]:
    """Names of the real cases that are not excluded, in order.

    Raises:
        InputError: the folder has no case.
    """
    folder = Path(recipe.real_cases)
    names = sorted(p.parent.name for p in folder.glob("*/PET_image.nii.gz"))
    names = [name for name in names if name not in recipe.exclude]
    if not names:
        raise InputError(f"no cases (NAME/PET_image.nii.gz) in {folder}")
    return names


def read_case(folder: Path) -> RealCase:
    """Read PET_image.nii.gz and PET_mask.nii.gz of a case.

    Raises:
        InputError: a file cannot be read, the image cannot be used, or the mask lies on another grid or is empty.
    """
    try:
        image, labels = read_image(folder / "PET_image.nii.gz"), read_labels(folder / "PET_mask.nii.gz")
        check_image(image)
    except InputError as error:
        raise InputError(f"case {folder.name}: {error}") from error
    if not labels.same_grid(image) or not labels.array_kji.any():
        raise InputError(f"the mask of {folder.name} is empty or lies on another grid than its image")
    return RealCase(folder.name, image, labels.with_array(labels.array_kji > 0))
