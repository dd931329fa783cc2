"""Arguments that adapters share: when a sweep is due, patterns of names, and callables that pool."""

from __future__ import annotations

from typing import Any

import pytest
from dsentropy.integrations.name_pattern import matching
from dsentropy.integrations.pool import takes_mask
from dsentropy.integrations.schedule import Schedule


def swept(schedule: Schedule, steps: list[int], before: int = 0) -> list[int]:
    found = []
    for step in steps:
        if schedule.due_at_step(step, before):
            schedule.last = step
            found.append(step)
        before = step
    return found


@pytest.mark.parametrize(
    ("every", "at", "steps", "expected"),
    [
        (3, (), [*range(1, 10)], [3, 6, 9]),
        (None, (1, 5), [*range(1, 10)], [1, 5]),
        (4, (8, 5), [*range(1, 10)], [4, 5, 8]),
        (4, (5,), [3, 6, 9, 9, 12], [6, 9, 12]),
        (1, (), [5, 6], [5, 6]),
    ],
)
def test_steps(every: Any, at: Any, steps: list[int], expected: list[int]) -> None:
    assert swept(Schedule(None, every, at), steps) == expected


def test_epochs_and_the_start() -> None:
    schedule = Schedule(2, None, [0])
    assert schedule.due_at_start()
    assert [schedule.due_at_epoch(epoch, 10 * epoch) for epoch in range(1, 5)] == [False, True, False, True]
    schedule.last = 20
    assert not schedule.due_at_start()
    assert not schedule.due_at_epoch(2, 20)
    assert not Schedule(1, None, ()).due_at_start()
    assert not Schedule(None, 5, ()).due_at_epoch(1, 10)
    assert [Schedule(1, None, ()).has_steps, Schedule(1, 2, ()).has_steps, schedule.has_steps] == [False, True, True]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((0, None, ()), "every_n_epochs must be at least 1"),
        ((1, 1.5, ()), "every_n_steps must be"),
        ((1, None, "100"), "sweep_steps must be a sequence of steps, got '100'"),
        ((1, None, 100), "sweep_steps must be a sequence of steps, got 100"),
        ((1, None, [-1]), "sweep_steps must be at least 0"),
        ((None, None, ()), "every_n_epochs must be given where every_n_steps and sweep_steps are not"),
    ],
)
def test_errors(arguments: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        Schedule(*arguments)


NAMES = ["blocks.0", "blocks.0.mlp", "blocks.1", "blocks.12", "head", "a]b", "a-b"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("blocks.*", ["blocks.0", "blocks.1", "blocks.12"]),
        ("**", NAMES),
        ("blocks.?", ["blocks.0", "blocks.1"]),
        ("blocks.[!0]", ["blocks.1"]),
        ("blocks.[0-1]", ["blocks.0", "blocks.1"]),
        ("**.mlp", ["blocks.0.mlp"]),
        ("a[!x]b", ["a]b", "a-b"]),
        ("[!]ead", []),
        ("head", []),
    ],
)
def test_patterns(pattern: str, expected: list[str]) -> None:
    assert matching(pattern, NAMES, ".") == expected


def test_callables_that_take_a_mask() -> None:
    assert takes_mask(lambda output, mask=None: output)
    assert takes_mask(lambda output, weights: output)
    assert not takes_mask(lambda output, axis=1: output)
    assert not takes_mask(lambda output: output)
    assert not takes_mask(max)  # has no signature that can be read
