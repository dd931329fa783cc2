"""The page of a training: what it holds, and what a real browser makes of it without a network."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import CHROMIUM
from dsentropy.monitor import Monitor, Records, read_log, report
from PIL import Image
from report_pages import LAYERS, STEPS, column, curves, data_of, opened, record

browser = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")


def test_a_page_holds_the_records(tmp_path: Path) -> None:
    records = curves()
    report(records, tmp_path / "run.html")
    data = data_of(tmp_path / "run.html")
    assert data["n"] == len(records) == 28
    for name in ("run", "step", "layer", "measure", "standard_error", "n", "epoch", "reason"):
        assert column(data, name) == [one[name] for one in records]
    assert column(data, "value") == [one["value"] and float(f"{one['value']:.7g}") for one in records]
    assert column(data, "t") == ["" if one["t"] is None else f"{one['t']:g}" for one in records]
    assert column(data, "kernel") == ["" if one["t"] is None else "bandwidth median" for one in records]
    assert data["about"] == "28 records, 1 run, 3 layers, 4 steps; dsentropy 1.2"
    assert data["labels"] == {"dse": "diffusion spectral entropy (bits)", "spread": "spread of the directions"}
    assert "lower" not in data["columns"]


def test_a_log_a_monitor_and_their_records_give_one_page(tmp_path: Path) -> None:
    log = tmp_path / "run.jsonl"
    with Monitor(log=log, run="a", bandwidth=3.0, orders=[1, math.inf], num_threads=1) as monitor:
        for step in range(2):
            monitor.observe(step, {"hidden": (step + 1) * np.eye(8), "dead": np.zeros((8, 2))})
    pages = []
    for place, given in enumerate([log, str(log), monitor, monitor.records, iter(monitor.records), read_log(log)]):
        report(given, tmp_path / f"{place}.html")
        pages.append((tmp_path / f"{place}.html").read_bytes())
    assert set(pages) == {pages[0]}
    assert column(data_of(tmp_path / "0.html"), "order").count("inf") == 4


def test_layers_are_sorted_by_depth_and_superseded_records_left_out(tmp_path: Path) -> None:
    given = [record(layer="late", depth=3), record(layer="none"), record(layer="early", depth=0), record(value=9.0)]
    report([*given, record(value=2.5)], tmp_path / "run.html")
    data = data_of(tmp_path / "run.html")
    assert data["layers"] == ["early", "late", "none", "first"]
    assert data["n"] == 4
    assert 9.0 not in column(data, "value")


def test_kernels_that_differ_are_named(tmp_path: Path) -> None:
    rules = [("median", 0.5, 0.0), ("number", 0.25, 0.0), ("number", 0.25, 0.5), (None, None, None)]
    given = [record(bandwidth_rule=rule, bandwidth=number, alpha=alpha) for rule, number, alpha in rules]
    report(given, tmp_path / "run.html")
    assert column(data_of(tmp_path / "run.html"), "kernel") == [
        "bandwidth median, alpha = 0",
        "bandwidth 0.25, alpha = 0",
        "bandwidth 0.25, alpha = 0.5",
        "",
    ]


def test_numbers_that_are_not_finite_have_no_value(tmp_path: Path) -> None:
    report([record(value=math.inf), record(1, value=math.nan), record(2, value=3)], tmp_path / "run.html")
    assert column(data_of(tmp_path / "run.html"), "value") == [None, None, 3]


def test_a_log_with_fields_of_other_types_is_shown_without_them(tmp_path: Path) -> None:
    line = {**record(depth=0, n=5), "depth": "zero", "n": True, "d": 10**400, "other": 1}
    (tmp_path / "run.jsonl").write_text(json.dumps(line) + "\n")
    report(tmp_path / "run.jsonl", tmp_path / "run.html")
    assert not {"depth", "n", "d", "other"} & set(data_of(tmp_path / "run.html")["columns"])


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        (3, TypeError, r"^records must be a path, a Monitor or an iterable of records, got 3"),
        ({"run": "a"}, TypeError, r"^records must be a path, a Monitor or an iterable of records, got \{"),
        ([1], TypeError, r"^records must be dictionaries, got 1"),
        ([{"run": "a", "step": 0}], TypeError, r"^records must have 'layer' of type str, got None"),
        ([{**record(), "value": "1"}], TypeError, r"^records must have 'value' of type float, got '1'"),
        ([{**record(), "step": True}], TypeError, r"^records must have 'step' of type int, got True"),
        ([{**record(), "value": 10**5000}], TypeError, r"^records must have 'value' of type float, got "),
        ([], ValueError, r"^records must not be empty"),
        ((), ValueError, r"^records must not be empty"),
    ],
)
def test_what_is_no_record_is_refused_and_nothing_written(tmp_path: Path, given: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        report(given, tmp_path / "run.html")
    assert list(tmp_path.iterdir()) == []


def test_other_arguments_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("{}\n")
    with pytest.raises(ValueError, match=r"^records must be that of a log, got .*none\.jsonl"):
        report(tmp_path / "none.jsonl", tmp_path / "run.html")
    with pytest.raises(FileNotFoundError, match="missing"):
        report(tmp_path / "missing.jsonl", tmp_path / "run.html")
    with pytest.raises(TypeError, match=r"^path must be a path"):
        report(curves(), 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^title must be a string or None, got 3"):
        report(curves(), tmp_path / "run.html", title=3)  # type: ignore[arg-type]


def test_a_failed_write_leaves_the_old_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report(curves(), tmp_path / "run.html")
    before = (tmp_path / "run.html").read_bytes()

    def broken(*arguments: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(OSError, match="disk full"):
        report(curves("b"), tmp_path / "run.html")
    assert (tmp_path / "run.html").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_runs_and_titles_are_escaped(tmp_path: Path) -> None:
    for given, title in [({"run": "<i>&"}, None), ({}, "<i>&{{data}}\ud800")]:
        report([record(**given)], tmp_path / "run.html", title=title)
        text = (tmp_path / "run.html").read_text("utf-8")
        assert "&lt;i&gt;&amp;" in text
        assert "<i>" not in text
    report([record(run=run) for run in "abcd"], tmp_path / "run.html")
    assert "<title>Training a, b, c, ...</title>" in (tmp_path / "run.html").read_text("utf-8")


LINES = "document.querySelectorAll('#curves .line').length"
ROWS = (
    "[...document.querySelectorAll('#records tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))"
)


@browser
def test_a_browser_draws_a_line_for_each_layer_with_its_gaps(tmp_path: Path) -> None:
    with opened(tmp_path, curves()) as page:
        assert page.faults() == []
        assert [url for url in page.requests() if not url.startswith("about:")] == [page.path.as_uri()]
        assert page.evaluate(LINES) == 3
        paths = page.evaluate(
            "[...document.querySelectorAll('#curves .line')].map((one) => [one.dataset.layer, one.getAttribute('d')])"
        )
        assert [name for name, _ in paths] == LAYERS
        assert [d.count("M") for _, d in paths] == [1, 2, 1]  # the second has a gap
        for depth, (_, d) in enumerate(paths):
            places = np.array([[float(part) for part in pair.split()] for pair in re.split("[ML]", d)[1:]])
            steps = [0, 1, 3] if depth == 1 else [0, 1, 2, 3]
            expected = np.array([[STEPS[k], depth + k] for k in steps])
            # both axes are linear, one pixel is written with one digit
            for axis in (0, 1):
                slope, offset = np.polyfit(expected[:, axis], places[:, axis], 1)
                np.testing.assert_allclose(slope * expected[:, axis] + offset, places[:, axis], atol=0.1)
        assert page.evaluate("document.querySelectorAll('#curves .band').length") == 3
        assert page.evaluate("document.querySelectorAll('#profiles .line').length") == 4
        texts = page.evaluate("document.querySelector('#curves').textContent")
        assert "step" in texts
        assert "diffusion spectral entropy (bits)" in texts


@browser
def test_measures_times_layers_and_runs_are_chosen_in_the_page(tmp_path: Path) -> None:
    with opened(tmp_path, [*curves(), *curves("b", offset=1.0)]) as page:
        assert page.evaluate(LINES) == 6
        page.choose("#t", "2")
        assert "t = 2, order = 1" in page.evaluate("document.querySelector('#reading').textContent")
        page.evaluate("document.querySelectorAll('#layers input')[1].click()")
        assert page.evaluate(LINES) == 4
        page.evaluate("document.querySelectorAll('#runs input')[0].click()")
        assert (
            page.evaluate("[...document.querySelectorAll('#curves .line')].map((one) => one.dataset.run)")
            == ["b"] * 2
        )
        page.choose("#measure", "spread")
        assert page.evaluate("document.querySelector('#t').closest('label').hidden")
        assert page.evaluate("document.querySelector('#reading').textContent") == "spread of the directions"
        assert page.evaluate(LINES) == 1
        page.evaluate("document.querySelectorAll('#layers button')[1].click()")
        assert page.evaluate(LINES) == 0
        assert "no value of what is chosen" in page.evaluate("document.querySelector('#curves').textContent")
        assert page.faults() == []


@browser
def test_reasons_are_in_the_table_and_long_tables_are_paged(tmp_path: Path) -> None:
    many = [
        record(step, value=None if step == 7 else step / 3, reason="dead" if step == 7 else None)
        for step in range(120)
    ]
    with opened(tmp_path, many) as page:
        assert len(page.evaluate(ROWS)) == 50
        for _ in range(2):
            page.evaluate("document.querySelector('#next').click()")
        assert [row[1] for row in page.evaluate(ROWS)] == [str(step) for step in range(100, 120)]
        assert page.evaluate("document.querySelector('#next').disabled")
        page.evaluate("document.querySelector('#missing').click()")
        ((run, step, layer, value, *_, reason),) = page.evaluate(ROWS)
        assert (run, step, layer, value, reason) == ("a", "7", "first", "", "dead")


@browser
def test_the_record_under_the_pointer_is_shown(tmp_path: Path) -> None:
    with opened(tmp_path, curves()) as page:
        place = "document.querySelectorAll('#curves .dot')[4].getBoundingClientRect()"
        x, y = page.evaluate(
            f"(() => {{ const box = {place}; return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        )
        page.point_at(x, y)
        shown = page.evaluate(
            "(() => { const tip = document.querySelector('#tip'); return tip.hidden ? null : tip.textContent; })()"
        )
        assert shown == "second\nstep 0\n1 ± 0.1\nbandwidth: 0.5\nn: 50"
        page.point_at(2, 2)
        assert page.evaluate("document.querySelector('#tip').hidden")


HOSTILE = "</script><b>x</b><!--<script>alert(1)</script>\u2028&lt;"


@browser
def test_names_of_layers_are_text_whatever_they_say(tmp_path: Path) -> None:
    with opened(
        tmp_path, [record(layer=HOSTILE, run=HOSTILE, reason=HOSTILE), record(layer="other", run="b")]
    ) as page:
        assert page.faults() == []
        assert page.evaluate(LINES) == 2
        assert page.evaluate("document.querySelectorAll('b').length") == 0
        assert page.evaluate("document.querySelector('#layers label').textContent") == HOSTILE
        assert page.evaluate("document.querySelector('#curves .line').dataset.layer") == HOSTILE
        assert HOSTILE in page.evaluate(ROWS)[0]


@browser
def test_long_names_of_layers_end_within_the_page(tmp_path: Path) -> None:
    names = [f"transformer.h.{depth}.attn.c_proj" for depth in range(12)]
    with opened(tmp_path, [record(layer=name, depth=depth) for depth, name in enumerate(names)]) as page:
        edges = page.evaluate(
            "[...document.querySelectorAll('#profiles .tick[transform]')].map((one) =>"
            " one.getBoundingClientRect().left - document.querySelector('#profiles').getBoundingClientRect().left)"
        )
        assert len(edges) == 12
        assert min(edges) >= 0


def colours(png: bytes) -> tuple[float, int]:
    """The lightness of a picture, from 0 to 255, and the number of its colours that are no grey."""
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).reshape(-1, 3).astype(int)
    return float(np.median(picture)), len(np.unique(picture[np.ptp(picture, axis=1) > 40], axis=0))


@browser
def test_the_page_is_light_or_dark_as_the_browser_is_and_prints_dark_on_white(tmp_path: Path) -> None:
    with opened(tmp_path, curves()) as page:
        lightness = {}
        for scheme, media in [("light", "screen"), ("dark", "screen"), ("dark", "print")]:
            page.emulate(scheme=scheme, media=media)
            lightness[scheme, media], distinct = colours(page.screenshot())
            assert distinct > 3
        assert lightness["light", "screen"] > 240
        assert lightness["dark", "screen"] < 40
        assert lightness["dark", "print"] > 240
        assert page.printed().startswith(b"%PDF")


def contrast(one: str, other: str) -> float:
    """The ratio of contrast of WCAG 2 between two colours rgb(r, g, b)."""
    lights = []
    for colour in (one, other):
        parts = np.array([int(part) for part in re.findall(r"\d+", colour)]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return float(max(lights) / min(lights))


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_and_lines_are_seen_on_their_background(tmp_path: Path, scheme: str) -> None:
    """Texts have the ratio of 4.5 that WCAG asks for; the brightest line is dashed as well, and has less."""
    with opened(tmp_path, curves()) as page:
        page.emulate(scheme=scheme)
        style = "getComputedStyle(document.querySelector('%s')).%s"
        paper = page.evaluate(style % ("body", "backgroundColor"))
        for selector, name in [("body", "color"), ("figcaption", "color"), ("#curves .tick", "fill")]:
            assert contrast(paper, page.evaluate(style % (selector, name))) > 4.5
        strokes = page.evaluate(
            "[...document.querySelectorAll('#curves .line')].map((one) => getComputedStyle(one).stroke)"
        )
        assert len(set(strokes)) == 3
        assert min(contrast(paper, stroke) for stroke in strokes) > 1.8
        dashes = page.evaluate(
            "[...document.querySelectorAll('#curves .line')].map((one) => one.getAttribute('stroke-dasharray'))"
        )
        assert len(set(dashes)) == 3


@browser
def test_a_hundred_thousand_records_are_usable(tmp_path: Path) -> None:
    fields = record()
    many = [
        {**fields, "step": step, "layer": f"block_{layer:02d}", "depth": layer, "t": t, "value": step * (layer + t)}
        for step in range(2000)
        for layer in range(25)
        for t in (1.0, 2.0)
    ]
    with opened(tmp_path, Records(many)) as page:
        assert page.evaluate(LINES) == 25
        assert page.evaluate("document.querySelectorAll('#profiles .line').length") == 8
        assert page.evaluate("document.querySelectorAll('*').length") < 2500
        assert "of 1000, 50000 records" in page.evaluate("document.querySelector('#place').textContent")
        page.choose("#t", "2")
        assert page.evaluate(LINES) == 25
        assert page.faults() == []
