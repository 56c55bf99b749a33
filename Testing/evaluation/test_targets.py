"""The targets of a case: which they are, whom they touch, how they stand out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.targets import Target, targets_of
from SegAnyPETLib.volume.volume import Volume

GRID = np.diag([2.0, 2.0, 2.0, 1.0])


def found(labels: NDArray, image: NDArray | None = None, split: bool = False) -> list[Target]:
    values = np.ones(labels.shape, np.float32) if image is None else image.astype(np.float32)
    return targets_of("a", Volume(values, GRID), Volume(labels.astype(np.int16), GRID), split)


def test_every_positive_value_is_a_target_with_its_parts_counted() -> None:
    labels = np.zeros((6, 6, 12))
    labels[1, 1, 1:3], labels[4, 4, 8] = 7, 7
    labels[3, 3, 3] = 2
    labels[5, 5, 11] = -1
    targets = found(labels)
    assert [(t.facts.label, t.facts.component, t.facts.components) for t in targets] == [(2, 0, 1), (7, 0, 2)]
    assert targets[1].facts.volume_ml == pytest.approx(3 * 0.008)
    assert (targets[1].mask.to_array(labels.shape) == (labels == 7)).all()


def test_split_parts_are_targets_of_their_own() -> None:
    labels = np.zeros((6, 6, 12))
    labels[1, 1, 1:3], labels[4, 4, 8] = 7, 7
    first, second = found(labels, split=True)
    assert [(t.facts.label, t.facts.component, t.facts.components) for t in (first, second)] == [(7, 1, 1), (7, 2, 1)]
    assert np.argwhere(second.mask.to_array(labels.shape)).tolist() == [[4, 4, 8]]


def test_parts_are_connected_over_edges_but_not_over_corners() -> None:
    edge, corner = np.zeros((4, 4, 4)), np.zeros((4, 4, 4))
    edge[1, 1, 1] = edge[1, 2, 2] = 1
    corner[1, 1, 1] = corner[2, 2, 2] = 1
    assert (found(edge)[0].facts.components, found(corner)[0].facts.components) == (1, 2)


def test_targets_touch_over_faces_and_edges() -> None:
    labels = np.zeros((3, 3, 12))
    labels[0, 0, 0], labels[0, 1, 1] = 1, 2  # an edge
    labels[0, 0, 5], labels[1, 1, 6] = 3, 4  # a corner
    labels[2, 2, 9], labels[2, 2, 11] = 5, 6  # a gap
    assert [t.facts.touching for t in found(labels)] == [True, True, False, False, False, False]


def test_contrast_compares_with_the_median_around_it_beyond_what_the_scanner_blurs() -> None:
    labels, image = np.zeros((21, 21, 21)), np.full((21, 21, 21), 2.0)
    labels[10, 10, 10] = 1
    image[8:13, 8:13, 8:13] = 100.0  # within 6 mm along the axes
    image[10, 10, 10] = 9.0
    assert found(labels, image)[0].facts.contrast == pytest.approx(4.5)


def test_other_targets_are_no_background() -> None:
    labels, image = np.zeros((3, 3, 30)), np.full((3, 3, 30), 1.0)
    labels[1, 1, 4] = 1
    labels[:, :, 8:] = 2  # all that lies to the right
    image[labels == 1], image[labels == 2] = 6.0, 50.0
    image[:, :, :4] = 3.0
    assert found(labels, image)[0].facts.contrast == pytest.approx(2.0)


def test_contrast_is_undefined_without_surroundings_and_boundless_over_nothing() -> None:
    everywhere, image = np.ones((2, 2, 2)), np.full((2, 2, 2), 5.0)
    assert math.isnan(found(everywhere, image)[0].facts.contrast)
    labels = np.zeros((1, 1, 20))
    labels[0, 0, 0] = 1
    assert found(labels, labels * 5)[0].facts.contrast == math.inf
