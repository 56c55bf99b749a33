from types import SimpleNamespace

import numpy as np
import pytest
import torch

from SegAnyPETLib.errors import InputError, OutOfMemory
from SegAnyPETLib.models.device import checked_device
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.predictor import LiteModel
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.predictor import SamModel
from SegAnyPETLib.models.spec import ModelSpec
from Testing.models.sam.filler import filled

SIZE = 32


def lite():
    torch.manual_seed(2)
    net = LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval()
    return LiteModel(net, ModelSpec("small lite", SIZE, (2.0, 6.5)))


def sam():
    config = SamConfig(SIZE, patch=8, width=24, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
    return SamModel(filled(SamNet(config)), ModelSpec("small sam", SIZE, (1.5,)))


@pytest.fixture(params=[lite, sam])
def engine(request):
    return Engine(request.param(), torch.device("cpu"), "fp32")


IMAGE = np.random.default_rng(0).uniform(0, 5, (SIZE,) * 3).astype(np.float32)


def prompts(points=(), positive=(), mask=None, previous_logits=None):
    return SimpleNamespace(
        points_kji=np.array(points, np.float32).reshape(-1, 3),
        positive=np.array(positive, bool),
        mask_kji=mask,
        previous_logits=previous_logits,
        not_target_kji=None,
    )


ONE_POINT = prompts([[8, 9, 10]], [True])


def predict(engine, *targets, image=IMAGE, key="window"):
    return engine.predict(image, 2.0, key, targets)


def test_points_and_masks_change_the_answer(engine):
    mask = np.zeros((SIZE,) * 3, np.float32)
    mask[:16] = 1.0
    targets = [
        prompts(),
        ONE_POINT,
        prompts([[8, 9, 10]], [False]),
        prompts([[10, 9, 8]], [True]),
        prompts([[8, 9, 10]], [True], mask),
        prompts(mask=mask),
    ]
    answers = [answer.logits_kji for answer in predict(engine, *targets)]
    assert all(a.ndim == 3 and SIZE % len(a) == 0 and a.dtype == np.float32 for a in answers)
    assert all(not np.array_equal(a, b) for n, a in enumerate(answers) for b in answers[:n])


def test_several_targets_in_one_window_are_answered_as_each_alone(engine):
    targets = [ONE_POINT, prompts([[20, 20, 20], [4, 4, 4]], [True, False]), prompts([[1, 2, 3]], [True])]
    together = predict(engine, *targets)
    for target, answer in zip(targets, together, strict=True):
        (alone,) = predict(engine, target)
        np.testing.assert_allclose(answer.logits_kji, alone.logits_kji, rtol=1e-3, atol=1e-4)


def test_a_window_is_embedded_once(engine, monkeypatch):
    embedded = []
    embed = engine.model.embed
    monkeypatch.setattr(engine.model, "embed", lambda *arguments: embedded.append(1) or embed(*arguments))
    first = predict(engine, ONE_POINT)[0].logits_kji
    again = predict(engine, ONE_POINT)[0].logits_kji
    predict(engine, ONE_POINT, image=IMAGE * 2, key="another")
    assert len(embedded) == 2
    assert np.array_equal(first, again)


def test_the_last_answer_counts_before_the_mask_and_is_used_as_it_is():
    engine = Engine(sam(), torch.device("cpu"))
    first = predict(engine, ONE_POINT)[0]
    previous_logits = first.logits_kji
    assert first.feeds_back_logits
    assert previous_logits.shape == (16, 16, 16)
    mask = np.ones((SIZE,) * 3, np.float32)
    with_both, with_memory, with_mask = predict(
        engine,
        prompts([[8, 9, 10]], [True], mask, previous_logits),
        prompts([[8, 9, 10]], [True], None, previous_logits),
        prompts([[8, 9, 10]], [True], mask),
    )
    assert np.array_equal(with_both.logits_kji, with_memory.logits_kji)
    assert not np.array_equal(with_both.logits_kji, with_mask.logits_kji)


def test_points_outside_the_window_tell_the_published_network_nothing():
    engine = Engine(sam(), torch.device("cpu"))
    inside, beside = predict(engine, ONE_POINT, prompts([[8, 9, 10], [8, 9, SIZE + 3]], [True, False]))
    # Another number of tokens is summed in another order, which rounds differently on some processors.
    np.testing.assert_allclose(
        inside.logits_kji, beside.logits_kji, rtol=0, atol=1e-5 * np.abs(inside.logits_kji).max()
    )


def test_the_published_network_is_asked_and_answers_in_its_own_axes():
    model = sam()
    engine = Engine(model, torch.device("cpu"))
    (answer,) = predict(engine, prompts([[3, 9, 27]], [True]))
    right_anterior_superior = torch.from_numpy(IMAGE.transpose(2, 1, 0).copy())
    scaled = (right_anterior_superior - IMAGE[IMAGE > 0].mean()) / IMAGE[IMAGE > 0].std(ddof=1)
    with torch.inference_mode():
        low, _ = model.net.decode(
            model.net.image_encoder(scaled[None, None]),
            torch.tensor([[[27.0, 9.0, 3.0]]]),
            torch.tensor([[1]]),
            torch.zeros(1, 1, 16, 16, 16),
        )
    np.testing.assert_allclose(answer.logits_kji, low[0, 0].numpy().transpose(2, 1, 0), rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "tolerance"), [(lite, 0.05), (sam, 0.05)])
