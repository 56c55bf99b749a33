"""What the Extensions Index and Slicer's Extensions Manager are told; the checks are those of the index."""

import re
from urllib.parse import urlsplit

from Testing.tools.extension_description import ROOT, catalog_entry, cmake_metadata, description

#: All that Slicer's schema of an entry allows (Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json).
ENTRY_FIELDS = {
    "$schema",
    "build_dependencies",
    "build_subdirectory",
    "category",
    "enabled",
    "scm_revision",
    "scm_type",
    "scm_url",
    "tier",
}
#: A file of the repository's main branch as the index and the Extensions Manager load it.
RAW = re.compile(r"https://raw\.githubusercontent\.com/(?P<owner>[^/]+)/(?P<name>[^/]+)/main/(?P<path>.+)")


def repository() -> tuple[str, str]:
    owner, name = urlsplit(str(catalog_entry()["scm_url"])).path.strip("/").split("/")
    return owner, name.removesuffix(".git")


def test_the_entry_has_the_fields_of_the_schema_and_the_values_of_cmake() -> None:
    entry, metadata = catalog_entry(), cmake_metadata()
    assert set(entry) <= ENTRY_FIELDS
    assert entry["category"] == metadata["category"]
    assert entry["build_dependencies"] == metadata["depends"].split()
    assert "project(SegAnyPET)" in (ROOT / "CMakeLists.txt").read_text()


def test_the_repository_is_named_as_the_index_asks() -> None:
    assert str(catalog_entry()["scm_url"]).startswith("https://github.com/")
    assert repository()[1].startswith("Slicer")


def test_icon_and_screenshots_are_files_of_the_repository() -> None:
    metadata = cmake_metadata()
    addresses = [metadata["iconurl"], *metadata["screenshoturls"].split()]
    assert len(addresses) > 1
    for address in addresses:
        found = RAW.fullmatch(address)
        assert found, address
        assert (found["owner"], found["name"]) == repository()
        assert (ROOT / found["path"]).read_bytes().startswith(b"\x89PNG")


def test_the_homepage_is_the_repository() -> None:
    assert cmake_metadata()["homepage"] == "https://github.com/" + "/".join(repository())


def test_nothing_is_left_empty() -> None:
    assert [name for name, value in cmake_metadata().items() if not value] == []


def test_the_readers_of_pet_series_are_recommended() -> None:
    assert cmake_metadata()["recommends"] == "PETDICOMExtension"


def test_the_description_of_slicer_4_is_the_generated_one() -> None:
    assert (ROOT / "SegAnyPET.s4ext").read_text() == description()


def test_every_page_names_the_same_repository() -> None:
    owner, name = repository()
    for file in ("CITATION.cff", "mkdocs.yml", "pyproject.toml", "docs/developer/first_change.md"):
        named = set(re.findall(rf"github\.com/{owner}/([A-Za-z]+)", (ROOT / file).read_text()))
        assert named == {name}, file
