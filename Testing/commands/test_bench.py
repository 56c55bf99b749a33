import re

import pytest

from SegAnyPETLib.cli import main

pytestmark = pytest.mark.slow


def test_every_part_of_a_click_is_measured(model_file, capsys, monkeypatch):
    monkeypatch.setattr("SegAnyPETLib.commands.bench.SHAPE_KJI", (300, 260, 260))
    assert main(["bench", "--model", str(model_file), "--repeats", "1"]) == 0
    rows = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in capsys.readouterr().out.splitlines() if "   " in line)
    for name in ("loading", "window sampling", "encoding", "paste-back", "first click", "next click"):
        assert float(rows[name].split()[0]) > 0
    assert float(rows["peak memory"].removesuffix(" MB")) > 50
    assert "260 x 260 x 300 voxels" in rows["volume"]


def test_random_weights_are_not_passed_off_as_a_model(capsys):
    assert main(["bench", "--random-weights", "--model", "lesion"]) == 2
    assert "give it without --model" in capsys.readouterr().err
