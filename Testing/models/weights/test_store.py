"""The folder of installed weights."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.models.sam.checkpoint import save_checkpoint
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.models.weights.registry import ModelEntry, find_model
from SegAnyPETLib.resources import resource_path
from Testing.models.sam.checkpoints import LEAST, random_net

pytestmark = pytest.mark.usefixtures("small_models")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"} if folder.exists() else set()


def test_the_folder_is_one_of_the_user_and_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEGANYPET_HOME", raising=False)
    assert store.home().name == "SegAnyPET"
    assert Path.home() in store.home().parents
    monkeypatch.setenv("SEGANYPET_HOME", str(tmp_path))
    assert store.home() == tmp_path


def test_asking_writes_nothing(home: Path) -> None:
    assert store.installed() == {}
    with pytest.raises(InputError):
        store.weights_file("lesion")
    assert not home.exists()


def test_a_bundled_model_is_there_without_being_installed(home: Path) -> None:
    assert store.weights_file("lite") == resource_path("lite.safetensors")
    verified = store.verify("lite")
    assert verified.sha256 == hashlib.sha256(resource_path("lite.safetensors").read_bytes()).hexdigest()
    assert verified.licence.startswith("Apache-2.0")


def test_an_absent_model_is_answered_with_the_commands_that_bring_it(home: Path) -> None:
    with pytest.raises(InputError) as caught:
        store.weights_file("lesion")
    assert "seganypet weights fetch lesion --accept-terms" in str(caught.value)
    assert "seganypet weights add lesion FILE --accept-terms" in str(caught.value)
    with pytest.raises(InputError, match="seganypet weights fetch sam-med3d-turbo, or"):
        store.weights_file("sam-med3d-turbo")


def test_an_added_checkpoint_is_a_copy_with_a_record(home: Path, checkpoint: Path) -> None:
    record = store.add("sam-med3d-turbo", checkpoint)
    path = store.weights_file("sam-med3d-turbo")
    assert path.parent == home
    assert path.read_bytes() == checkpoint.read_bytes()
    assert record.sha256 == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert (record.size, record.source, record.licence) == (checkpoint.stat().st_size, checkpoint.name, "Apache-2.0")
    assert store.installed() == {"sam-med3d-turbo": record}
    assert files(home) == {"index.json", path.name}
    assert str(checkpoint.parent) not in (home / "index.json").read_text()
    assert store.verify("sam-med3d-turbo") == record


def test_another_checkpoint_takes_the_place_of_the_first(home: Path, checkpoint: Path, tmp_path: Path) -> None:
    from SegAnyPETLib.models.sam.checkpoint import load_checkpoint, save_checkpoint

    first = store.add("sam-med3d-turbo", checkpoint)
    save_checkpoint(load_checkpoint(checkpoint)[0], tmp_path / "other.safetensors")
    second = store.add("sam-med3d-turbo", tmp_path / "other.safetensors")
    assert first.file != second.file
    assert files(home) == {"index.json", second.file}


def test_terms_are_asked_for_once_for_every_model(home: Path, checkpoint: Path) -> None:
    with pytest.raises(InputError, match=r"state no licence.*--accept-terms"):
        store.add("lesion", checkpoint)
    assert not home.exists()
    record = store.add("lesion", checkpoint, accept_terms=True)
    assert record.licence == ""
    agreed = json.loads((home / "index.json").read_text())["terms"]
    assert list(agreed) == ["lesion"]
    assert agreed["lesion"]["text"] == find_model("lesion").terms
    store.remove("lesion")
    store.add("lesion", checkpoint)  # not asked again
    with pytest.raises(InputError, match="state no licence"):
        store.add("general", checkpoint)


def test_other_terms_are_asked_for_again(home: Path, checkpoint: Path) -> None:
    store.add("lesion", checkpoint, accept_terms=True)
    index = home / "index.json"
    index.write_text(index.read_text().replace("state no licence", "say nothing"))
    with pytest.raises(InputError, match="state no licence"):
        store.check_terms(find_model("lesion"), accept_terms=False)


def test_what_is_no_checkpoint_is_not_installed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "page.pth").write_text("<html>")
    for name, reason in (
        ("notes.txt", "ends with"),
        ("page.pth", "not a checkpoint"),
        ("absent.pth", "cannot be opened"),
    ):
        with pytest.raises(InputError, match=reason):
            store.add("lesion", tmp_path / name, accept_terms=True)
    with pytest.raises(InputError, match="SAM-Med3D family"):
        store.add("sam-med3d-turbo", resource_path("lite.safetensors"))
    assert not home.exists()


def test_a_checkpoint_that_changes_between_check_and_copy_is_not_installed(
    home: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "net.pth"
    path.write_bytes(checkpoint.read_bytes())

    def check_and_change(path: Path, model: ModelEntry) -> str:
        sha256 = check_loadable(path, model)
        with path.open("ab") as file:
            file.write(b"x")
        return sha256

    check_loadable = store.check_loadable
    monkeypatch.setattr(store, "check_loadable", check_and_change)
    with pytest.raises(SegAnyPETError, match=r"net\.pth changed while it was copied"):
        store.add("sam-med3d-turbo", path)
    assert files(home) == set()


def test_a_bundled_model_is_neither_added_nor_removed(home: Path, checkpoint: Path) -> None:
    for act in (lambda: store.add("lite", checkpoint), lambda: store.remove("lite")):
        with pytest.raises(InputError, match="come with this program"):
            act()
    assert not home.exists()


def test_a_removed_model_leaves_no_file(home: Path, checkpoint: Path) -> None:
    store.add("sam-med3d-turbo", checkpoint)
    store.remove("sam-med3d-turbo")
    assert files(home) == {"index.json"}
    with pytest.raises(InputError, match="not installed"):
        store.remove("sam-med3d-turbo")


def test_the_folder_may_be_moved(home: Path, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add("sam-med3d-turbo", checkpoint)
    shutil.move(home, tmp_path / "moved")
    assert store.installed() == {}
    monkeypatch.setenv("SEGANYPET_HOME", str(tmp_path / "moved"))
    assert store.weights_file("sam-med3d-turbo").parent == tmp_path / "moved"


def test_the_folder_may_be_emptied(home: Path, checkpoint: Path) -> None:
    record = store.add("sam-med3d-turbo", checkpoint)
    (home / record.file).unlink()
    with pytest.raises(InputError, match=r"are missing.*weights fetch sam-med3d-turbo"):
        store.weights_file("sam-med3d-turbo")
    store.add("sam-med3d-turbo", checkpoint)
    assert store.weights_file("sam-med3d-turbo").is_file()


def test_a_file_that_changed_on_disk_is_not_verified(home: Path, checkpoint: Path) -> None:
    path = home / store.add("sam-med3d-turbo", checkpoint).file
    content = bytearray(path.read_bytes())
    content[-5000] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"changed on disk.*weights remove sam-med3d-turbo"):
        store.verify("sam-med3d-turbo")
    path.write_bytes(content[:-1])
    with pytest.raises(InputError, match="changed on disk"):
        store.weights_file("sam-med3d-turbo")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"version": 1}',
        '{"version": 1, "models": [], "terms": {}}',
        '{"version": 1, "models": {"lesion": {}}, "terms": {}}',
        '{"version": 1, "models": {"lesion": 3}, "terms": {}}',
        '{"version": 1, "models": {}, "terms": {"lesion": {"text": 3, "accepted": ""}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_index_is_named(home: Path, checkpoint: Path, text: str) -> None:
    home.mkdir()
    (home / "index.json").write_text(text)
    with pytest.raises(InputError, match=r"index\.json is damaged"):
        store.installed()
    with pytest.raises(InputError, match=r"index\.json is damaged"):
        store.add("sam-med3d-turbo", checkpoint)
    assert files(home) == {"index.json"}


def test_an_index_that_cannot_be_read_is_not_called_damaged(home: Path) -> None:
    (home / "index.json").mkdir(parents=True)
    with pytest.raises(InputError, match=r"index\.json cannot be read; check your rights to it"):
        store.installed()


def test_an_index_of_another_version_is_left_alone(home: Path) -> None:
    home.mkdir()
    (home / "index.json").write_text('{"version": 2}')
    with pytest.raises(InputError, match="another version"):
        store.installed()


@pytest.mark.parametrize("file", ["../precious.pth", "/precious.pth", ".lock", "a/b.pth", "", "..\\precious.pth"])
def test_an_index_cannot_point_out_of_the_folder(home: Path, checkpoint: Path, tmp_path: Path, file: str) -> None:
    (tmp_path / "precious.pth").write_bytes(b"x")
    store.add("sam-med3d-turbo", checkpoint)
    content = json.loads((home / "index.json").read_text())
    content["models"]["sam-med3d-turbo"]["file"] = file
    (home / "index.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="damaged"):
        store.remove("sam-med3d-turbo")
    assert (tmp_path / "precious.pth").exists()


def test_a_folder_in_which_no_lock_can_be_made_is_told(home: Path, checkpoint: Path) -> None:
    (home / ".lock").mkdir(parents=True)  # refuses everyone, as missing rights would refuse all but root
    with pytest.raises(SegAnyPETError, match=r"weights home cannot be changed; .* your rights there"):
        store.add("sam-med3d-turbo", checkpoint)
    assert [path.name for path in home.iterdir()] == [".lock"]


def test_a_folder_that_is_a_file_is_told(home: Path, checkpoint: Path) -> None:
    home.write_text("x")
    with pytest.raises(SegAnyPETError, match="cannot be made"):
        store.add("sam-med3d-turbo", checkpoint)


WORK = """
import hashlib, sys
from pathlib import Path
from SegAnyPETLib.models.weights import store
from SegAnyPETLib.models.weights.registry import ModelEntry, find_model
name = sys.argv[1]
store.make_folder(store.home())
for n in range(25):
    content = f"{name} {n}".encode()
    path = store.home() / f"arrived-{name}"
    path.write_bytes(content)
    store.adopt(find_model(name), path, hashlib.sha256(content).hexdigest(), "x.pth", "repository@revision")
    if n % 3 == 1:
        store.remove(name)
