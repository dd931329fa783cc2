"""Charts and table of the page of a training: saturated readings, nulls, epochs, long texts, in a real browser."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from chromium import CHROMIUM
from dsentropy.monitor import report
from report_pages import curves, data_of, opened, record

browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")

DOTS = "[...document.querySelectorAll('#{} .dot.hollow')].map((one) => one.dataset.line)"


@browser
def test_saturated_points_are_hollow_and_a_sentence_says_so(tmp_path: Path) -> None:
    given = curves()
    for one in given.select("dse", layer="third", t=1.0)[1:3]:
        one["saturation"] = "high"
    with opened(tmp_path, given) as page:
        assert page.evaluate(DOTS.format("curves")) == ["2", "2"]
        assert page.evaluate(DOTS.format("profiles")) == ["1", "2"]
        assert not page.evaluate("document.querySelector('#saturated').hidden")
        fill, paper = (
            page.evaluate(f"getComputedStyle(document.querySelector('{one}')).{name}")
            for one, name in [("#curves .dot.hollow", "fill"), ("body", "backgroundColor")]
        )
        assert fill == paper
        page.evaluate("document.querySelectorAll('#layers input')[2].click()")
        assert page.evaluate("document.querySelector('#saturated').hidden")
        page.choose("#t", "2")
        assert page.evaluate("document.querySelectorAll('.dot.hollow').length") == 0
        assert page.faults() == []


@browser
def test_saturated_points_are_drawn_where_others_are_left_out(tmp_path: Path) -> None:
    given = [record(step, value=step / 3, saturation="low" if step == 5 else None) for step in range(1600)]
    with opened(tmp_path, given) as page:
        assert page.evaluate("document.querySelectorAll('#curves .dot').length") == 1
        assert page.evaluate(DOTS.format("curves")) == ["0"]


@browser
def test_the_mean_of_the_null_of_an_entropy_is_dashed(tmp_path: Path) -> None:
    given = [record(step, value=1.0 + step, null_mean=None if step == 2 else 3.0 + step) for step in range(6)]
    given += [record(step, measure="dsmi", null_mean=0.0) for step in range(6)]
    with opened(tmp_path, given) as page:
        means = "[...document.querySelectorAll('#curves .mean')].map((one) => one.getAttribute('d'))"
        [mean] = page.evaluate(means)
        assert (mean.count("M"), mean.count("L")) == (2, 3)
        line = page.evaluate("document.querySelector('#curves .line').getAttribute('d')")
        y = [[float(pair.split()[1]) for pair in re.split("[ML]", d)[1:]] for d in (line, mean)]
        # one pixel is written with one digit: the mean at step 0 is as high as the value at step 2
        assert y[1][0] == pytest.approx(y[0][2], abs=0.1)
        assert min(y[1]) > 0
        assert not page.evaluate("document.querySelector('#null').hidden")
        page.choose("#measure", "dsmi")
        assert page.evaluate(means) == []
        assert page.evaluate("document.querySelector('#null').hidden")


@pytest.mark.parametrize(
    ("epochs", "axis"),
    [
        ((0, 0.5, 1), "epoch"),
        ((0, 0, 1), "step"),
        ((0, None, 1), "step"),
        ((1, 0, 2), "step"),
        ((0, math.inf, 1), "step"),
    ],
)
def test_the_axis_has_epochs_where_all_records_have_one_and_they_ascend(
    tmp_path: Path, epochs: tuple[float | None, ...], axis: str
) -> None:
    given = [record(10 * step, epoch=epoch) for step, epoch in enumerate(epochs)]
    report(given, tmp_path / "run.html")
    assert data_of(tmp_path / "run.html")["axis"] == axis


@browser
def test_a_page_of_epochs_has_them_on_the_axis_and_names_profiles_by_them(tmp_path: Path) -> None:
    given = [record(step, epoch=step / 100, value=float(step), depth=0) for step in range(0, 120, 10)]
    with opened(tmp_path, given) as page:
        assert (
            page.evaluate("[...document.querySelectorAll('#curves text')].map((one) => one.textContent)")[-2]
            == "epoch"
        )
        assert "step" not in page.evaluate("document.querySelector('#curves').textContent")
        steps = page.evaluate("[...document.querySelectorAll('#steps span')].map((one) => one.textContent)")
        assert (steps[0], steps[-1], len(steps)) == ("epoch 0", "epoch 1.1", 8)
        assert "8 of 12 steps" in page.evaluate("document.querySelectorAll('figcaption')[1].textContent")


@browser
def test_a_long_text_takes_one_line_of_the_table_until_it_is_opened(tmp_path: Path) -> None:
    given = [record(0, warnings="a long warning, which has many words " * 12), record(1), record(2, warnings="short")]
    with opened(tmp_path, given) as page:
        heights = "[...document.querySelectorAll('#records tbody tr')].map((one) => one.offsetHeight)"
        closed = page.evaluate(heights)
        assert max(closed) - min(closed) <= 1  # rows end at whole pixels
        assert page.evaluate("document.querySelector('#records .long div').title").startswith("a long warning")
        page.evaluate("document.querySelector('#records .long div').click()")
        assert page.evaluate(heights)[0] > 2 * closed[0]
        page.evaluate(
            "document.querySelector('#records .long div').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter'}))"
        )
        assert page.evaluate(heights) == closed


@browser
def test_the_first_measure_is_the_entropy_else_an_information(tmp_path: Path) -> None:
    for measures, shown in [
        (("spread", "dsmi", "dse"), "dse"),
        (("spread", "dsmi"), "dsmi"),
        (("spread",), "spread"),
    ]:
        with opened(tmp_path, [record(measure=measure) for measure in measures]) as page:
            assert page.evaluate("document.querySelector('#measure').selectedOptions[0].textContent") == shown
