"""What SegAnyPET-Lite sees: the PET window and its prompts as maps on the window's grid.

Distance maps of the points (better than Gaussian blobs in arXiv 2508.21680) say where they are. Path maps say what
belongs together: a voxel's value is the highest level that can be kept on a way from a point to it, so that behind a
valley between two hot spots the map stays below the image. It is the grey-scale reconstruction of the image from the
points (Vincent 1993, doi 10.1109/83.217222). Uptake is shown absolutely and relative to the uptake at the points.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

#: Names of the maps, in the order of the channels.
MAPS = (
    "suv",
    "relative_uptake",
    "positive_near",
    "positive_far",
    "negative_near",
    "negative_far",
    "positive_path",
    "negative_path",
    "previous_mask",
    "has_previous_mask",
    "spacing",
    "not_target",
)
#: Decay length of the near distance map in mm: the size of the point spread.
NEAR_MM = 8.0
#: Decay length of the far distance map in mm: the size of an organ.
FAR_MM = 50.0
#: The uptake at a point is the highest one within this distance.
REFERENCE_RADIUS_MM = 5.0
#: Reference uptake in SUV if there is neither a positive point nor a mask.
DEFAULT_REFERENCE = 5.0
#: Smallest reference uptake in SUV.
MIN_REFERENCE = 0.3
#: Relative uptake is cut off here.
RELATIVE_LIMIT = 2.5
#: Rounds of the six directional sweeps of a path map; each lets a path turn back once more.
SWEEPS = 3


@dataclass(frozen=True, eq=False)
class PromptBatch:
    """Windows and prompts of a batch.

    Attributes:
        image: (B, K, J, I) float32, SUV.
        points: (B, N, 3) float32, window indices (k, j, i).
        labels: (B, N) int64: 1 positive, 0 negative, -1 not a point.
        previous: (B, K, J, I) float32 probabilities of the mask so far; zeros where there is none.
        has_previous: (B,) bool.
        spacing_mm: (B,) float32.
        not_target: (B, K, J, I) float32 occupancy of what is known not to be the target, such as finished neighbours;
            zeros if nothing is.
    """

    image: Tensor
    points: Tensor
    labels: Tensor
    previous: Tensor
    has_previous: Tensor
    spacing_mm: Tensor
    not_target: Tensor


def encode(batch: PromptBatch) -> Tensor:
    """Make the maps of a batch.

    Returns:
        (B, len(MAPS), K, J, I) float32.
    """
    image = batch.image.clamp(min=0)
    relative = (image / reference_uptake(batch)[:, None, None, None]).clamp(max=RELATIVE_LIMIT)
    shape = image.shape
    distances = [point_distance(batch, label) for label in (1, 0)]
    seeds = torch.stack([point_seeds(batch, label) for label in (1, 0)], 1)
    paths = path_map(relative[:, None].expand_as(seeds), seeds)
    spacing = torch.log2(batch.spacing_mm / 3.0)[:, None, None, None]
    maps = [
        torch.log1p(image) / 2.0,
        relative,
        torch.exp(-distances[0] / NEAR_MM),
        torch.exp(-distances[0] / FAR_MM),
        torch.exp(-distances[1] / NEAR_MM),
        torch.exp(-distances[1] / FAR_MM),
        paths[:, 0],
        paths[:, 1],
        batch.previous,
        batch.has_previous.float()[:, None, None, None].expand(shape),
        spacing.expand(shape),
        batch.not_target,
    ]
    return torch.stack(maps, 1)


def point_distance(batch: PromptBatch, label: int) -> Tensor:
    """Distance in mm to the nearest point of a label; 1e4 where there is none. (B, K, J, I)."""
    nearest = torch.full_like(batch.image, 1e4)
    axes = [torch.arange(n, device=batch.image.device, dtype=torch.float32) for n in batch.image.shape[1:]]
    for b, n in torch.nonzero(batch.labels == label).tolist():
        k, j, i = ((axis - c) ** 2 for axis, c in zip(axes, batch.points[b, n], strict=True))
        squared = k[:, None, None] + j[None, :, None] + i[None, None, :]
        nearest[b] = torch.minimum(nearest[b], squared.sqrt_() * batch.spacing_mm[b])
    return nearest


def point_seeds(batch: PromptBatch, label: int) -> Tensor:
    """Mark the voxels that hold a point of a label, (B, K, J, I); points outside the window are left out."""
    seeds = torch.zeros(batch.image.shape, dtype=torch.bool, device=batch.image.device)
    inside = points_inside(batch)
    for b, n in torch.nonzero((batch.labels == label) & inside).tolist():
        k, j, i = batch.points[b, n].round().long().tolist()
        seeds[b, k, j, i] = True
    return seeds


def points_inside(batch: PromptBatch) -> Tensor:
    """Whether each point's nearest voxel lies in the window. (B, N) bool."""
    limit = torch.tensor(batch.image.shape[1:], device=batch.points.device) - 1
    index = batch.points.round()
    return ((index >= 0) & (index <= limit)).all(-1)