"""


@pytest.mark.slow
def test_several_processes_do_not_lose_what_the_others_enter(home: Path) -> None:
    names = ["general", "lesion", "sam-med3d-turbo"]
    running = [subprocess.Popen([sys.executable, "-c", WORK, name], stderr=subprocess.PIPE) for name in names]
    assert [process.communicate()[1] for process in running] == [b""] * 3
    there = store.installed()
    assert set(there) == set(names)
    assert files(home) == {"index.json", *(record.file for record in there.values())}
    for name in names:
        assert store.verify(name).sha256 == hashlib.sha256(f"{name} 24".encode()).hexdigest()
    terms = json.loads((home / "index.json").read_text())["terms"]
    assert set(terms) == {"general", "lesion"}


def test_a_checkpoint_of_another_network_is_not_installed(
    home: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # so that the model has its own network again
    monkeypatch.setenv("SEGANYPET_HOME", str(home))
    with pytest.raises(InputError, match=r"another network than .lesion. \(a window of 16 voxels .* of 128 and"):
        store.add("lesion", checkpoint, accept_terms=True)
    assert not home.exists()


def test_corners_of_boxes_make_no_other_network(home: Path, tmp_path: Path) -> None:
    net = random_net(replace(LEAST, boxes=True))
    save_checkpoint(net, tmp_path / "boxes.safetensors")
    assert store.add("sam-med3d-turbo", tmp_path / "boxes.safetensors").size


def test_a_link_in_place_of_the_file_is_refused(home: Path, checkpoint: Path, tmp_path: Path) -> None:
    path = home / store.add("sam-med3d-turbo", checkpoint).file
    path.rename(tmp_path / "elsewhere.pth")
    path.symlink_to(tmp_path / "elsewhere.pth")
    with pytest.raises(InputError, match="do not trust it"):
        store.weights_file("sam-med3d-turbo")


@pytest.mark.parametrize("name", ["index.json", ".lock", "notes.txt", "../mine.pth", "a/mine.pth", ".pth"])
def test_an_index_that_names_what_is_not_weights_is_damaged_and_nothing_is_deleted(
    home: Path, checkpoint: Path, name: str
) -> None:
    record = store.add("sam-med3d-turbo", checkpoint)
    index = home / "index.json"
    index.write_text(index.read_text().replace(record.file, name))
    with pytest.raises(InputError, match="is damaged"):
        store.remove("sam-med3d-turbo")
    assert files(home) == {"index.json", record.file}
