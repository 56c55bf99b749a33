from dataclasses import replace
from pathlib import Path

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.config import PUBLISHED
from SegAnyPETLib.training.recipe_file import read_recipe

RECIPES = sorted((Path(__file__).resolve().parents[2] / "Resources" / "recipes").glob("*.yaml"))
SAM_TEXT = "name: a\nsteps: 5\nfamily: sam\nsize: 128\nwindow_spacing_mm: 1.5\n"


def recipe_file(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


def test_settings_that_are_not_given_have_defaults(tmp_path):
    recipe = read_recipe(recipe_file(tmp_path, "name: a\nsteps: 5\nexclude: [X]\n"))
    assert (recipe.name, recipe.steps, recipe.batch, recipe.exclude) == ("a", 5, 2, ("X",))


def test_folders_are_relative_to_the_data_folder(tmp_path):
    path = recipe_file(tmp_path, "name: a\nsteps: 5\norgan_maps: maps\n")
    assert read_recipe(path).organ_maps == str(tmp_path / "maps")
    assert read_recipe(path, tmp_path / "data").organ_maps == str(tmp_path / "data" / "maps")


def test_a_recipe_of_the_published_architecture_has_its_sizes_but_for_those_that_are_given(tmp_path):
    assert read_recipe(recipe_file(tmp_path, SAM_TEXT)).sam == PUBLISHED
    tiny = read_recipe(recipe_file(tmp_path, SAM_TEXT + "sam: {depth: 4, global_blocks: [1, 3]}\n"))
    assert tiny.sam == replace(PUBLISHED, depth=4, global_blocks=(1, 3))


def test_a_checkpoint_to_start_from_is_relative_to_the_data_folder_and_a_run_is_not(tmp_path):
    path = recipe_file(tmp_path, SAM_TEXT + "start_from: weights/general.pth\n")
    assert read_recipe(path, tmp_path / "data").start_from == str(tmp_path / "data" / "weights" / "general.pth")
    assert read_recipe(recipe_file(tmp_path, SAM_TEXT + "start_from: general\n")).start_from == "general"


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_of_the_project_can_be_read(path):
    assert read_recipe(path).name == path.stem


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nsteps: 5\nspeed: 3\n", "unknown settings.*speed"),
        ("name: a\n", "steps"),
        ("name: a\nsteps: many\n", "steps must be of type int"),
        ("name: a\nsteps: 5\nexclude: CASE_1\n", "exclude must be a list, such as .A., not 'CASE_1'"),
        ("name: a\nsteps: 5\nwarmup: 0\n", "warmup, .* at least 1"),
        ("name: a\nsteps: 5\nmax_clicks: 0\n", "max_clicks .* at least 1"),
        ("name: a\nsteps: 5\nmax_organ_maps: -1\n", "max_organ_maps must be at least 1"),
        ("name: a\nsteps: 5\nheads_only: true\n", "heads_only .* needs start_from"),
        ("name: a\nsteps: 5\nsize: 50\n", "multiple of 16"),
        ("name: a\nsteps: 5\nbatch: 9\n", "slots at least batch"),
        ("name: a\nsteps: 5\nreal_share: 2\n", "between 0 and 1"),
        ("name: a\nsteps: 5\nreal_share: 0.5\n", "real_share needs real_cases"),
        ("name: a\nsteps: 5\nanalytic_bodies: 0\n", "organ_maps or analytic_bodies"),
        ("name: a\nsteps: 5\nfolds: 2\nfold: 2\n", "fold must lie"),
        ("name: a\nsteps: true\n", "steps must be of type int"),
        ("name: a\nsteps: 5\nwarmup: !!python/object/apply:os.system [exit]\n", "not valid YAML"),
        ("name: a\nsteps: 2020-99-99\n", "not valid YAML"),
        ("name: " + "[" * 5000, "not valid YAML"),
        ("name: ../a\nsteps: 5\n", "no name of a run"),
        ("name: a\nsteps: 5\nstart_from: /b\n", "no name of a run"),
        ("name: a\nsteps: 5\nlearning_rate: .nan\n", "learning_rate"),
        ("name: a\nsteps: 5\nweight_decay: -1\n", "weight_decay"),
        ("name: a\nsteps: 5\nema: 1.0\n", "ema"),
        ("name: a\nsteps: 5\nseed: -1\n", "seed"),
        ("name: a\nsteps: 5\nanalytic_bodies: -1\norgan_maps: m\n", "analytic_bodies"),
        ("name: a\nsteps: 5\norgan_map_stride: 1\norgan_maps: m\n", "organ_map_stride"),
        ("name: a\nsteps: 5\nfolds: 1\n", "folds"),
        ("name: a\nsteps: 5\nfamily: vit\n", "family must be one of: lite, sam"),
        ("name: a\nsteps: 5\nsam: {patch: 8}\n", "settings of the family sam"),
        ("name: a\nsteps: 5\nwindow_spacing_mm: 2\n", "settings of the family sam"),
        (SAM_TEXT + "window_spacing_mm: 0\n", "needs window_spacing_mm"),
        (SAM_TEXT + "window_spacing_mm: .nan\n", "needs window_spacing_mm"),
        (SAM_TEXT + "sam: 3\n", "sam must be a block of settings, not 3"),
        (SAM_TEXT + "sam: {size: 64}\n", "leave out size and boxes"),
        (SAM_TEXT + "sam: {speed: 64}\n", "unknown settings in .*: sam: speed"),
        (SAM_TEXT + "sam: {patch: many}\n", "sam: patch must be of type int, not 'many'"),
        (SAM_TEXT + "sam: {global_blocks: 2}\n", "sam: global_blocks must be a list"),
        (SAM_TEXT + "sam: {global_blocks: [2.5]}\n", "sam: global_blocks: 0 must be of type int, not 2.5"),
        (SAM_TEXT + "sam: {global_blocks: [12]}\n", "global_blocks must lie between"),
        (SAM_TEXT + "sam: {width: 100}\n", "width a multiple of heads"),
        (SAM_TEXT + "sam: {depth: 0}\n", "at least 1"),
        (SAM_TEXT + "sam: {mask_channels: 6}\n", "mask_channels a multiple of 4"),
        (SAM_TEXT + "sam: {patch: 24}\n", "divides size"),
        (SAM_TEXT + "sam: {prompt_width: 64}\n", "prompt_width must be a multiple of 48"),
        (SAM_TEXT + "sam: {window: 8}\n", "every block global"),
        ("name: a\nsteps: 5\naccumulate: 0\n", "accumulate.* at least 1"),
        ("name: a\nsteps: 5\nlow_quality: CASE_1\n", "low_quality must be a list"),
        ("name: a\nsteps: 5\nnoisy_share: 2\n", "noisy_share must lie"),
        ("name: a\nsteps: 5\nprompt_rounds: 1\n", "prompt_rounds be at least 2"),
        ("name: a\nsteps: 5\nrectify_after: -1\n", "rectify_after at least 0"),
        ("name: a\nsteps: 5\nstart_from: b.pth/c\n", "no name of a run"),
        ("1: 2\nfoo: 3\n", "unknown settings.*1, foo"),
        ("[1, 2]\n", "must hold settings"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_recipe(recipe_file(tmp_path, text))


def test_a_file_that_is_no_text_is_no_recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_bytes(b"\x80\x81\xff")
    with pytest.raises(InputError, match="not valid YAML"):
        read_recipe(path)


def test_a_setting_that_unfolds_without_end_is_refused_in_short(tmp_path):
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    text = "name: {" + ", ".join(lines) + "}\nsteps: 5\n"
    with pytest.raises(InputError, match="name must be of type str") as caught:
        read_recipe(recipe_file(tmp_path, text))
    assert len(str(caught.value)) < 1000


def test_a_missing_recipe_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read the recipe"):
        read_recipe(tmp_path / "none.yaml")
