from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.checkpoint import load_checkpoint, save_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.inputs import mask_prompt
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.predictor import SamModel
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.training.episodes import Episode, Episodes
from SegAnyPETLib.training.families import sam as module
from SegAnyPETLib.training.families.sam import SamTrainee
from SegAnyPETLib.training.losses import mask_dice
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.trainer import Trainer, train
from SegAnyPETLib.training.windows.sample import Sample
from SegAnyPETLib.volume.interpolation import refined

SIZES = SamConfig(32, 8, 24, 2, 2, (1,), 3, 48, 8)
RECIPE = Recipe(
    "tiny",
    steps=1,
    family="sam",
    sam=SIZES,
    size=32,
    window_spacing_mm=4.0,
    batch=1,
    slots=2,
    warmup=1,
    analytic_bodies=1,
    bf16=False,
)
CPU = torch.device("cpu")


def blob():
    """A target and its window; no axis is like another."""
    target = np.zeros((32, 32, 32), dtype=bool)
    target[6:14, 10:22, 16:28] = True
    noise = np.random.default_rng(0).uniform(0, 0.3, target.shape)
    return Sample((np.where(target, 6.0, 1.0) + noise).astype(np.float32), target, 4.0, "lesion")


@pytest.fixture
def never_the_truth(monkeypatch):
    monkeypatch.setattr(module, "TRUE_MASK_SHARE", 0.0)


def only(monkeypatch, way):
    monkeypatch.setattr(module, "LATER_SHARES", {name: float(name == way) for name in module.LATER_SHARES})


def trainee_and_net(tmp_path=Path()):
    torch.manual_seed(0)
    trainee = SamTrainee(RECIPE, tmp_path)
    return trainee, trainee.network()


def answer(episodes, rng=None):
    trainee, net = trainee_and_net()
    with torch.no_grad():
        answers = trainee.forward(net, episodes, rng or np.random.default_rng(0), CPU)
    return answers.logits[:, 0], answers.previous_logits


def used_model(net, prompts):
    """What the model that a session uses answers."""
    model = SamModel(net.eval(), ModelSpec("tiny", 32, (4.0,)))
    with torch.inference_mode():
        embedding = model.embed(torch.from_numpy(blob().image), 4.0)
        return refined(model.decode(embedding, 4.0, [prompts])[0].logits_kji, 2)


def prompts(points, labels, mask=None, previous_logits=None):
    points = np.array(points, np.float32).reshape(-1, 3)
    # The trainer keeps what the network answered in the network's own axes.
    logits_kji = None if previous_logits is None else np.ascontiguousarray(previous_logits.transpose(2, 1, 0))
    return SimpleNamespace(
        points_kji=points, positive=np.array(labels, bool), mask_kji=mask, previous_logits=logits_kji
    )


@pytest.mark.slow
def test_training_shows_points_masks_and_memory_as_a_session_does(monkeypatch, never_the_truth):
    previous_logits = np.random.default_rng(1).normal(size=(16, 16, 16)).astype(np.float32)
    mask = np.zeros((32, 32, 32), np.float32)
    mask[4:9, 12:20, 3:30] = 1
    points, labels = [(7, 12, 20), (25, 3, 9)], [1, 0]
    _, net = trainee_and_net()
    cases = {
        "memory": prompts(points, labels, previous_logits=previous_logits),
        "edited": prompts(points, labels, mask=mask),
        "memory alone": prompts([], [], previous_logits=previous_logits),
        "mask alone": prompts([], [], mask=mask),
        "points alone": prompts(points, labels),
    }
    answers = {}
    for way, shown in cases.items():
        only(monkeypatch, way)
        logits, _ = answer([Episode(blob(), points, labels, mask, previous_logits, 1)])
        answers[way] = logits[0].numpy()
        assert np.allclose(answers[way], used_model(net.net, shown), atol=1e-5), way
    assert len({a.tobytes() for a in answers.values()}) == len(cases)
    first, _ = answer([Episode(blob(), points, labels)])
    assert np.allclose(first[0].numpy(), answers["points alone"], atol=1e-5)
    begun, _ = answer([Episode(blob(), points, labels, mask)])
    assert np.allclose(begun[0].numpy(), answers["edited"], atol=1e-5)


def test_the_faultless_mask_is_shown_alone_in_some_steps_but_never_a_poor_one(monkeypatch):
    trainee, _ = trainee_and_net()
    monkeypatch.setattr(module, "TRUE_MASK_SHARE", 1.0)
    rng = np.random.default_rng(0)
    mask, points = trainee._shown(Episode(blob(), [(7, 12, 20)], [1]), rng)
    assert torch.equal(mask, mask_prompt(torch.from_numpy(blob().target)[None], 16))
    assert points == 0
    mask, points = trainee._shown(Episode(replace(blob(), low_quality=True), [(7, 12, 20)], [1]), rng)
    assert not mask.any()
    assert points == 1


def test_targets_with_different_numbers_of_points_share_a_batch_and_a_window(never_the_truth):
    sample = blob()
    other = replace(sample, image=np.flip(sample.image, 0).copy())
    episodes = [
        Episode(sample, [(7, 12, 20), (25, 3, 9)], [1, 0]),
        Episode(other, [(7, 12, 20)], [1]),
        Episode(sample, [(8, 13, 18)], [1]),
    ]
    together, low_together = answer(episodes)
    for n, one in enumerate(episodes):
        alone, low_alone = answer([one])
        assert torch.allclose(together[n], alone[0], atol=1e-5)
        assert torch.allclose(low_together[n], low_alone[0], atol=1e-5)


