"""Options of a deployment on Ray, as `serve run` and its files give them; nothing here needs Ray."""

import pytest
from pydantic import ValidationError

from SegAnyPETLib.backend.on_ray.options import RayOptions
from SegAnyPETLib.backend.on_ray.serve import build
from SegAnyPETLib.backend.token import TOKEN_VARIABLE
from SegAnyPETLib.errors import InputError


def test_texts_of_a_command_line_become_numbers_and_lists():
    options = RayOptions(models="lite,lesion", threads="3", replicas="2", max_replicas="4", target_requests="1.5")
    assert options.models == ("lite", "lesion")
    assert (options.threads_each, options.replicas, options.replica_limit) == (3, 2, 4)
    assert options.target_requests == 1.5


def test_replicas_divide_the_cores_and_get_one_at_least(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert RayOptions(replicas=3).threads_each == 2
    assert RayOptions(replicas=1, max_replicas=9).threads_each == 1
    assert RayOptions(replicas=2, threads=8).threads_each == 8


@pytest.mark.parametrize(
    "fields",
    [
        {"models": "lite,lite"},
        {"models": []},
        {"replicas": 0},
        {"replicas": 3, "max_replicas": 2},
        {"device": "tpu"},
        {"token": "0123456789abcdef"},
    ],
)
def test_contradictions_and_unknown_options_are_refused(fields):
    with pytest.raises(ValidationError):
        RayOptions(**fields)


def test_without_a_token_there_is_nothing_for_ray_to_serve(monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    with pytest.raises(InputError, match="needs a token"):
        build(RayOptions())
