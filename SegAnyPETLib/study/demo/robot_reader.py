"""A robot that reads a case as people do, in either arm, and writes the log of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.study.demo.hand import painted
from SegAnyPETLib.study.demo.pace import Timer, contours_mm
from SegAnyPETLib.study.log.clock import PlayedClock
from SegAnyPETLib.study.log.writer import EventLog
from SegAnyPETLib.study.masks import mask_sha256, write_case_mask
from SegAnyPETLib.study.plan.folder import Study
from SegAnyPETLib.study.plan.schedule import Reading
from SegAnyPETLib.study.recorded import RecordedSession
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True, eq=False)
class Scan:
    """A case of which everything is known.

    Attributes:
        image: PET.
        references: labels from 1 on its grid, in the order of the case's targets.
        targets: their codes.
    """

    image: Volume
    references: Volume
    targets: tuple[str, ...]

    def reference(self, number: int) -> Volume:
        """Return a target as a bool volume, counted from 0."""
        return self.references.with_array(self.references.array_kji == number + 1)


class RobotReader:
    """Reads cases; what it sees and does takes a human time, which passes at once.

    Without a model it paints each target slice by slice. With one it clicks as `RobotUser` of the kind ``human`` until
    it is content, takes a click back that made things worse, and paints what clicks did not bring.

    Args:
        study: where masks are written.
        log: of the reader, with the clock.
        clock: the log's.
        timer: how long acts take.
        seed: of clicks and hand.
    """

    def __init__(self, study: Study, log: EventLog, clock: PlayedClock, timer: Timer, seed: Sequence[int]) -> None:
        self._study, self._log, self._clock = study, log, clock
        self._timer, self._seed = timer, list(seed)
        self._request = 0

    def read(self, reading: Reading, scan: Scan, backend: Backend | None) -> None:
        """Read a case from its opening to its end.

        Args:
            reading: of the schedule.
            scan: the case.
            backend: runs the model; None in an arm without one.
        """
        self._log.add(
            "case_opened",
            case=reading.case,
            arm=reading.arm,
            period=reading.period,
            position=reading.position,
            training=reading.training,
        )
        labels_kji = np.zeros(scan.image.shape_kji, np.uint8)
        for number, target in enumerate(scan.targets):
            reference = scan.reference(number)
            self._spend(self._timer.pace.find_s, "view_moved", view="axial")
            self._log.add("target_begun", target=target)
            rng = np.random.default_rng([*self._seed, reading.period, reading.position, number])
            if backend is None:
                mask_kji = self._paint(target, reference, reference.array_kji, rng)
            else:
                mask_kji = self._click(target, reference, scan.image, backend, rng)
            labels_kji[mask_kji] = number + 1
            self._spend(self._timer.pace.think_s, "view_moved", view="axial")
            volume_ml = float(np.count_nonzero(mask_kji)) * reference.voxel_ml
            self._log.add("target_finished", target=target, mask_sha256=mask_sha256(mask_kji), volume_ml=volume_ml)
        labels = scan.references.with_array(labels_kji)
        sha256 = write_case_mask(self._study, reading.reader, reading.arm, reading.case, labels)
        self._spend(self._timer.pace.click_s, "case_finished", case=reading.case, mask_sha256=sha256)

    def _spend(self, median_s: float, kind: str, **data: object) -> None:
        self._clock.pass_by(self._timer.draw(median_s))
        self._log.add(kind, **data)

    def _paint(
        self, target: str, reference: Volume, where_kji: NDArray[np.bool_], rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Paint a target in the slices in which a mask has voxels."""
        pace = self._timer.pace
        self._spend(pace.click_s, "effect_active", effect="paint")
        for length_mm in contours_mm(where_kji, reference.spacing_mm[::-1]):
            self._spend(pace.scroll_s, "view_moved", view="axial")
            self._spend(pace.click_s + length_mm / pace.trace_mm_per_s, "stroke", target=target, effect="paint")
        return painted(reference, pace.hand_mm, rng)

    def _click(
        self, target: str, reference: Volume, image: Volume, backend: Backend, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        pace = self._timer.pace
        user = RobotUser("human", int(rng.integers(2**31)))
        session = RecordedSession(
            InteractiveSession(image, backend),
            self._log,
            target,
            self._request,
            lambda _: self._clock.pass_by(pace.model_s),
        )
        self._spend(pace.click_s, "effect_active", effect="points")
        reached = 0.0
        for _ in range(pace.most_clicks):
            point = user.next_point(reference, session.mask_kji)
            if point is None:
                break
            self._clock.pass_by(self._timer.draw(pace.click_s))
            session.add_point(point)
            self._spend(pace.scroll_s + pace.think_s, "view_moved", view="axial")
            now = dice(session.mask_kji, reference.array_kji)
            if now < reached:
                self._clock.pass_by(self._timer.draw(pace.click_s))
                session.undo()
                break
            reached = now
            if reached >= pace.content_dice:
                break
        self._request = session.next_request
        mask_kji = session.mask_kji
        if reached >= pace.content_dice:
            return mask_kji
        wrong_kji = mask_kji ^ reference.array_kji
        bad = [dice(a, b) < pace.content_dice for a, b in zip(mask_kji, reference.array_kji, strict=True)]
        wrong_kji[~np.array(bad)] = False
        corrected = mask_kji.copy()
        new = self._paint(target, reference, wrong_kji, rng)
        corrected[np.array(bad)] = new[np.array(bad)]
        return corrected
