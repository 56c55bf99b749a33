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
