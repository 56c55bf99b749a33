"""What DICOM PS3.3 asks of an object: mandatory attributes of its modules, by the tables that come with highdicom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.dataset import Dataset

#: Which attributes an item of a report has depends on its value, which the tables do not tell.
CONTENT = "sr-document-content"
#: Where functional groups of a multi-frame object are.
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def lacking(dataset: Dataset) -> list[str]:
    """Attributes of type 1 that are missing or empty, and of type 2 that are missing, in mandatory modules."""
    modules = get_iod_module_map()[get_sop_class_iod_map()[dataset.SOPClassUID]]
    attributes = get_module_attribute_map()
    found = []
    for module in modules:
        if module["usage"] != "M" or module["key"] == CONTENT:
            continue
        for attribute in attributes[module["key"]]:
            where, keyword, kind = attribute["path"], attribute["keyword"], attribute["type"]
            for item in _items(dataset, where):
                empty = keyword not in item or (kind == "1" and item[keyword].is_empty)
                if kind in ("1", "2") and empty and not _in_other_group(dataset, where, keyword):
                    found.append(".".join([module["key"], *where, keyword]))
    return sorted(set(found))


def _in_other_group(dataset: Dataset, path: Sequence[str], keyword: str) -> bool:
    """Whether a functional group of all frames is among those of each, or the other way round, or is of slides."""
    if len(path) != 1 or path[0] not in GROUPS:
        return False
    return "Slide" in keyword or any(keyword in dataset[group][0] for group in GROUPS)


def _items(dataset: Dataset, path: Sequence[str]) -> Iterator[Dataset]:
    """Items of nested sequences that are there."""
    if not path:
        yield dataset
    elif path[0] in dataset:
        for item in dataset[path[0]].value:
            yield from _items(item, path[1:])
