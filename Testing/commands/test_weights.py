"""Weights on the command line."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from SegAnyPETLib.cli import main
from Testing.hub_server import REVISION, Hub, serving

pytestmark = pytest.mark.usefixtures("small_models")

#: The command in another process, where models have the network of the test's checkpoint.
WITH_SMALL_MODELS = """
import sys
from dataclasses import replace
from SegAnyPETLib.cli import main
from SegAnyPETLib.models.weights.registry import MODELS
from Testing.models.sam.checkpoints import LEAST
MODELS["lesion"] = replace(MODELS["lesion"], network=LEAST)
sys.exit(main())
"""


def refused(arguments: list[str], capfd: pytest.CaptureFixture[str], code: int = 2) -> str:
    """The one line on stderr of a command that is refused."""
    assert main(["weights", *arguments]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("seganypet: error: ")
    assert err.count("\n") == 1
    return err


def done(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    assert main(["weights", *arguments]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    return out


def test_the_list_names_every_model_and_the_folder(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = done(["list"], capfd).splitlines()
    cells = {line.split()[0]: line for line in lines}
    assert "bundled" in cells["lite"]
    for name in ("general", "lesion"):
        assert "none stated" in cells[name]
    assert "Apache-2.0" in cells["sam-med3d-turbo"]
    assert str(home) in cells["folder:"]
    assert not home.exists()


def test_weights_are_added_listed_verified_and_removed(
    home: Path, checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sha256 = hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert sha256 in done(["add", "sam-med3d-turbo", str(checkpoint)], capfd)
    (row,) = [line for line in done(["list"], capfd).splitlines() if line.startswith("sam-med3d-turbo")]
    assert " yes " in row
    assert sha256[:12] in row
    verified = done(["verify"], capfd)
    assert f"sam-med3d-turbo: unchanged, SHA-256 {sha256}" in verified
    assert "lite: bundled" in verified
    assert "removed" in done(["remove", "sam-med3d-turbo"], capfd)
    assert list(home.glob("*.pth")) == []


def test_terms_are_told_and_an_answer_is_kept(home: Path, checkpoint: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = refused(["add", "lesion", str(checkpoint)], capfd)
    assert "state no licence" in told
    assert "--accept-terms" in told
    assert not home.exists()
    assert "none stated" in done(["add", "lesion", str(checkpoint), "--accept-terms"], capfd)
    done(["remove", "lesion"], capfd)
    done(["add", "lesion", str(checkpoint)], capfd)


def test_changed_and_missing_files_fail_the_check(
    home: Path, checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done(["add", "lesion", str(checkpoint), "--accept-terms"], capfd)
    (installed,) = home.glob("lesion*.pth")
    installed.write_bytes(bytes(installed.stat().st_size))
    assert "changed on disk" in refused(["verify", "lesion"], capfd)
    assert main(["weights", "verify"]) == 2
    out, err = capfd.readouterr()
    assert "lite: bundled" in out
    assert "changed on disk" in err
    installed.unlink()
    assert "file gone" in done(["list"], capfd)
    assert "are missing" in refused(["verify", "lesion"], capfd)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "the following arguments are required: ACTION"),
        (["fetch"], "required: NAME"),
        (["fetch", "brain"], "unknown model 'brain'"),
        (["fetch", "lite"], "come with this program"),
        (["add", "lite", "x.pth"], "come with this program"),
        (["add", "sam-med3d-turbo", "absent.pth"], "absent.pth cannot be opened"),
        (["remove", "lesion"], "not installed"),
        (["verify", "lesion"], "not installed"),
        (["verify", "brain"], "unknown model"),
        (["fetch", "sam-med3d-turbo", "--offline"], "not on this machine"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    home: Path, arguments: list[str], reason: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "no cache"))
    assert reason in refused(arguments, capfd)
    assert not home.exists()


def test_a_hostile_checkpoint_is_refused(home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    class Runs:
        def __reduce__(self) -> object:
            return os.system, (f"touch '{tmp_path / 'marker'}'",)

    torch.save({"model_state_dict": Runs()}, tmp_path / "evil.pth")
    assert "nothing of it was run" in refused(["add", "sam-med3d-turbo", str(tmp_path / "evil.pth")], capfd)
    assert not (tmp_path / "marker").exists()
    assert not home.exists()


@pytest.mark.slow
def test_weights_are_fetched_by_a_shell(home: Path, checkpoint: Path, tmp_path: Path) -> None:
    hub = Hub({"a_lesion.pth": checkpoint.read_bytes(), "b_lesion.pth": checkpoint.read_bytes()})

    def shell(*arguments: str) -> subprocess.CompletedProcess[str]:
        settings = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        settings |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "*"}
        command = [sys.executable, "-c", WITH_SMALL_MODELS, "weights", "fetch", "lesion", *arguments]
        return subprocess.run(command, env=settings, capture_output=True, text=True, check=False)

    with serving(hub):
        several = shell("--accept-terms")
        assert several.returncode == 2
        assert "a_lesion.pth, b_lesion.pth" in several.stderr
        chosen = shell("--file", "b_lesion.pth")  # the terms are accepted by now
    assert (chosen.returncode, chosen.stderr) == (0, "")
    assert f"YichiZhang98/SegAnyPET@{REVISION}" in chosen.stdout
    assert [path.partition("?")[0] for _, path, _ in hub.requests] == [
        "/api/models/YichiZhang98/SegAnyPET",
        "/api/models/YichiZhang98/SegAnyPET",
        f"/YichiZhang98/SegAnyPET/resolve/{REVISION}/b_lesion.pth",
    ]
    (record,) = json.loads((home / "index.json").read_text())["models"].values()
    assert (home / record["file"]).read_bytes() == checkpoint.read_bytes()


@pytest.mark.parametrize("action", [[], ["list"], ["fetch"], ["add"], ["verify"], ["remove"]])
def test_every_action_has_help_with_an_example(action: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["weights", *action, "--help"])
    assert leaving.value.code == 0
    assert f"  seganypet weights {(action or ['list'])[0]}" in capfd.readouterr().out


def test_info_lists_the_models_that_are_installed(
    home: Path, checkpoint: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done(["add", "sam-med3d-turbo", str(checkpoint)], capfd)
    assert main(["info"]) == 0
    lines = {line.split()[0]: line for line in capfd.readouterr().out.splitlines()}
    assert hashlib.sha256(checkpoint.read_bytes()).hexdigest() in lines["sam-med3d-turbo"]
    assert "seganypet weights fetch lesion" in lines["lesion"]
    assert str(home) in str(lines)
