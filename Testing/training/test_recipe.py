import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.recipe import read_recipe


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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nsteps: 5\nspeed: 3\n", "unknown settings.*speed"),
        ("name: a\n", "steps"),
        ("name: a\nsteps: many\n", "steps must be of type int"),
        ("name: a\nsteps: 5\nexclude: CASE_1\n", "list of names"),
        ("name: a\nsteps: 5\nwarmup: 0\n", "warmup .* at least 1"),
        ("name: a\nsteps: 5\nsize: 50\n", "multiple of 16"),
        ("name: a\nsteps: 5\nbatch: 9\n", "slots at least batch"),
        ("name: a\nsteps: 5\nreal_share: 2\n", "between 0 and 1"),
        ("name: a\nsteps: 5\nreal_share: 0.5\n", "real_share needs real_cases"),
        ("name: a\nsteps: 5\nanalytic_bodies: 0\n", "organ_maps or analytic_bodies"),
        ("name: a\nsteps: 5\nfolds: 2\nfold: 2\n", "fold must lie"),
        ("[1, 2]\n", "must hold settings"),
        ("name: [\n", "not valid YAML"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_recipe(recipe_file(tmp_path, text))


def test_a_missing_recipe_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot read the recipe"):
        read_recipe(tmp_path / "none.yaml")
