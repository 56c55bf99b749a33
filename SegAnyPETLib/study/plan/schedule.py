"""Who reads which case when, with which arm."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Manifest, Plan
from SegAnyPETLib.volume.atomic import replacing


@dataclass(frozen=True)
class Reading:
    """A case that a reader reads once.

    Attributes:
        reader: code.
        period: from 1; a wash-out lies between two.
        day: earliest day, from 1.
        position: place among the reader's readings of the period, from 1.
        case: code.
        arm: code.
        order: arms of this reader and case over the periods, such as "manual>assisted".
        training: whether it is not analysed.
    """

    reader: str
    period: int
    day: int
    position: int
    case: str
    arm: str
    order: str
    training: bool = False


def schedule(plan: Plan, manifest: Manifest) -> tuple[Reading, ...]:
    """Draw the schedule of a study; equal plans and manifests give equal ones.

    Orders of arms are drawn for each reader in balanced blocks of cases: of every block each order is given to equally
    many cases. The order of cases is drawn anew for each reader and period. Training cases come first in a period, in
    every arm of the study.
    """
    return tuple(
        reading for number, reader in enumerate(plan.readers) for reading in _of_reader(plan, manifest, number, reader)
    )


def orders(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return the orders of arms over the periods that are given to cases.

    Two arms give both orders, more the rows of a Williams square (Williams 1949, Aust J Sci Res A 2:149), in which
    every arm follows every other one equally often; an odd number of arms takes the square and its mirror image.
    """
    names = [arm.name for arm in plan.arms]
    if plan.design.kind == "parallel":
        return tuple((name,) for name in names)
    count = len(names)
    first = [0]
    for step in range(1, count):
        first.append((first[-1] + (step if step % 2 else -step)) % count)
    rows = [[(arm + shift) % count for arm in first] for shift in range(count)]
    if count % 2:
        rows += [row[::-1] for row in rows]
    return tuple(tuple(names[arm] for arm in row) for row in rows)


def _of_reader(plan: Plan, manifest: Manifest, number: int, reader: str) -> list[Reading]:
    rng = np.random.default_rng([plan.seed, number])
    cases = [case.id for case in manifest.analysed]
    given = _orders_of_cases(cases, orders(plan), number, rng)
    training = [(case.id, arm.name) for arm in plan.arms for case in manifest.training]
    readings: list[Reading] = []
    day = 1
    for period in range(1, len(orders(plan)[0]) + 1):
        mixed = [cases[i] for i in rng.permutation(len(cases))]
        listed = [(case, arm, True) for case, arm in training]
        listed += [(case, given[case][period - 1], False) for case in mixed]
        for position, (case, arm, trains) in enumerate(listed, start=1):
            when = day + (position - 1) // plan.design.cases_per_day
            order = "" if trains else ">".join(given[case])
            readings.append(Reading(reader, period, when, position, case, arm, order, trains))
        day = readings[-1].day + plan.design.washout_days + 1
    return readings


def _orders_of_cases(
    cases: Sequence[str], rows: Sequence[tuple[str, ...]], number: int, rng: np.random.Generator
) -> dict[str, tuple[str, ...]]:
    """Draw an order for each case in blocks; what is left over begins with another order for each reader."""
    mixed = [cases[i] for i in rng.permutation(len(cases))]
    given: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(mixed), len(rows)):
        block = mixed[start : start + len(rows)]
        whole = len(block) == len(rows)
        drawn = rng.permutation(len(rows)) if whole else (np.arange(len(block)) + number) % len(rows)
        given |= {case: rows[i] for case, i in zip(block, drawn, strict=True)}
    return given


def write_schedule(readings: Sequence[Reading], path: Path) -> None:
    """Write a schedule as CSV, wholly or not at all.

    Raises:
        SegAnyPETError: the file cannot be written.
    """
    with replacing(path, ".csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([field.name for field in fields(Reading)])
        writer.writerows(astuple(reading) for reading in readings)


def read_schedule(path: Path) -> tuple[Reading, ...]:
    """Read what `write_schedule` wrote.

    Raises:
        InputError: the file is missing or is no schedule.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            return tuple(
                Reading(
                    row["reader"],
                    int(row["period"]),
                    int(row["day"]),
                    int(row["position"]),
                    row["case"],
                    row["arm"],
                    row["order"],
                    row["training"] == "True",
                )
                for row in csv.DictReader(stream)
            )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} is no schedule of a study; make the study folder again") from error
