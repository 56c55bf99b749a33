"""How an evaluation clicks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.autopet4.clicks import STEPS as AUTOPET4_STEPS
from SegAnyPETLib.evaluation.robot import RobotKind

Robot = Literal["ideal", "noisy", "human", "chooser", "autopet4"]


@dataclass(frozen=True)
class EvaluationSettings:
    """How targets are clicked.

    Attributes:
        clicks: clicks per target, at least 1; the protocol "autopet4" has its own number.
        robot: "ideal", "noisy" or "human", the kinds of `RobotUser`; "chooser", an ideal one that once may take
            another size instead of a click, see `sessions.take_better_size`; or "autopet4", the protocol of that
            challenge for all lesions of a scan together, see `autopet4`.
        seed: of the robot users and of the bootstrap.
        baselines: whether to apply the threshold methods to the first click of each target too.
        split_components: whether each connected part (over faces and edges) of a label is a target of its own.

    Raises:
        InputError: fewer than one click is asked for, or what cannot go together.
    """

    clicks: int = 10
    robot: Robot = "ideal"
    seed: int = 0
    baselines: bool = False
    split_components: bool = False

    def __post_init__(self) -> None:
        if self.clicks < 1:
            raise InputError(f"at least 1 click is needed, not {self.clicks}")
        if self.robot != "autopet4":
            return
        if self.baselines or self.split_components:
            raise InputError("autopet4 takes all lesions of a scan together; leave out --baselines, --split-components")
        if self.clicks != AUTOPET4_STEPS[-1]:
            raise InputError(f"autopet4 has {AUTOPET4_STEPS[-1]} clicks; leave out --clicks")

    @property
    def steps(self) -> tuple[int, ...]:
        """Numbers of clicks after which a target is measured."""
        return AUTOPET4_STEPS if self.robot == "autopet4" else tuple(range(1, self.clicks + 1))

    @property
    def robot_kind(self) -> RobotKind:
        """How the robot user clicks."""
        return "noisy" if self.robot == "noisy" else "human" if self.robot == "human" else "ideal"
