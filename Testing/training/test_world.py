import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.training.recipe_file import read_recipe
from SegAnyPETLib.training.trainer import Trainer
from SegAnyPETLib.training.world import World

SETTINGS = {
    "name": "pair",
    "steps": 1,
    "family": "sam",
    "size": 32,
    "window_spacing_mm": 4.0,
    "sam": {"patch": 8, "width": 24, "depth": 2, "heads": 2, "global_blocks": [1], "window": 3, "prompt_width": 48},
    "batch": 1,
    "accumulate": 2,
    "slots": 2,
    "warmup": 1,
    "analytic_bodies": 1,
    "bf16": False,
}
#: The command, with each process leaving behind its weights, the last gradients and how often it wrote the weights.
SCRIPT = """
import sys
import torch
from SegAnyPETLib.cli import main
from SegAnyPETLib.training import trainer

class Kept(trainer.Trainer):
    def run(self, progress=True):
        written, save = [], self.trainee.save
        self.trainee.save = lambda net: written.append(net) or save(net)
        path = super().run(progress)
        gradients = {name: value.grad for name, value in self.net.named_parameters()}
        left = {"net": self.net.state_dict(), "gradients": gradients, "written": len(written)}
        torch.save(left, self.output / f"rank{self.world.rank}.left")
        return path

trainer.Trainer = Kept
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A step of two processes: its folder and what the command printed."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "pair.yaml").write_text(yaml.safe_dump(SETTINGS))
    (folder / "script.py").write_text(SCRIPT)
    start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*start, str(folder / "script.py"), "train", str(folder / "pair.yaml"), "--output", str(folder / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=Path(__file__).resolve().parents[2])
    assert done.returncode == 0, done.stderr[-2000:]
    return folder, done.stdout


def left_by(folder, rank):
    return torch.load(folder / "out" / f"rank{rank}.left", weights_only=True)


@pytest.mark.slow
def test_processes_end_with_equal_weights_and_the_first_one_alone_writes_and_speaks(pair):
    folder, printed = pair
    one, other = (left_by(folder, rank) for rank in (0, 1))
    assert all(torch.equal(one["net"][name], other["net"][name]) for name in one["net"])
    assert (one["written"], other["written"]) == (1, 0)
    files = {path.name for path in (folder / "out").iterdir() if path.suffix != ".left"}
    assert files == {"pair.pt", "pair.csv", "pair.safetensors"}
    assert printed.count("weights  ") == 1


@pytest.mark.slow
def test_a_step_of_several_processes_is_one_of_their_mean_gradient_and_loss(pair, tmp_path):
    folder, _ = pair
    recipe = read_recipe(folder / "pair.yaml")
    apart = [Trainer(recipe, tmp_path, world=World(rank=rank)) for rank in (0, 1)]
    losses = [trainer._batch()[0] for trainer in apart for _ in range(2)]
    first, second = (list(trainer.net.parameters()) for trainer in apart)
    assert not all(torch.equal(a.grad, b.grad) for a, b in zip(first, second, strict=True) if a.grad is not None)
    for a, b in zip(first, second, strict=True):
        if a.grad is not None or b.grad is not None:
            a.grad = sum(p.grad if p.grad is not None else torch.zeros_like(p) for p in (a, b)) / 2
    torch.nn.utils.clip_grad_norm_(first, 1.0)
    # Adam divides a gradient by its size: what is rounding noise moves a weight as far as what is not. So gradients are
    # compared here, and weights after a step along the same gradients.
    together = left_by(folder, 0)
    for name, value in apart[0].net.named_parameters():
        if value.grad is not None:
            torch.testing.assert_close(value.grad, together["gradients"][name], rtol=1e-3, atol=1e-5)
        value.grad = together["gradients"][name]
    apart[0].optimizer.step()
    for name, value in apart[0].net.state_dict().items():
        torch.testing.assert_close(value, together["net"][name], rtol=1e-5, atol=1e-6)
    with (folder / "out" / "pair.csv").open() as file:
        assert float(next(csv.DictReader(file))["loss"]) == pytest.approx(sum(losses) / 4, abs=1e-5)


@pytest.mark.slow
def test_a_run_of_two_processes_does_not_go_on_with_one(pair):
    folder, _ = pair
    recipe = read_recipe(folder / "pair.yaml")
    with pytest.raises(InputError, match=r"pair\.pt belongs to a run of 2 processes; start as many"):
        Trainer(recipe, folder / "out", resume=True)


def test_without_torchrun_there_is_one_process(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    world = World.from_environment()
    assert (world.rank, world.size, world.first) == (0, 1, True)
    assert world.summed([1.5, 2.0], torch.device("cpu")) == [1.5, 2.0]
    assert world.gathered("a") == ["a"]


def test_each_process_has_its_own_gpu():
    assert World(3, 8, 1).local_device(torch.device("cuda")) == torch.device("cuda", 1)
    assert World(1, 2, 1).local_device(torch.device("cpu")) == torch.device("cpu")
    assert World().local_device(torch.device("cuda")) == torch.device("cuda")


@pytest.mark.parametrize(("rank", "size"), [("2", "2"), ("-1", "2"), ("one", "2"), ("0", "0")])
def test_a_contradictory_environment_is_refused(monkeypatch, rank, size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("WORLD_SIZE", size)
    with pytest.raises(InputError, match="torchrun"):
        World.from_environment()
