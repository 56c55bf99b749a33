"""Making an object: failures in one line, nothing of the patient in logs, identifiers as they are."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config

from SegAnyPETLib.errors import InputError


@contextmanager
def making(what: str) -> Iterator[None]:
    """Turn errors of highdicom and pydicom into one line, and drop their warnings, which quote the patient's name.

    Values are taken over as they are, also where they are longer than the standard allows, as anonymisers' often are: a
    PACS knows a study by them.

    Args:
        what: the object that is made, for the message.

    Raises:
        InputError: the tags of the series do not allow such an object.
    """
    logger = logging.getLogger("highdicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"a {what} cannot be made of the tags of this PET series; export the original series with all its tags, or "
            "choose an output that ends in .seg.nrrd"
        ) from error
    finally:
        logger.setLevel(level)
