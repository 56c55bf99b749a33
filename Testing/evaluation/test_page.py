"""An evaluation as a page."""

import re

import numpy as np
import pytest

from SegAnyPETLib.evaluation.page import page_of
from SegAnyPETLib.evaluation.results import CaseResult, Evaluation
from Testing.evaluation.statistics.measured import measured


def evaluation(cases: int = 12, robot: str = "ideal") -> Evaluation:
    random = np.random.default_rng(0)
    results = []
    for number in range(cases):
        dice = sorted(random.uniform(0.4, 0.95, size=3))
        small = measured(f"{number}", [0.3, 0.2, 0.5], 0.5, contrast=1.5, touching=True)
        ours = (measured(f"{number}", dice, 30.0, contrast=5.0), small)
        other = (measured(f"{number}", [0.3], 30.0, contrast=5.0), measured(f"{number}", [0.4], 0.5, touching=True))
        results.append(CaseResult(f"{number}", ours, {"41%": other}))
    results += [CaseResult("healthy"), CaseResult("bad <b>", error="case bad <b>: no grid")]
    return Evaluation("lite", robot, 0, (1, 2, 3), tuple(results))


@pytest.mark.slow
def test_the_page_opens_without_a_network() -> None:
    html = page_of(evaluation())
    assert "<svg" in html
    assert not re.search(r"(src|href)=\"(https?:|//)", html)
    assert not re.search(r"@import|url\((?!#)", html)
    assert "<script" not in html


@pytest.mark.slow
def test_the_page_shows_strata_intervals_worse_clicks_and_methods() -> None:
    html = page_of(evaluation())
    table = html[html.index("Dice over clicks") : html.index("Clicks that lowered")]
    assert re.search(r"<td>per case</td><td>13</td><td>13</td><td>0\.\d{3}</td><td>0\.\d{3} to 0\.\d{3}</td>", table)
    assert "<td>&lt; 1 ml</td><td>12</td><td>12</td><td>0.300</td><td>0.300 to 0.300</td>" in table
    assert "<td>touching another target</td>" in table
    assert "<td>&lt; 1 ml</td><td>50.0 %</td><td>0.100</td>" in html
    assert re.search(r"<td>&lt; 1 ml</td><td>41% \(best\)</td><td>12</td><td>12</td><td>0.300</td><td>0.400</td>", html)
    assert "<td>-0.100</td><td>-0.100 to -0.100</td>" in html
    assert "Cases without a lesion: healthy" in html
    assert "Not evaluated: case bad &lt;b&gt;: no grid" in html


def test_few_cases_have_no_interval_and_an_empty_evaluation_has_a_page() -> None:
    assert "No 95 % interval" in page_of(evaluation(3))
    assert "0 targets in 1 case" in page_of(Evaluation("lite", "ideal", 0, (1,), (CaseResult("healthy"),)))
