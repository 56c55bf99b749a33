"""The PET series in a folder of a study, by headers alone, and which of them is meant."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import (
    EnhancedPETImageStorage,
    LegacyConvertedEnhancedPETImageStorage,
    MediaStorageDirectoryStorage,
    PositronEmissionTomographyImageStorage,
)

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.file import read_header, reading, storage_class
from SegAnyPETLib.volume.dicom.header import required

ENHANCED_PET = (EnhancedPETImageStorage, LegacyConvertedEnhancedPETImageStorage)
#: What is read of a header to tell series apart.
LISTED_KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SeriesDescription",
    "SeriesDate",
    "SeriesTime",
    "ImagePositionPatient",
    "CorrectedImage",
    "SeriesType",
)
#: More files than any study has: a wrong folder.
MAX_FILES = 200_000
#: Characters of a description that are shown, and of the end of an identifier.
SHOWN_DESCRIPTION = 40
SHOWN_UID = 12
#: First values of SeriesType (0054,1000) of series with several images of each place (DICOM PS3.3, C.8.9.1.1.4).
MOVING = ("DYNAMIC", "GATED")


@dataclass(frozen=True)
class FoundSeries:
    """A PET series that lies in a folder.

    Attributes:
        uid: its identifier.
        study_uid: that of its study, "" if the files do not say.
        description: as it was given at the scanner, shortened, in printable characters.
        date: YYYYMMDD as in the file, "" if it does not say.
        time: HHMMSS as in the file, "" if it does not say.
        corrections: of CorrectedImage (0028,0051), in capitals.
        kind: first value of SeriesType (0054,1000) in capitals, "ENHANCED" for multi-frame files, "" if not said.
        slices: images, copies not counted.
        frames: images of each place, rounded up.
        files: in the order of their paths, copies too.
    """

    uid: str
    study_uid: str
    description: str
    date: str
    time: str
    corrections: tuple[str, ...]
    kind: str
    slices: int
    frames: int
    files: tuple[Path, ...]

    @property
    def attenuation_corrected(self) -> bool:
        """Whether the tags say so."""
        return "ATTN" in self.corrections

    @property
    def moving(self) -> bool:
        """Whether it shows each place several times, by time or by a gate."""
        return self.kind in MOVING and self.frames > 1

    @property
    def line(self) -> str:
        """What tells it from others, in one line."""
        when = " ".join(part for part in (_date(self.date), _time(self.time)) if part)
        parts = [
            self.description or "no description",
            f"{self.slices} {'files' if self.kind == 'ENHANCED' else 'slices'}",
            "attenuation-corrected" if self.attenuation_corrected else "not attenuation-corrected",
            f"{self.kind.lower()}, {self.frames} frames" if self.moving else "",
            "enhanced multi-frame" if self.kind == "ENHANCED" else "",
            when or "no time",
            f"UID ...{self.uid[-SHOWN_UID:]}",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Study:
    """What lies in a folder.

    Attributes:
        series: PET series in the order of date, time, description and identifier; their numbers count from 1.
        others: what else is there, and how many files of it, by modality.
        where: name of the folder, for messages.
    """

    series: tuple[FoundSeries, ...]
    others: tuple[tuple[str, int], ...]
    where: str

    @property
    def listing(self) -> str:
        """All PET series with their numbers, in one line."""
        return "; ".join(f"{number}: {each.line}" for number, each in enumerate(self.series, start=1))

    def chosen(self, wish: str = "") -> FoundSeries:
        """Return the series that is meant.

        Args:
            wish: number in the list, an identifier, or the end of one; "" for the only series, or else the
                attenuation-corrected one of most slices.

        Raises:
            InputError: there is none, several may be meant, or the one that is meant is dynamic or gated.
        """
        if not self.series:
            others = ", ".join(name for name, _ in self.others)
            found = f" (found: {others})" if others else ""
            raise InputError(f"{self.where} holds no DICOM PET images{found}; give the folder of the PET series")
        one = self._wished(wish) if wish else self._usual()
        if one.moving:
            what = "dynamic" if one.kind == "DYNAMIC" else "gated"
            raise InputError(
                f"the PET series is {what}, with {one.frames} frames of each place, which are not summed here; choose "
                f"or export the static series, or one frame as a series of its own{self._rest(one)}"
            )
        return one

    def _usual(self) -> FoundSeries:
        if len(self.series) == 1:
            return self.series[0]
        usual = [one for one in self.series if one.attenuation_corrected and not one.moving and one.kind != "ENHANCED"]
        most = max((one.slices for one in usual), default=0)
        largest = [one for one in usual if one.slices == most]
        # series of two studies are two scans, of which the larger is not more likely to be meant
        if len(largest) != 1 or len({one.study_uid for one in usual}) > 1:
            raise InputError(
                f"{self.where} holds {len(self.series)} PET series; choose one by --series and its number or the end "
                f"of its UID: {self.listing}"
            )
        return largest[0]

    def _wished(self, wish: str) -> FoundSeries:
        if wish.isascii() and wish.isdecimal() and len(wish) < 6 and 1 <= int(wish) <= len(self.series):
            return self.series[int(wish) - 1]
        exact = [one for one in self.series if one.uid == wish]
        meant = exact or [one for one in self.series if one.uid.endswith(wish)]
        if len(meant) == 1:
            return meant[0]
        count = f"{len(meant)} PET series end" if meant else "no PET series ends"
        raise InputError(
            f"{count} with {wish[:64]!r} in {self.where}; give a number of this list, or more of a UID: {self.listing}"
        )

    def _rest(self, one: FoundSeries) -> str:
        return f"; there are: {self.listing}" if len(self.series) > 1 else ""


@dataclass
class _Gathered:
    """Files of one series while they are found."""

    first: Dataset
    kind: str
    paths: list[Path] = field(default_factory=list)
    instances: set[str] = field(default_factory=set)
    places: dict[str, str] = field(default_factory=dict)


def find_series(folder: str | Path) -> Study:
    """List the PET series in a folder and all folders beneath, from headers alone.

    Links to folders are not followed. Files that are not DICOM are passed over.

    Raises:
        InputError: it is no folder, cannot be read, has more files than any study, or one of its files is damaged.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise InputError(f"{folder.name} is not a folder; give the folder that holds the PET series")
    gathered: dict[str, _Gathered] = {}
    others: Counter[str] = Counter()
    for path in files_below(folder):
        with reading(path):
            header = read_header(path, LISTED_KEYWORDS)
            kind = None if header is None else storage_class(header)
            if header is None or kind is None:
                continue
            if kind in ENHANCED_PET:
                _gather(gathered, path, header, "ENHANCED")
            elif kind == PositronEmissionTomographyImageStorage:
                _gather(gathered, path, header, (_texts(header, "SeriesType") or ("",))[0])
            elif kind == MediaStorageDirectoryStorage:
                others["a DICOMDIR without its images"] += 1
            elif header.get("Modality") == "PT":
                others[f"PT as {kind.name}"] += 1
            else:
                others[str(header.get("Modality") or "unknown")] += 1
    found = sorted((_found(uid, each) for uid, each in gathered.items()), key=_order)
    return Study(tuple(found), tuple(sorted(others.items())), f"the folder {folder.name}")


