"""Finding, fetching and storing series (QIDO-RS, WADO-RS, STOW-RS)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dicomweb_client import DICOMwebClient
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.uid import RE_VALID_UID

from SegAnyPETLib.errors import BackendError, InputError
from SegAnyPETLib.pacs.address import PacsAddress
from SegAnyPETLib.pacs.failures import quietly, told_in_one_line
from SegAnyPETLib.volume.owned_folder import owned_folder

#: Characters of a UID (DICOM PS3.5, 9.1).
MAX_UID = 64

#: In whichever transfer syntax the archive holds: nothing is decoded and encoded again on the way.
ANY_SYNTAX = (("application/dicom", "*"),)


@dataclass(frozen=True)
class Query:
    """Which series are looked for; what is None does not matter.

    Attributes:
        study_uid: of one study.
        patient_id: of one patient.
        dates: "20261201", or a range "20261101-20261201".
        modality: "PT", "SEG", ...
    """

    study_uid: str | None = None
    patient_id: str | None = None
    dates: str | None = None
    modality: str | None = "PT"


@dataclass(frozen=True)
class FoundSeries:
    """What an archive says of a series; nothing of it names the patient.

    Attributes:
        study_uid: Study Instance UID.
        series_uid: Series Instance UID.
        modality: "PT", ...
        date: of the study, as DICOM writes it; "" if the archive does not tell.
        instances: number of objects; None if the archive does not tell.
        description: of the series.
    """

    study_uid: str
    series_uid: str
    modality: str
    date: str
    instances: int | None
    description: str


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service.

    Attributes:
        address: of the service.
        client: connected to it.
    """

    address: PacsAddress
    client: DICOMwebClient

    def find(self, query: Query) -> list[FoundSeries]:
        """Return the series that a query means, study by study.

        Raises:
            InputError: the query means the whole archive, or its UID is none.
            BackendError: the archive cannot be asked, or refuses.
        """
        if query.study_uid is None and query.patient_id is None and query.dates is None:
            raise InputError("say what to look for: --study, --dates or --patient-id-file")
        if query.study_uid is not None:
            _check_uid(query.study_uid, "study")
        filters = {"PatientID": query.patient_id, "StudyDate": query.dates, "StudyInstanceUID": query.study_uid}
        with told_in_one_line(self.address):
            studies = self.client.search_for_studies(search_filters=_given(filters))
            return [found for study in map(Dataset.from_json, studies) for found in self._series(study, query)]

    def fetch(self, study_uid: str, series_uid: str, folder: Path, arrived: Callable[[], object] = lambda: None) -> int:
        """Write the objects of a series to a new folder, which is there only if all arrived; return their number.

        Args:
            study_uid: Study Instance UID.
            series_uid: Series Instance UID.
            folder: new; its files are numbered, since names from outside are not to be trusted.
            arrived: called after each object.

        Raises:
            InputError: the folder exists already or cannot be made, or a UID is none.
            BackendError: the archive cannot be asked, refuses, or sends something else.
        """
        _check_uid(study_uid, "study")
        _check_uid(series_uid, "series")
        if folder.exists():
            raise InputError(f"{folder.name} exists already; give the name of a new folder")
        if not folder.parent.is_dir():
            raise InputError(f"{folder.name} cannot be made: its folder does not exist; make the folder first")
        with owned_folder(folder.parent, ".pacs-") as temporary:
            whole = temporary / "series"
            whole.mkdir(mode=0o700)
            count = 0
            with told_in_one_line(self.address):
                for count, instance in enumerate(self._instances(study_uid, series_uid), start=1):
                    instance.save_as(whole / f"{count:05d}.dcm", enforce_file_format=True)
                    arrived()
            if not count:
                raise BackendError(f"{self.address.host} sends no object of this series; check the UIDs")
            whole.rename(folder)
        return count

    def store(self, files: Sequence[Path], stored: Callable[[], object] = lambda: None) -> int:
        """Send DICOM files as they are, each by itself; return their number.

        Args:
            files: at least one.
            stored: called after each file.

        Raises:
            InputError: a file is not a DICOM object; nothing was sent.
            BackendError: the archive cannot be reached or refuses; how many files it has taken is said.
        """
        for number, file in enumerate(files, start=1):
            _check_file(file, f"file {number} of {len(files)}")
        for count, file in enumerate(files):
            try:
                with told_in_one_line(self.address):
                    reason = _refused(self.client.store_instances([dcmread(file)]))
            except BackendError as error:
                raise BackendError(f"{error} ({count} of {len(files)} objects were stored)") from None
            if reason is not None:
                raise BackendError(
                    f"{self.address.host} did not store object {count + 1} of {len(files)} ({reason}); {count} were "
                    "stored; contact the PACS administrator"
                )
            stored()
        return len(files)

    def _series(self, study: Dataset, query: Query) -> Iterator[FoundSeries]:
        uid = str(study.StudyInstanceUID)
        filters = _given({"Modality": query.modality})
        for item in self.client.search_for_series(uid, search_filters=filters):
            series = Dataset.from_json(item)
            count = series.get("NumberOfSeriesRelatedInstances")
            yield FoundSeries(
                uid,
                str(series.SeriesInstanceUID),
                str(series.get("Modality", "")),
                str(study.get("StudyDate", "")),
                None if count is None else int(count),
                str(series.get("SeriesDescription", "")),
            )

    def _instances(self, study_uid: str, series_uid: str) -> Iterator[Dataset]:
        for instance in self.client.iter_series(study_uid, series_uid, media_types=ANY_SYNTAX):
            if (instance.StudyInstanceUID, instance.SeriesInstanceUID) != (study_uid, series_uid):
                raise BackendError(f"{self.address.host} sends another series than it was asked for; it was not kept")
            yield instance


def _given(filters: dict[str, str | None]) -> dict[str, Any]:
    return {keyword: value for keyword, value in filters.items() if value is not None}


def _check_uid(text: str, what: str) -> None:
    if len(text) > MAX_UID or not re.fullmatch(RE_VALID_UID, text):
        raise InputError(f"the UID of the {what} is none; copy it from what `seganypet pacs find` prints")


def _check_file(file: Path, what: str) -> None:
    """Refuse what is not a DICOM object; names of files may hold those of patients, and are not repeated."""
    try:
        with quietly():
            held = dcmread(file, stop_before_pixels=True, specific_tags=["SOPInstanceUID", "StudyInstanceUID"])
    except (InvalidDicomError, EOFError, ValueError):
        raise InputError(f"{what} is not a DICOM file; nothing was sent") from None
    except OSError as error:
        raise InputError(f"{what} cannot be read: {error.strerror}; nothing was sent") from None
    if "SOPInstanceUID" not in held or "StudyInstanceUID" not in held:
        raise InputError(f"{what} lacks the UIDs by which an archive files it; nothing was sent")


def _refused(answer: Dataset) -> str | None:
    """Return why the one object that was sent was not stored, None if the archive confirms that it was."""
    failed = answer.get("FailedSOPSequence")
    if failed:
        return f"DICOM failure reason {int(failed[0].get('FailureReason', 0)):#06x}"
    return None if answer.get("ReferencedSOPSequence") else "it does not confirm it"
