"""Models that are known by name. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.notice import NOTICE

#: Endings of files with a network of the SAM-Med3D family.
CHECKPOINT_SUFFIXES = (".pth", ".pt", ".safetensors")


@dataclass(frozen=True)
class ModelEntry:
    """A model that users choose by name.

    Attributes:
        name: as it is typed and recorded with every result.
        family: "lite" or "sam", the architecture of its network.
        summary: purpose, in one line.
        repository: of its weights on Hugging Face; None if they are bundled.
        patterns: shell patterns of its files there, in lower case, matched against file names in lower case.
        licence: of its weights; None if their authors state none.
        bundled: name of its weights in Resources/, or None.
        network: sizes of its network, for the family "sam"; a file of another network is not installed.
    """

    name: str
    family: Literal["lite", "sam"]
    summary: str
    repository: str | None = None
    patterns: tuple[str, ...] = ()
    licence: str | None = None
    bundled: str | None = None
    network: SamConfig = PUBLISHED

    @property
    def terms(self) -> str | None:
        """Terms that a user must accept before using the weights, in one paragraph; None if a licence is stated."""
        if self.licence is not None:
            return None
        return (
            f"The authors of the weights of {self.name!r} (https://huggingface.co/{self.repository}) state no licence "
            "for them. So it is not known whether you may use, change or hand them on, or on what conditions; nobody "
            "has granted you these rights. This program does not contain these weights and does not hand them on. By "
            "accepting you confirm that you have read this, use them on your own responsibility and do not "
            f"redistribute them. {NOTICE}"
        )


MODELS: dict[str, ModelEntry] = {
    model.name: model
    for model in (
        ModelEntry(
            name="lite",
            family="lite",
            summary="SegAnyPET-Lite: small, fast on a CPU, comes with this program",
            licence="Apache-2.0; training data: see Resources/MODEL_CARD.md",
            bundled="lite.safetensors",
        ),
        # The files are the second release; the first one had names of its own, which --file still takes.
        ModelEntry(
            name="general",
            family="sam",
            summary="SegAnyPET General: organs and lesions in whole-body PET, trained on 11,041 scans",
            repository="YichiZhang98/SegAnyPET",
            patterns=("seganypet_v2.pth",),
        ),
        ModelEntry(
            name="lesion",
            family="sam",
            summary="SegAnyPET Lesion: tuned on lesions in whole-body PET",
            repository="YichiZhang98/SegAnyPET",
            patterns=("seganypet_lesion.pth",),
        ),
        ModelEntry(
            name="sam-med3d-turbo",
            family="sam",
            summary="SAM-Med3D turbo: many kinds of 3D images, not made for PET",
            repository="blueyo0/SAM-Med3D",
            patterns=("sam_med3d_turbo.pth",),
            licence="Apache-2.0",
        ),
    )
}


def find_model(name: str) -> ModelEntry:
    """Return the model with a name.

    Raises:
        InputError: no model has this name.
    """
    try:
        return MODELS[name]
    except KeyError:
        raise InputError(f"unknown model {name!r}; known are: {', '.join(MODELS)}") from None
