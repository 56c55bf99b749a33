"""What is typed becomes the options of a command."""

import dataclasses
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from SegAnyPETLib.commands.arguments.bench import BenchOptions
from SegAnyPETLib.commands.arguments.burden import BurdenOptions
from SegAnyPETLib.commands.arguments.demo import DemoOptions
from SegAnyPETLib.commands.arguments.evaluate import EvaluateOptions
from SegAnyPETLib.commands.arguments.info import InfoOptions
from SegAnyPETLib.commands.arguments.pacs import FetchSeries, FindSeries, PacsArguments, StoreFiles
from SegAnyPETLib.commands.arguments.parser import parse
from SegAnyPETLib.commands.arguments.phantom import PhantomOptions
from SegAnyPETLib.commands.arguments.propose import ProposeOptions
from SegAnyPETLib.commands.arguments.segment import SegmentOptions
from SegAnyPETLib.commands.arguments.segment_many import SegmentManyOptions
from SegAnyPETLib.commands.arguments.serve import ServeOptions
from SegAnyPETLib.commands.arguments.shared import JobArguments, ModelArguments
from SegAnyPETLib.commands.arguments.study import AnalyseStudy, CheckStudy, PlanStudy, PlayStudy
from SegAnyPETLib.commands.arguments.train import TrainOptions
from SegAnyPETLib.commands.arguments.weights import AddWeights, FetchWeights, ListWeights, RemoveWeights, VerifyWeights
from SegAnyPETLib.commands.common.unit_options import FILE_UNITS, UnitArguments
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.units import FileUnits

#: The least that each command takes, and what it means.
LEAST = {
    "segment pet --output out": SegmentOptions(Path("pet"), (Path("out"),), ModelArguments()),
    "propose pet --output out": ProposeOptions(Path("pet"), (Path("out"),), ModelArguments(), UnitArguments()),
    "burden pet --mask m": BurdenOptions(Path("pet"), Path("m"), UnitArguments()),
    "segment-many m.json --output out": SegmentManyOptions(
        Path("m.json"), Path("out"), ModelArguments(), JobArguments()
    ),
    "evaluate --manifest m.json --output out": EvaluateOptions(
        Path("m.json"), Path("out"), ModelArguments(), JobArguments()
    ),
    "train recipe.yaml": TrainOptions(Path("recipe.yaml"), Path("runs")),
    "study plan p.yaml --manifest m.json": PlanStudy(Path("p.yaml"), Path("m.json")),
    "study check s": CheckStudy(Path("s")),
    "study demo": PlayStudy(Path("study_demo"), ModelArguments()),
    "study analyse s": AnalyseStudy(Path("s")),
    "phantom --output out": PhantomOptions(Path("out")),
    "demo": DemoOptions(Path("demo_output"), ModelArguments()),
    "bench": BenchOptions(ModelArguments(device="cpu")),
    "serve": ServeOptions(),
    "weights list": ListWeights(),
    "weights fetch lesion": FetchWeights("lesion"),
    "weights add lesion a.pth": AddWeights("lesion", Path("a.pth")),
    "weights verify": VerifyWeights(),
    "weights remove lesion": RemoveWeights("lesion"),
    "pacs find u": FindSeries(PacsArguments("u")),
    "pacs fetch u --study 1 --series 2 --output o": FetchSeries(PacsArguments("u"), "1", "2", Path("o")),
    "pacs store u a.dcm": StoreFiles(PacsArguments("u"), (Path("a.dcm"),)),
    "info": InfoOptions(),
}


@pytest.mark.parametrize("line", LEAST)
def test_a_command_without_options_has_the_defaults_of_its_dataclass(line: str) -> None:
    assert parse(line.split()) == (line.split()[0], LEAST[line])


@pytest.mark.parametrize("line", LEAST)
def test_options_are_frozen_and_runs_take_them(line: str) -> None:
    command, options = parse(line.split())
    assert dataclasses.fields(options) is not None
    assert options.__dataclass_params__.frozen
    run = import_module(f"SegAnyPETLib.commands.{command.replace('-', '_')}").run
    (parameter,) = inspect.signature(run).parameters.values()
    assert parameter.name == "options"


def test_what_is_repeated_becomes_a_tuple_in_its_order() -> None:
    assert parse(["serve", "--model", "lesion", "--model", "lite"])[1].models == ("lesion", "lite")


def test_options_of_a_model_and_of_processes_are_groups_of_their_own() -> None:
    line = "evaluate --manifest m.json --output out --jobs 3 --threads 2 --device cuda --precision bf16"
    options = parse(line.split())[1]
    assert options.model == ModelArguments("lite", "cuda", "bf16", 2)
    assert options.jobs == JobArguments(3)


@pytest.mark.parametrize(
    "line", ["segment", "segment pet --output out --points 1,2,3", "serve --port 70000", "weights"]
)
def test_what_cannot_be_read_is_refused_in_one_line(line: str) -> None:
    with pytest.raises(InputError, match=r"^.* \(see: seganypet .*--help\)$"):
        parse(line.split())


def test_reading_a_command_line_loads_no_numpy() -> None:
    code = (
        "import sys; from SegAnyPETLib.commands.arguments.parser import parse; parse(['demo']); "
        "print(sorted({'numpy', 'torch', 'SimpleITK', 'pydantic'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_units_of_a_file_are_those_that_are_converted() -> None:
    assert tuple(FileUnits) == FILE_UNITS


@pytest.mark.parametrize("command", sorted({line.split()[0] for line in LEAST} | {"weights fetch", "study plan"}))
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A percent sign in a help text breaks the help alone."""
    with pytest.raises(SystemExit) as ended:
        parse([*command.split(), "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: seganypet {command}")
