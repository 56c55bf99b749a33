"""The options that name a server, against a real one."""

from pathlib import Path

import pytest

from SegAnyPETLib.cli import main
from SegAnyPETLib.commands.arguments.parser import parse
from SegAnyPETLib.commands.common.backends import ModelOptions, model_options
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.volume.io import read_labels
from Testing.backend.serving import TOKEN, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(model_file):
    with serving([Engine.load(str(model_file), threads=1)], token=TOKEN) as found:
        yield found


@pytest.fixture
def click(pet, pet_file, tmp_path):
    """Runs `segment` with further options; the file that it writes."""

    def run(*options, code=0):
        point = ",".join(str(c) for c in pet.point_ras((6, 5, 10)))
        output = tmp_path / f"mask{len(list(tmp_path.iterdir()))}.nii.gz"
        assert main(["segment", str(pet_file), f"--point={point}", "--output", str(output), *map(str, options)]) == code
        return output

    return run


@pytest.fixture
def token_file(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    return tmp_path / "token"


def test_a_server_gives_the_mask_that_the_model_gives_here(click, url, token_file, model_file):
    here = click("--model", model_file, "--threads", 1)
    there = click("--server", url, "--token-file", token_file, "--model", Path(model_file).stem)
    assert (read_labels(here).array_kji == read_labels(there).array_kji).all()
    assert read_labels(there).array_kji.any()


def test_the_token_may_stand_in_the_environment(click, url, monkeypatch):
    monkeypatch.setenv("SEGANYPET_TOKEN", TOKEN)
    assert click("--server", url, "--model", "random").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--model", "random"], 1, "asks for a token"),
        (["--token-file", "TOKEN"], 2, "the server does not run the model 'lite'; it runs: random"),
        (["--token-file", "none"], 2, "the token file none cannot be read"),
        (["--device", "cpu"], 2, "--device is for a model on this machine"),
        (["--precision", "fp32"], 2, "--precision is for a model on this machine"),
        (["--threads", "1"], 2, "--threads is for a model on this machine"),
        (["--ca-file", "TOKEN"], 2, "https://"),
    ],
)
def test_what_does_not_go_together_is_told(click, url, token_file, capsys, options, code, message):
    options = [str(token_file) if o == "TOKEN" else o for o in options]
    assert not click("--server", url, *options, code=code).exists()
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--token-file", "--ca-file"])
def test_options_of_a_server_need_one(click, token_file, capsys, option):
    click(option, token_file, code=2)
    assert f"{option} belongs to a server" in capsys.readouterr().err


def test_a_server_that_is_not_there_is_told(click, capsys):
    click("--server", "http://127.0.0.1:9", code=1)
    assert "127.0.0.1:9 cannot be reached" in capsys.readouterr().err


def test_a_cluster_and_a_server_exclude_each_other():
    arguments = ["evaluate", "--manifest", "m.json", "--output", "r.json", "--server", "http://127.0.0.1:9", "--ray"]
    options = parse(arguments)[1]
    with pytest.raises(InputError, match="either --server or --ray"):
        model_options(options.model, options.jobs)


def test_a_process_opens_a_model_once(model_file):
    options = ModelOptions(str(model_file), threads=1)
    assert options.opened() is ModelOptions(str(model_file), threads=1).opened()
