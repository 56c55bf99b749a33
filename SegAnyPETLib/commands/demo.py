"""``seganypet demo``: the whole way on a phantom, whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.commands.arguments.demo import DemoOptions
from SegAnyPETLib.commands.common.backends import model_options, open_backend
from SegAnyPETLib.commands.common.colors import distinct_color
from SegAnyPETLib.commands.common.outputs import make_folder
from SegAnyPETLib.commands.phantom import PET, write_phantom
from SegAnyPETLib.commands.segment import result_tags
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.figure import write_figure
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.volume.segmentation import LESION_TERMINOLOGY, Segment, write_segmentation
from SegAnyPETLib.volume.volume import Volume

SEGMENTATION = "segmentation.seg.nrrd"
FIGURE = "segmentation.png"


@dataclass(frozen=True, eq=False)
class _Found:
    """A lesion as it was segmented."""

    label: int
    reference_kji: NDArray[np.bool_]
    mask_kji: NDArray[np.bool_]
    points: tuple[Point, ...]
    seconds: tuple[float, ...]
    tags: dict[str, str]


def run(options: DemoOptions) -> None:
    """Make a phantom, click its lesions, compare with the truth, and write all of it.

    Raises:
        InputError: the model, the device or the folder cannot be used.
        SegAnyPETError: a file cannot be written.
    """
    folder, model = options.output, model_options(options.model)
    make_folder(folder)
    print("making a whole-body phantom PET ...")
    phantom = make_phantom(options.seed)
    write_phantom(phantom, folder)
    backend = open_backend(model)
    labels = [lesion.label for lesion in phantom.truth]
    bar = tqdm(labels, desc="lesions", unit="lesion", disable=None, leave=False)
    found = [_click(phantom.image, phantom.lesions, label, backend, options) for label in bar]
    _print_table(phantom.image, found)
    terminology = {"TerminologyEntry": LESION_TERMINOLOGY}
    segments = [
        Segment(f"Lesion {f.label}", f.mask_kji, distinct_color(n, len(found)), terminology | f.tags)
        for n, f in enumerate(found)
    ]
    everything = np.logical_or.reduce([f.mask_kji for f in found])
    points = [point for f in sorted(found, key=lambda f: -int(f.reference_kji.sum())) for point in f.points]
    title = f"phantom, {len(found)} lesions, at most {options.clicks} clicks each"
    with write_figure(phantom.image, everything, points, folder / FIGURE, title):
        write_segmentation(phantom.image, segments, folder / SEGMENTATION)
    print(f"PET           {folder / PET}")
    print(f"segmentation  {folder / SEGMENTATION}   (open both in 3D Slicer)")
    print(f"figure        {folder / FIGURE}")
    print(f"Simulated, no patient. {NOTICE}")


def _click(image: Volume, lesions: Volume, label: int, backend: Backend, options: DemoOptions) -> _Found:
    """Segment a lesion from the whole image with a simulated user."""
    reference = lesions.with_array(lesions.array_kji == label)
    session = InteractiveSession(image, backend)
    user = RobotUser("ideal", np.random.SeedSequence([options.seed, label]))
    for _ in range(options.clicks):
        point = user.next_point(reference, session.mask_kji)
        if point is None:
            break
        session.add_point(point)
    seconds = tuple(step.seconds for step in session.history)
    return _Found(label, reference.array_kji, session.mask_kji, session.points, seconds, result_tags(session))


def _print_table(image: Volume, found: list[_Found]) -> None:
    print("                 volume, ml      SUVbw max        SUVbw mean")
    print("lesion  clicks   truth   found   truth  found    truth  found    Dice   s per click")
    for lesion in found:
        true, measured = quantities(image, lesion.reference_kji), quantities(image, lesion.mask_kji)
        overlap = dice(lesion.mask_kji, lesion.reference_kji)
        print(
            f"{lesion.label:6} {len(lesion.points):7} {true.volume_ml:7.1f} {measured.volume_ml:7.1f}"
            f" {true.suv_max:7.2f} {measured.suv_max:6.2f}  {true.suv_mean:7.2f} {measured.suv_mean:6.2f}"
            f" {overlap:7.2f} {np.mean(lesion.seconds):8.2f}"
        )
    print("truth: the painted lesion, measured on the same noisy image")