def files_below(folder: Path) -> Iterator[Path]:
    """Iterate over the files of a folder and of those beneath, sorted.

    Raises:
        InputError: a folder cannot be read, or there are more files than any study has.
    """
    count = 0
    for place, folders, names in os.walk(folder, onerror=_unreadable):
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            if not path.is_file():  # a pipe or a broken link
                continue
            count += 1
            if count > MAX_FILES:
                raise InputError(f"{folder.name} holds more than {MAX_FILES} files; give the folder of one study")
            yield path


def _unreadable(error: OSError) -> None:
    raise InputError(f"the folder {Path(str(error.filename)).name} cannot be read; check your rights to it") from error


def _gather(gathered: dict[str, _Gathered], path: Path, header: Dataset, kind: str) -> None:
    uid = str(required(header, "SeriesInstanceUID"))
    instance = str(required(header, "SOPInstanceUID"))
    series = gathered.setdefault(uid, _Gathered(header, kind))
    series.paths.append(path)
    series.instances.add(instance)
    series.places[instance] = str(header.get("ImagePositionPatient"))


def _found(uid: str, series: _Gathered) -> FoundSeries:
    with reading(series.paths[0]):
        first = series.first
        return FoundSeries(
            uid=uid,
            study_uid=str(first.get("StudyInstanceUID") or ""),
            description=_printable(first.get("SeriesDescription")),
            date=_printable(first.get("SeriesDate")),
            time=_printable(first.get("SeriesTime")),
            corrections=_corrections(first),
            kind=series.kind,
            slices=len(series.instances),
            frames=-(-len(series.instances) // len(set(series.places.values()))),
            files=tuple(series.paths),
        )


def _order(series: FoundSeries) -> tuple[str, str, str, str]:
    return series.date, series.time, series.description, series.uid


def _corrections(header: Dataset) -> tuple[str, ...]:
    """Values of CorrectedImage, which some writers join by commas or spaces."""
    return tuple(part for text in _texts(header, "CorrectedImage") for part in text.replace(",", " ").split())


def _texts(header: Dataset, keyword: str) -> tuple[str, ...]:
    value = header.get(keyword)
    values: Sequence[object] = value if isinstance(value, (MultiValue, list)) else [value or ""]
    return tuple(str(each).strip().upper() for each in values)


def _printable(value: object) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in str(value or ""))
    return " ".join(text.split())[:SHOWN_DESCRIPTION]


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}" if len(text) >= 8 else ""


def _time(text: str) -> str:
    return f"{text[:2]}:{text[2:4]}" if len(text) >= 4 else ""
