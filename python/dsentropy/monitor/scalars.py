"""Records of a step as scalars, by keys for trackers of experiments: ``dsentropy/dse/layer_07``.

A key has a prefix, the measure and the layer. Whole numbers in the name of a layer are padded with zeros, so that a
tracker, which sorts keys as text, shows layers by depth.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

_NUMBER = re.compile("[0-9]+")

_DIGITS = 2
"""The fewest digits of a padded number."""


def scalars_of(records: Iterable[dict[str, Any]], prefix: str) -> dict[str, float]:
    """Return the values of records by key, NaN where there is none."""
    given = list(records)
    measures, layers = _named_readings(given), padded_names(record["layer"] for record in given)
    scalars = {}
    for record in given:
        reading = measures[record["measure"], record["t"], record["order"]]
        key = "/".join(part for part in (prefix, reading, layers[record["layer"]]) if part)
        scalars[key] = math.nan if record["value"] is None else float(record["value"])
    return scalars


def _named_readings(records: list[dict[str, Any]]) -> dict[tuple[str, Any, Any], str]:
    """Return the names of all readings: that of the measure, with t and order where it has several of them."""
    found: dict[str, list[tuple[Any, Any]]] = defaultdict(list)
    for record in records:
        found[record["measure"]].append((record["t"], record["order"]))
    names: dict[tuple[str, Any, Any], str] = {}
    for measure, readings in found.items():
        times, orders = (_suffixes(*one) for one in zip(("t", "order"), zip(*readings, strict=True), strict=True))
        names |= {(measure, t, order): f"{measure}{times[t]}{orders[order]}" for t, order in readings}
    return names


def _suffixes(name: str, numbers: Iterable[float | None]) -> dict[float | None, str]:
    """Return what each number adds to a name: nothing where there is one only."""
    distinct = list(dict.fromkeys(numbers))
    if len(distinct) == 1:
        return {distinct[0]: ""}
    short = [f"{number:g}" for number in distinct]
    texts = short if len(set(short)) == len(short) else map(repr, distinct)
    return {number: f"_{name}{text}" for number, text in zip(distinct, texts, strict=True)}


def padded_names(names: Iterable[str]) -> dict[str, str]:
    """Return names by name, with their whole numbers padded to two digits or to the longest number at their place.

    Numbers have one place where the texts before them are equal up to numbers, as in ``layers.3.mlp`` and
    ``layers.12.mlp``. Names that padding would make equal stay as they are.
    """
    given = list(dict.fromkeys(names))
    digits: dict[str, int] = defaultdict(lambda: _DIGITS)
    for name in given:
        for number in _NUMBER.finditer(name):
            place = _place(number)
            digits[place] = max(digits[place], len(number.group()))
    padded = {name: _NUMBER.sub(lambda number: number.group().zfill(digits[_place(number)]), name) for name in given}
    counts = Counter(padded.values())
    return {name: new if counts[new] == 1 else name for name, new in padded.items()}


def _place(number: re.Match[str]) -> str:
    """Return the text before a number, in which numbers do not count."""
    return _NUMBER.sub("#", number.string[: number.start()])
