"""Description of the extension in the form of Slicer 4 (.s4ext), generated from the metadata in CMakeLists.txt.

`python -m Testing.tools.extension_description` writes it, as Slicer's own macro does when the extension is built.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
# Generated from CMakeLists.txt and SegAnyPET.json by: python -m Testing.tools.extension_description
# First token of each non-comment line is the keyword and the rest of the line
# (including spaces) is the value; the value can be blank.
"""
#: Keywords whose values are those of EXTENSION_<keyword> in CMakeLists.txt, in the order of Slicer's template.
FROM_CMAKE = ("depends", "homepage", "contributors", "category", "description", "iconurl", "screenshoturls")


def cmake_metadata(root: Path = ROOT) -> dict[str, str]:
    """Return the values of EXTENSION_* in CMakeLists.txt, by name without this beginning, in lower case."""
    found = re.findall(r'^set\(EXTENSION_([A-Z]+) "([^"]*)"\)$', (root / "CMakeLists.txt").read_text(), re.MULTILINE)
    return {name.lower(): value for name, value in found}


def catalog_entry(root: Path = ROOT) -> dict[str, object]:
    """Return the entry for the Extensions Index."""
    entry: dict[str, object] = json.loads((root / "SegAnyPET.json").read_text())
    return entry


def description(root: Path = ROOT) -> str:
    """Return the text of SegAnyPET.s4ext."""
    metadata, entry = cmake_metadata(root), catalog_entry(root)
    fields = {
        "scm": entry["scm_type"],
        "scmurl": entry["scm_url"],
        "scmrevision": entry["scm_revision"],
        "build_subdirectory": entry["build_subdirectory"],
        **{name: metadata[name] for name in FROM_CMAKE},
        "status": "Development",
        "enabled": "1",
    }
    return HEAD + "".join(f"{name} {value}\n" for name, value in fields.items())


if __name__ == "__main__":
    (ROOT / "SegAnyPET.s4ext").write_text(description())
