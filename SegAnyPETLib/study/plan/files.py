"""Plans and manifests as files, and the JSON Schema of both."""

from __future__ import annotations

import json
import reprlib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Manifest, Plan

Parsed = TypeVar("Parsed")


def read_plan(path: Path) -> Plan:
    """Read a plan from YAML; what its values mean for each other is checked by `checks.check_study`.

    Raises:
        InputError: the file is missing or not YAML, or a setting is unknown, missing or of another type.
    """
    return _validated(Plan, _content(path, "plan"), f"the plan {path.name}")


def read_study_manifest(path: Path) -> Manifest:
    """Read the list of scans from JSON or YAML; see `plan.StudyCase`.

    Raises:
        InputError: the file is missing or cannot be understood, or a scan lacks a setting.
    """
    return _validated(Manifest, _content(path, "manifest"), f"the manifest {path.name}")


def schema_of(kind: type[Plan] | type[Manifest]) -> dict[str, Any]:
    """Return the JSON Schema of a plan or a manifest."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TypeAdapter(kind).json_schema()}


def plain(value: Plan | Manifest) -> dict[str, Any]:
    """Return a plan or manifest as JSON can hold it."""
    content = TypeAdapter(type(value)).dump_python(value, mode="json")
    assert isinstance(content, dict)
    return content


def canonical(value: Plan | Manifest) -> bytes:
    """Return a plan or manifest as bytes that are equal for equal ones."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":")).encode()


def _content(path: Path, what: str) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8-sig"))  # JSON is YAML
    except OSError as error:
        raise InputError(f"the {what} {path.name} cannot be read; check its path") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"the {what} {path.name} is not valid YAML: {' '.join(str(error).split())}") from error


def _validated(kind: type[Parsed], content: Any, what: str) -> Parsed:
    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "it"
        given = "" if first["type"] == "missing" else f", not {reprlib.repr(first['input'])}"
        raise InputError(f"{what}: {place}: {first['msg']}{given}; correct it") from None
