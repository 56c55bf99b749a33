"""Plans and manifests as files."""

import json
from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.resources import resource_path
from SegAnyPETLib.study.plan.files import canonical, plain, read_plan, read_study_manifest, schema_of
from SegAnyPETLib.study.plan.plan import Manifest, NonInferiority, Plan
from Testing.study.studies import cases, crossover

PLAN = """
name: trial
readers: [R1, R2]
arms:
  - {name: manual, tools: [paint, erase], reference: true}
  - {name: assisted, tools: [points, paint, erase], model: lite}
seed: 7
quality: [{quantity: dice, margin: 0.03}]
"""


def test_a_plan_is_read_with_what_is_usual_where_it_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = read_plan(tmp_path / "plan.yaml")
    assert plan.readers == ("R1", "R2")
    assert (plan.reference.name, [arm.name for arm in plan.tested]) == ("manual", ["assisted"])
    assert (plan.design.kind, plan.design.washout_days, plan.idle_s) == ("crossover", 21, 30.0)
    assert plan.quality == (NonInferiority("dice", 0.03),)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("seed: 7", "seed: x"), "seed"),
        (("seed: 7", "sede: 7"), "sede|seed"),
        (("R1", "Dr. Smith"), "readers.0"),
        (("dice, margin: 0.03", "dice, margin: -1"), "quality.0.margin"),
        (("readers: [R1", "readers: [[R1"), "not valid YAML"),
    ],
)
def test_what_a_plan_cannot_say_is_refused_by_its_place(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN.replace(*change))
    with pytest.raises(InputError, match=message):
        read_plan(tmp_path / "plan.yaml")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(plain(crossover())))
    (tmp_path / "cases.json").write_text(json.dumps(plain(cases(6))))
    assert read_plan(tmp_path / "plan.json") == crossover()
    assert read_study_manifest(tmp_path / "cases.json") == cases(6)
    assert canonical(read_plan(tmp_path / "plan.json")) == canonical(crossover())


@pytest.mark.parametrize(("name", "kind"), [("plan", Plan), ("manifest", Manifest)])
def test_the_published_schema_is_that_of_the_code(name: str, kind: type[Plan] | type[Manifest]) -> None:
    assert json.loads(resource_path(f"study/{name}.schema.json").read_text()) == schema_of(kind)
