import numpy as np
import pytest
import torch

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.engine import Engine, checked_device
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.spec import ModelSpec


@pytest.fixture(scope="module")
def engine():
    torch.manual_seed(2)
    net = LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval()
    return Engine(net, ModelSpec("small", 16, (2.0, 6.5)), torch.device("cpu"))


def predict(engine, points, positive, mask=None):
    image = np.random.default_rng(0).uniform(0, 5, (16, 16, 16)).astype(np.float32)
    return engine.predict(image, 2.0, np.array(points, np.float32).reshape(-1, 3), np.array(positive, bool), mask)


def test_points_and_masks_change_the_answer(engine):
    nothing = predict(engine, [], [])
    clicked = predict(engine, [[8, 8, 8]], [True])
    negative = predict(engine, [[8, 8, 8]], [False])
    masked = predict(engine, [[8, 8, 8]], [True], np.ones((16, 16, 16), np.float32))
    answers = [nothing, clicked, negative, masked]
    assert all(a.shape == (16, 16, 16) and a.dtype == np.float32 for a in answers)
    assert all(not np.array_equal(a, b) for n, a in enumerate(answers) for b in answers[:n])


def test_both_precisions_give_about_the_same_answer(engine, monkeypatch):
    answers = []
    for precision in ("fp32", "bf16"):
        monkeypatch.setattr(engine, "precision", precision)
        answers.append(predict(engine, [[8, 8, 8]], [True]))
    assert np.abs(answers[0] - answers[1]).max() < 0.05 * np.abs(answers[0]).max() + 0.02


def test_the_same_question_has_the_same_answer(engine):
    assert np.array_equal(predict(engine, [[8, 8, 8]], [True]), predict(engine, [[8, 8, 8]], [True]))


def test_an_unknown_model_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(InputError, match=r"unknown model 'big'.*lite"):
        Engine.load("big")


def test_a_device_that_is_not_there_is_never_replaced():
    with pytest.raises(InputError, match="'tpu' is not available here; available: cpu"):
        checked_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="'cuda' is not available"):
            checked_device("cuda")
