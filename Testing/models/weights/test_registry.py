"""The models that are known by name."""

import subprocess
import sys

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.weights import load_weights
from SegAnyPETLib.models.weights.registry import MODELS, find_model
from SegAnyPETLib.resources import resource_path


def test_models_are_found_by_their_names() -> None:
    assert set(MODELS) == {"lite", "general", "lesion", "sam-med3d-turbo"}
    assert all(find_model(name).name == name for name in MODELS)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'brain'; known are: lite, general, lesion, sam-med3d-turbo"):
        find_model("brain")


def test_every_model_is_either_bundled_or_somewhere() -> None:
    for model in MODELS.values():
        assert (model.bundled is None) == (model.repository is not None)
        assert bool(model.patterns) == (model.repository is not None)


def test_a_bundled_model_states_the_licence_of_its_file() -> None:
    lite = find_model("lite")
    assert lite.bundled is not None
    _, spec = load_weights(resource_path(lite.bundled))
    assert (spec.name, spec.licence) == (lite.name, lite.licence)


def test_terms_are_put_to_the_user_where_no_licence_is_stated() -> None:
    assert {name for name, model in MODELS.items() if model.terms} == {"general", "lesion"}
    terms = find_model("lesion").terms
    assert terms is not None
    assert "state no licence" in terms
    assert "https://huggingface.co/YichiZhang98/SegAnyPET" in terms


@pytest.mark.parametrize(
    "module", ["models.weights.registry", "models.weights.store", "models.weights.download", "commands.weights"]
)
def test_what_manages_weights_loads_no_torch(module: str) -> None:
    code = f"import SegAnyPETLib.{module}, sys; print([m for m in ('torch', 'huggingface_hub') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
