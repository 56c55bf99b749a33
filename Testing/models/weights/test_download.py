"""Weights from a hub, which is a real server on this machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from huggingface_hub import constants, hf_hub_download

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.models.weights.download import fetch
from SegAnyPETLib.models.weights.hub import choose
from SegAnyPETLib.models.weights.registry import find_model
from Testing.hub_server import REVISION, Hub, serving

TURBO = "sam_med3d_turbo.pth"
PIECE_BYTES = 1 << 16

pytestmark = pytest.mark.usefixtures("small_models")


@pytest.fixture
def hub(home: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the checkpoint of SAM-Med3D turbo, and nothing of this machine's own settings."""
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no token"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", PIECE_BYTES)
    with serving(Hub({"README.md": b"read me", TURBO: checkpoint.read_bytes()})) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def left_over(home: Path) -> list[str]:
    """What the folder of downloads holds beside locks."""
    return [path.name for path in (home / "downloads").iterdir() if path.suffix != ".lock"]


def stop_after(piece: int) -> object:
    """A progress that stops the download."""

    def progress(there: int, _: int) -> None:
        if there >= piece:
            raise SegAnyPETError("stopped")

    return progress


def test_weights_arrive_as_they_are(home: Path, hub: Hub, checkpoint: Path) -> None:
    told: list[tuple[int, int]] = []
    record = fetch("sam-med3d-turbo", progress=lambda there, whole: told.append((there, whole)))
    size = checkpoint.stat().st_size
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()
    assert record.source == f"blueyo0/SAM-Med3D@{REVISION}"
    assert record.sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert store.installed() == {"sam-med3d-turbo": record}
    assert told[0] == (PIECE_BYTES, size)
    assert told[-1] == (size, size)
    assert left_over(home) == []


def test_only_what_is_needed_is_asked_of_the_hub(home: Path, hub: Hub) -> None:
    fetch("sam-med3d-turbo")
    asked = [(method, path.partition("?")[0]) for method, path, _ in hub.requests]
    assert asked == [
        ("GET", "/api/models/blueyo0/SAM-Med3D"),
        ("GET", f"/blueyo0/SAM-Med3D/resolve/{REVISION}/{TURBO}"),
    ]


def test_what_is_there_is_not_fetched_again(home: Path, hub: Hub) -> None:
    record = fetch("sam-med3d-turbo")
    assert fetch("sam-med3d-turbo") == record
    assert len(hub.ranges()) == 1


def test_what_changed_on_disk_is_fetched_again(home: Path, hub: Hub, checkpoint: Path) -> None:
    path = home / fetch("sam-med3d-turbo").file
    path.write_bytes(bytes(path.stat().st_size))
    fetch("sam-med3d-turbo")
    assert path.read_bytes() == checkpoint.read_bytes()


def test_terms_come_before_any_request(home: Path, hub: Hub, checkpoint: Path) -> None:
    hub.files = {"seganypet_lesion.pth": checkpoint.read_bytes()}
    with pytest.raises(InputError, match=r"state no licence.*--accept-terms"):
        fetch("lesion")
    assert hub.requests == []
    assert not home.exists()


def test_an_accepted_answer_is_stored_even_where_the_download_fails(home: Path, hub: Hub, checkpoint: Path) -> None:
    hub.files = {"seganypet_lesion.pth": checkpoint.read_bytes()}
    hub.status = 503
    with pytest.raises(SegAnyPETError, match="HTTP 503"):
        fetch("lesion", accept_terms=True)
    hub.status = 200
    assert fetch("lesion").licence == ""
    assert json.loads((home / "index.json").read_text())["terms"]["lesion"]["text"] == find_model("lesion").terms


def test_a_stopped_download_goes_on_where_it_was(home: Path, hub: Hub, checkpoint: Path) -> None:
    with pytest.raises(SegAnyPETError, match="stopped"):
        fetch("sam-med3d-turbo", progress=stop_after(3 * PIECE_BYTES))
    assert len(left_over(home)) == 1
    assert store.installed() == {}
    told: list[int] = []
    fetch("sam-med3d-turbo", progress=lambda there, _: told.append(there))
    assert hub.ranges() == [None, f"bytes={3 * PIECE_BYTES}-"]
    assert told[0] == 4 * PIECE_BYTES
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()
    assert left_over(home) == []


