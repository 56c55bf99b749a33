"""What a study fixes before its first reading: readers, arms, design, endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

#: Codes, never names: they are written into logs and reports.
CODE = r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"
#: Cases may begin with a digit.
CASE_CODE = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"

Code = Annotated[str, Field(pattern=CODE)]
CaseCode = Annotated[str, Field(pattern=CASE_CODE)]
Share = Annotated[float, Field(gt=0, lt=1)]
Kind = Literal["crossover", "latin_square", "parallel"]
Multiplicity = Literal["none", "holm", "bonferroni"]
#: Quantities whose quality or agreement a plan may name.
Quality = Literal["dice", "surface_dice_2mm", "hd95_mm", "volume_ml", "suv_max", "suv_mean", "tlg_g"]

_STRICT: dict[str, Any] = {"extra": "forbid"}


@dataclass(frozen=True)
class Arm:
    """A way of working.

    Attributes:
        name: its code.
        tools: what a reader has; everything else is hidden.
        model: name of the model, or "" if no model may be asked.
        reference: whether the others are compared with this one; exactly one is.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: Code
    tools: tuple[Code, ...]
    model: str = ""
    reference: bool = False


@dataclass(frozen=True)
class Design:
    """Who reads what, when, with which arm.

    Attributes:
        kind: ``crossover``: every reader reads every case in both arms, in two periods, in random order;
            ``latin_square``: the same with three arms or more, in the orders of a Williams square;
            ``parallel``: every reader reads every case once, in an arm drawn by lot.
        washout_days: days between the last case of a period and the first of the next.
        cases_per_day: at most so many per reader.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    kind: Kind = "crossover"
    washout_days: Annotated[int, Field(ge=0)] = 21
    cases_per_day: Annotated[int, Field(ge=1)] = 8


@dataclass(frozen=True)
class Breaks:
    """When a reader rests.

    Attributes:
        after_min: minutes of work after which a break is due.
        minutes: its length.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    after_min: Annotated[int, Field(ge=1)] = 60
    minutes: Annotated[int, Field(ge=1)] = 10


@dataclass(frozen=True)
class Expected:
    """What the power is computed for.

    Attributes:
        saving: share of the reference arm's time that is saved.
        cv_between_cases: coefficient of variation of a case's time; 0.5 to 0.8 in manual delineation.
        cv_within: coefficient of variation of one reading about its case, reader and arm. 0.33 gives a standard
            deviation of 0.45 of the difference of two logarithms.
        power: chance that the study shall have to show the saving; a plan with less is refused.
        simulations: studies that are simulated.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    saving: Share = 0.3
    cv_between_cases: Annotated[float, Field(gt=0, le=3)] = 0.65
    cv_within: Annotated[float, Field(gt=0, le=3)] = 0.33
    power: Share = 0.8
    simulations: Annotated[int, Field(ge=100, le=100_000)] = 1000


@dataclass(frozen=True)
class NonInferiority:
    """A margin by which quality may differ between arms.

    Attributes:
        quantity: what is compared.
        margin: the largest difference that does not matter, in the quantity's unit; for volumes, SUV and TLG of the
            natural logarithm.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    quantity: Quality
    margin: Annotated[float, Field(gt=0)]


@dataclass(frozen=True)
class Plan:
    """A study.

    Attributes:
        name: of the study; its files are named after it.
        readers: codes of the readers, no names.
        arms: the ways of working that are compared.
        seed: of every random choice.
        design: who reads what, when.
        idle_s: gaps between two acts that are longer are cut to this length.
        blinded: whether readers see neither results of the other arms nor of other readers.
        breaks: when a reader rests.
        expected: what the power is computed for.
        quality: margins of non-inferiority; each needs reference masks.
        multiplicity: how p-values of several comparisons are corrected.
        simulated: whether robots read; their study needs no wash-out and no training.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    name: Code
    readers: tuple[Code, ...]
    arms: tuple[Arm, ...]
    seed: Annotated[int, Field(ge=0)]
    design: Design = Design()
    idle_s: Annotated[float, Field(gt=0)] = 30.0
    blinded: bool = True
    breaks: Breaks = Breaks()
    expected: Expected = Expected()
    quality: tuple[NonInferiority, ...] = ()
    multiplicity: Multiplicity = "holm"
    simulated: bool = False

    @property
    def reference(self) -> Arm:
        """The arm that the others are compared with."""
        return next(arm for arm in self.arms if arm.reference)

    @property
    def tested(self) -> tuple[Arm, ...]:
        """The other arms."""
        return tuple(arm for arm in self.arms if not arm.reference)


@dataclass(frozen=True)
class StudyCase:
    """A scan that is read.

    Attributes:
        id: its code; no identifier of a patient.
        image: PET file or DICOM folder, relative to the manifest's folder.
        targets: codes of what is to be segmented; none if readers find the targets themselves.
        reference: label map, relative to the manifest's folder, or "".
        training: whether it is read before the study and not analysed.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    id: CaseCode
    image: Annotated[str, Field(min_length=1)]
    targets: tuple[Code, ...] = ()
    reference: str = ""
    training: bool = False


@dataclass(frozen=True)
class Manifest:
    """The scans of a study.

    Attributes:
        cases: in any order.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _STRICT

    cases: tuple[StudyCase, ...] = field(default=())

    @property
    def analysed(self) -> tuple[StudyCase, ...]:
        """The cases that count."""
        return tuple(case for case in self.cases if not case.training)

    @property
    def training(self) -> tuple[StudyCase, ...]:
        """The cases that are read before the study."""
        return tuple(case for case in self.cases if case.training)