def reference_uptake(batch: PromptBatch) -> Tensor:
    """Uptake of the target in SUV: the median over positive points of the highest value near each, else the mean in
    the mask so far, else `DEFAULT_REFERENCE`. (B,)."""
    inside = points_inside(batch)
    references = []
    for b in range(len(batch.image)):
        points = batch.points[b][(batch.labels[b] == 1) & inside[b]]
        mask = batch.previous[b] > 0.5
        if len(points):
            radius = max(1, round(REFERENCE_RADIUS_MM / float(batch.spacing_mm[b])))
            reference = torch.stack([_highest_near(batch.image[b], p, radius) for p in points]).median()
        elif mask.any():
            reference = batch.image[b][mask].mean()
        else:
            reference = batch.image.new_tensor(DEFAULT_REFERENCE)
        references.append(reference.clamp(min=MIN_REFERENCE))
    return torch.stack(references)


def _highest_near(image: Tensor, point: Tensor, radius: int) -> Tensor:
    k, j, i = point.round().long().tolist()
    box = image[tuple(slice(max(c - radius, 0), c + radius + 1) for c in (k, j, i))]
    return box.max()


def path_map(image: Tensor, seeds: Tensor, sweeps: int = SWEEPS) -> Tensor:
    """Grey-scale reconstruction of an image from seeds, by sweeps along the axes.

    Args:
        image: (..., K, J, I) non-negative.
        seeds: bool, same shape.
        sweeps: rounds over the six directions.

    Returns:
        The highest level that an axis-aligned path from a seed can keep, zero without seeds. Paths that turn more
        often than the sweeps follow are missed, so the map is a lower bound; `sweeps` large enough makes it exact.
    """
    level = torch.where(seeds, image, torch.zeros_like(image))
    if not seeds.any():
        return level
    for _ in range(sweeps):
        for axis in (-1, -2, -3):
            level = _swept(_swept(level, image, axis, 1), image, axis, -1)
    return level


def _swept(level: Tensor, image: Tensor, axis: int, step: int) -> Tensor:
    """Carry the level along an axis, upwards or downwards, never above the image."""
    levels, limits = list(level.unbind(axis)), image.unbind(axis)
    order = range(len(levels)) if step > 0 else range(len(levels) - 1, -1, -1)
    for n in order[1:]:
        levels[n] = torch.maximum(levels[n], torch.minimum(levels[n - step], limits[n]))
    return torch.stack(levels, axis)


def pad_points(point_lists: list[Tensor], label_lists: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Point lists of different lengths as one batch, filled with label -1."""
    points = torch.nn.utils.rnn.pad_sequence(point_lists, batch_first=True)
    labels = torch.nn.utils.rnn.pad_sequence(label_lists, batch_first=True, padding_value=-1)
    if points.shape[1] == 0:
        points, labels = F.pad(points, (0, 0, 0, 1)), F.pad(labels, (0, 1), value=-1)
    return points, labels