def test_a_broken_connection_is_taken_up_again(
    home: Path, hub: Hub, checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.breaks = [3 * PIECE_BYTES + 5]
    fetch("sam-med3d-turbo")
    assert hub.ranges() == [None, f"bytes={3 * PIECE_BYTES}-"]
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()
    assert capfd.readouterr() == ("", "")


def test_a_hub_that_sends_all_instead_of_the_rest_does_no_harm(home: Path, hub: Hub, checkpoint: Path) -> None:
    with pytest.raises(SegAnyPETError, match="stopped"):
        fetch("sam-med3d-turbo", progress=stop_after(PIECE_BYTES))
    hub.ignores_ranges = True
    fetch("sam-med3d-turbo")
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()


def test_a_part_of_something_else_is_not_trusted(home: Path, hub: Hub, checkpoint: Path) -> None:
    with pytest.raises(SegAnyPETError, match="stopped"):
        fetch("sam-med3d-turbo", progress=stop_after(PIECE_BYTES))
    (part,) = left_over(home)
    (home / "downloads" / part).write_bytes(bytes(PIECE_BYTES))
    with pytest.raises(SegAnyPETError, match="is not what the hub states"):
        fetch("sam-med3d-turbo")
    assert left_over(home) == []
    fetch("sam-med3d-turbo")
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()


def test_another_content_than_stated_is_deleted(home: Path, hub: Hub) -> None:
    hub.stated[TURBO] = "a" * 64
    with pytest.raises(SegAnyPETError, match=r"is not what the hub states \(SHA-256\)"):
        fetch("sam-med3d-turbo")
    assert left_over(home) == []
    assert store.installed() == {}


def test_more_content_than_stated_is_not_taken(home: Path, hub: Hub) -> None:
    hub.surplus = bytes(20 * PIECE_BYTES)
    with pytest.raises(SegAnyPETError):
        fetch("sam-med3d-turbo")
    assert all((home / "downloads" / part).stat().st_size <= len(hub.files[TURBO]) for part in left_over(home))
    assert store.installed() == {}


def test_a_file_without_a_stated_hash_is_not_fetched(home: Path, hub: Hub) -> None:
    hub.stated[TURBO] = None
    with pytest.raises(SegAnyPETError, match=r"states no SHA-256.*weights add sam-med3d-turbo FILE"):
        fetch("sam-med3d-turbo")
    assert hub.ranges() == []


@pytest.mark.parametrize("content", [b"<html>not found</html>", b"", b"PK\x03\x04 and no more"])
def test_a_file_that_is_no_checkpoint_is_deleted(home: Path, hub: Hub, content: bytes) -> None:
    hub.files[TURBO] = content
    with pytest.raises(InputError):
        fetch("sam-med3d-turbo")
    assert store.installed() == {}
    assert not (home / "downloads").exists() or left_over(home) == []


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "RepoNotFound", "no public repository blueyo0/SAM-Med3D"),
        (401, "", "HTTP 401"),
        (404, "RepoNotFound", "no public repository blueyo0/SAM-Med3D"),
        (401, "GatedRepo", "ask you to log in"),
        (403, "GatedRepo", "ask you to log in"),
        (403, "", "HTTP 403"),
        (500, "", "HTTP 500"),
    ],
)
def test_refusals_of_the_hub_are_explained(home: Path, hub: Hub, status: int, code: str, reason: str) -> None:
    hub.status, hub.error_code = status, code
    with pytest.raises(SegAnyPETError, match=reason) as caught:
        fetch("sam-med3d-turbo")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("answer", [b"<html>log in to the hospital's network</html>", b"[]", b"{}", b'{"siblings": 3}'])
def test_an_answer_of_something_else_than_a_hub_is_told(home: Path, hub: Hub, answer: bytes) -> None:
    hub.answer = answer
    with pytest.raises(SegAnyPETError, match="is not a Hugging Face hub"):
        fetch("sam-med3d-turbo")