def test_both_precisions_give_about_the_same_answer(make, tolerance):
    fp32, bf16 = (predict(Engine(make(), torch.device("cpu"), p), ONE_POINT)[0].logits_kji for p in ("fp32", "bf16"))
    assert not np.array_equal(fp32, bf16)
    assert np.abs(fp32 - bf16).max() < tolerance * np.abs(fp32).max() + 0.02


def test_a_precision_that_the_device_has_not_is_never_replaced():
    with pytest.raises(InputError, match="does not run in fp16 on cpu; possible: fp32, bf16"):
        Engine(sam(), torch.device("cpu"), "fp16")


def test_warming_up_leaves_nothing_behind(engine):
    engine.warm_up()
    assert len(engine.cache) == 0


def test_an_unknown_model_is_refused_with_the_names_of_those_there_are():
    with pytest.raises(InputError, match=r"big.*lite"):
        Engine.load("big")


def test_a_device_that_is_not_there_is_never_replaced():
    with pytest.raises(InputError, match="'tpu' is not available here; available: cpu"):
        checked_device("tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="'cuda' is not available"):
            checked_device("cuda")


class Exhausted:
    """A model whose device runs out of memory when told to."""

    def __init__(self, model, fails):
        self.model, self.fails = model, fails
        self.spec, self.precisions, self.to = model.spec, model.precisions, model.to
        self.embedded, self.batches = 0, []

    def embed(self, image_kji, spacing_mm):
        self.embedded += 1
        return self.model.embed(image_kji, spacing_mm)

    def decode(self, embedding, spacing_mm, targets):
        self.batches.append(len(targets))
        if self.fails(self.batches):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return self.model.decode(embedding, spacing_mm, targets)


TARGETS = [ONE_POINT, prompts([[20, 20, 20]], [True]), prompts([[1, 2, 3]], [True])]


@pytest.fixture(params=[lite, sam])
def exhausted(request):
    """Engines that fail as is said, and one of the same model that never does."""

    def make(fails):
        return Engine(Exhausted(request.param(), fails), torch.device("cpu"), "fp32")

    return make


def test_many_targets_are_decoded_in_groups_of_a_bounded_size(exhausted):
    engine = exhausted(lambda batches: False)
    assert len(predict(engine, *[ONE_POINT] * 18)) == 18
    assert engine.model.batches == [8, 8, 2]


@pytest.mark.slow
def test_a_batch_that_does_not_fit_is_run_one_by_one(exhausted):
    engine = exhausted(lambda batches: batches[-1] > 1)
    answers = predict(engine, *TARGETS)
    alone = [predict(exhausted(lambda batches: False), target)[0] for target in TARGETS]
    assert all(np.array_equal(a.logits_kji, b.logits_kji) for a, b in zip(answers, alone, strict=True))
    assert engine.model.batches == [3, 1, 1, 1]


@pytest.mark.slow
def test_memory_that_was_short_once_is_tried_again_without_other_embeddings(exhausted):
    engine = exhausted(lambda batches: len(batches) == 3)
    predict(engine, ONE_POINT, key="another")
    predict(engine, ONE_POINT)
    answer = predict(engine, ONE_POINT)[0]
    assert np.array_equal(answer.logits_kji, predict(exhausted(lambda batches: False), ONE_POINT)[0].logits_kji)
    assert (engine.knows("window"), engine.knows("another")) == (True, False)
    assert engine.model.embedded == 2


def test_memory_that_never_suffices_is_told_and_the_engine_stays_usable(exhausted):
    short = [True]
    engine = exhausted(lambda batches: short[0])
    with pytest.raises(
        OutOfMemory, match=r"memory of the device cpu does not suffice for small .*; close other"
    ) as told:
        predict(engine, *TARGETS)
    assert "run on the CPU" not in str(told.value)
    assert told.value.__context__ is None
    assert engine.knows("window")
    short[0] = False
    assert len(predict(engine, *TARGETS, image=None)) == 3
    assert engine.model.embedded == 1


def test_a_window_that_does_not_fit_leaves_nothing_and_on_another_device_the_cpu_is_offered(monkeypatch):
    engine = Engine(lite(), torch.device("cpu"), "fp32")

    def embed(image_kji, spacing_mm):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with monkeypatch.context() as patch:
        patch.setattr(engine.model, "embed", embed)
        patch.setattr(engine, "device", torch.device("meta"))
        with pytest.raises(OutOfMemory, match=r"device meta does not suffice for small lite.*, or run on the CPU"):
            predict(engine, ONE_POINT)
    assert not engine.knows("window")
    assert len(predict(engine, ONE_POINT)) == 1