@pytest.mark.slow
def test_the_low_resolution_answer_is_kept_as_memory(monkeypatch, never_the_truth, tmp_path):
    monkeypatch.setattr("SegAnyPETLib.training.episodes.END_SHARE", 0.0)
    monkeypatch.setattr("SegAnyPETLib.training.episodes.MASK_START_SHARE", 0.0)
    monkeypatch.setattr("SegAnyPETLib.training.episodes.FLOOD_SHARE", 0.0)
    trainer = Trainer(RECIPE, tmp_path)
    with torch.no_grad():
        answers = trainer.trainee.forward(trainer.net, trainer.episodes.slots[:1], trainer.rng, CPU)
    trainer._train_step()
    assert np.allclose(trainer.episodes.slots[0].previous_logits, answers.previous_logits[0].numpy(), atol=1e-5)


@pytest.mark.slow
def test_a_network_trained_here_loads_in_the_published_layout_and_back(tmp_path):
    weights = train(RECIPE, tmp_path, progress=False)
    net, _ = load_checkpoint(weights)
    assert net.config == SIZES
    assert SamModel.load(weights, "tiny").spec.spacing_mm == (4.0,)
    assert not all(torch.equal(a, b) for a, b in zip(net.parameters(), SamNet(SIZES).parameters(), strict=True))
    save_checkpoint(net, tmp_path / "container.pth")
    container = torch.load(tmp_path / "container.pth", weights_only=True)
    published = SamNet(replace(SamConfig(), depth=2, global_blocks=(1,), width=24, heads=2, prompt_width=48))
    assert container["model_state_dict"].keys() == published.state_dict().keys()
    back, _ = load_checkpoint(tmp_path / "container.pth")
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), back.state_dict().values(), strict=True))


@pytest.mark.slow
def test_fine_tuning_starts_from_a_run_or_a_checkpoint_of_the_same_sizes(tmp_path):
    torch.manual_seed(3)
    net = SamNet(SIZES)
    save_checkpoint(net, tmp_path / "general.pth")
    save_checkpoint(net, tmp_path / "before.safetensors")
    for start in (str(tmp_path / "general.pth"), "before"):
        tuned = Trainer(replace(RECIPE, name="lesion", start_from=start), tmp_path)
        assert all(torch.equal(a, b) for a, b in zip(net.parameters(), tuned.net.parameters(), strict=True))
        assert tuned.net.training
    wider = replace(RECIPE, sam=replace(SIZES, heads=4, mask_channels=4), start_from="before")
    with pytest.raises(InputError, match="another heads, mask_channels than the recipe"):
        Trainer(wider, tmp_path)


@pytest.mark.slow
def test_accumulated_batches_are_one_large_batch(tmp_path, monkeypatch, never_the_truth):
    monkeypatch.setattr("SegAnyPETLib.training.episodes.MASK_START_SHARE", 0.0)
    monkeypatch.setattr("SegAnyPETLib.training.episodes.FLOOD_SHARE", 0.0)
    many = Trainer(replace(RECIPE, batch=1, accumulate=2), tmp_path)
    one = Trainer(replace(RECIPE, batch=2, accumulate=1), tmp_path)
    before = [p.clone() for p in one.net.parameters()]
    losses = [result[0] for result in many._train_step()]
    assert sum(losses) / 2 == pytest.approx(one._train_step()[0][0], rel=1e-5)
    for a, b in zip(many.net.parameters(), one.net.parameters(), strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            assert torch.allclose(a.grad, b.grad, atol=1e-5)
    assert not all(torch.equal(a, b) for a, b in zip(before, many.net.parameters(), strict=True))


@pytest.fixture(scope="module")
def knowing(tmp_path_factory):
    """A trainer whose network has learned one target, and the losses on its way."""
    recipe = replace(RECIPE, steps=100, learning_rate=6e-3, ema=0.5, rectify_after=0, sam=replace(SIZES, width=48))
    trainer = Trainer(recipe, tmp_path_factory.mktemp("knowing"))
    trainer.episodes = Episodes(lambda rng: blob(), 2, trainer.rng)
    return trainer, [trainer._train_step()[0][0] for _ in range(50)]


@pytest.mark.slow
def test_training_on_one_target_teaches_it(knowing):
    _, losses = knowing
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])


@pytest.mark.slow
def test_a_poor_annotation_is_rectified_towards_the_truth_by_a_model_that_knows_the_target(knowing):
    trainer, _ = knowing
    truth = blob().target
    poor = truth.copy()
    poor[10:14] = False  # half of the target is missing
    poor[20:26, 20:26, 4:10] = True  # and background is in it
    trainer.episodes = Episodes(lambda rng: replace(blob(), target=poor, low_quality=True), 1, trainer.rng)
    label, weights = trainer._labels([0])
    logits = torch.stack([torch.from_numpy(poor).float(), label[0]])[None] - 0.5
    dice = mask_dice(logits, torch.from_numpy(truth)[None].float())[0]
    assert dice[0] < 0.7
    assert dice[1] > 0.85
    assert weights.tolist() == [0.5]


def test_annotations_are_rectified_only_from_the_step_that_is_asked_for(knowing):
    trainer, _ = knowing
    poor = np.roll(blob().target, 12, 0)
    trainer.episodes = Episodes(lambda rng: replace(blob(), target=poor, low_quality=True), 1, trainer.rng)
    trainer.recipe, kept = replace(trainer.recipe, rectify_after=trainer.step + 1), trainer.recipe
    assert torch.equal(trainer._labels([0])[0][0], torch.from_numpy(poor).float())
    trainer.recipe = kept
    assert not torch.equal(trainer._labels([0])[0][0], torch.from_numpy(poor).float())