def test_a_hub_that_cannot_be_reached_is_told(home: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(SegAnyPETError, match=r"cannot be reached.*weights add sam-med3d-turbo FILE"):
        fetch("sam-med3d-turbo")


@pytest.mark.parametrize(
    "endpoint", ["no address", "ftp://127.0.0.1", "http://[::", "http://a:b", "http://a:99999", "//a"]
)
def test_an_endpoint_that_is_no_address_is_named(
    home: Path, hub: Hub, endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(InputError, match="HF_ENDPOINT is not the address"):
        fetch("sam-med3d-turbo")


def test_a_token_does_not_follow_to_another_host(home: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with serving(Hub(dict(hub.files))) as elsewhere:
        hub.elsewhere = elsewhere.url
        fetch("sam-med3d-turbo")
        assert [headers.get("authorization") for _, _, headers in hub.requests] == ["Bearer hf_secret"] * 2
        assert [headers.get("authorization") for _, _, headers in elsewhere.requests] == [None]
    assert store.weights_file("sam-med3d-turbo").is_file()


def test_a_download_of_another_process_is_not_disturbed(home: Path, hub: Hub) -> None:
    (home / "downloads").mkdir(parents=True)
    sha256 = hashlib.sha256(hub.files[TURBO]).hexdigest()
    with (
        FileLock(home / "downloads" / f"{sha256}.lock"),
        pytest.raises(SegAnyPETError, match="another process is fetching"),
    ):
        fetch("sam-med3d-turbo")
    assert hub.ranges() == []


def test_folders_of_the_repository_are_not_made_here(home: Path, hub: Hub, checkpoint: Path) -> None:
    hub.files = {"deep/folder/seganypet_lesion.pth": checkpoint.read_bytes()}
    record = fetch("lesion", accept_terms=True)
    assert record.file == f"lesion-{record.sha256[:16]}.pth"
    assert (home / record.file).is_file()


def test_a_name_in_the_repository_is_not_a_path_on_this_machine(home: Path, hub: Hub, checkpoint: Path) -> None:
    hub.files = {"../../seganypet_lesion.pth": checkpoint.read_bytes()}
    with pytest.raises(SegAnyPETError):
        fetch("lesion", accept_terms=True)
    assert [path.name for path in home.parent.iterdir()] == [home.name]


def test_without_a_network_what_is_installed_is_used(home: Path, hub: Hub) -> None:
    record = fetch("sam-med3d-turbo")
    before = len(hub.requests)
    assert fetch("sam-med3d-turbo", offline=True) == record
    assert len(hub.requests) == before


def test_without_a_network_the_cache_of_the_library_is_used(home: Path, hub: Hub, checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"not on this machine.*weights add sam-med3d-turbo FILE"):
        fetch("sam-med3d-turbo", offline=True)
    hf_hub_download("blueyo0/SAM-Med3D", TURBO, endpoint=hub.url)
    before = len(hub.requests)
    record = fetch("sam-med3d-turbo", offline=True)
    assert record.source == f"blueyo0/SAM-Med3D@{REVISION}"
    assert store.weights_file("sam-med3d-turbo").read_bytes() == checkpoint.read_bytes()
    assert len(hub.requests) == before


def test_a_damaged_cache_of_the_library_is_told(home: Path, hub: Hub) -> None:
    cached = Path(hf_hub_download("blueyo0/SAM-Med3D", TURBO, endpoint=hub.url)).resolve()
    cached.write_bytes(bytes(cached.stat().st_size))
    with pytest.raises(SegAnyPETError, match="is damaged"):
        fetch("sam-med3d-turbo", offline=True)
    assert store.installed() == {}


def test_the_published_files_are_found_by_their_names() -> None:
    names = ["README.md", "seganypet_v1.pth", "ckpt/SegAnyPET_v2.pth", "seganypet_lesion.pth"]
    assert choose(find_model("lesion"), names, None) == "seganypet_lesion.pth"
    assert choose(find_model("general"), names, None) == "ckpt/SegAnyPET_v2.pth"


def test_several_files_are_named_and_one_can_be_chosen() -> None:
    names = ["a/seganypet_v2.pth", "b/seganypet_v2.pth", "seganypet_v1.pth"]
    with pytest.raises(InputError, match=r"several files.*: a/seg.*, b/seg.*; choose one with.*--file"):
        choose(find_model("general"), names, None)
    assert choose(find_model("general"), names, "seganypet_v1.pth") == "seganypet_v1.pth"


def test_files_whose_names_tell_nothing_are_named() -> None:
    with pytest.raises(InputError, match=r"no file that may be 'general'; it has: epoch_9\.pth, model\.pth"):
        choose(find_model("general"), ["model.pth", "epoch_9.pth", "config.json"], None)
    with pytest.raises(InputError, match="it has: none"):
        choose(find_model("general"), [], None)


@pytest.mark.parametrize("file", ["lesion_v3.pth", "README.md", "../index.json"])
def test_a_chosen_file_must_be_there(file: str) -> None:
    with pytest.raises(InputError, match=r"has no weights file.*it has: lesion_v1\.pth"):
        choose(find_model("lesion"), ["lesion_v1.pth", "README.md"], file)
