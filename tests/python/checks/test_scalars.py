"""Axes of results follow the arguments: a number has none."""

import numpy as np
import pytest
from dsentropy._checks.scalars import as_choice, as_nonnegative, as_numbers, drop_axes

VALUES = np.arange(24.0).reshape(4, 3, 2)


@pytest.mark.parametrize(
    ("several", "shape"),
    [((True, True), (4, 3, 2)), ((True, False), (4, 3)), ((False, True), (4, 2)), ((), (4, 3, 2))],
)
def test_the_last_axes_are_dropped_where_an_argument_was_a_number(several, shape):
    assert drop_axes(VALUES, *several).shape == shape


def test_without_an_axis_the_result_is_a_number_of_python():
    assert type(drop_axes(VALUES[0], False, False)) is float
    assert type(drop_axes(np.array([7]), False)) is int


@pytest.mark.parametrize(
    ("given", "expected"), [(2, ([2.0], False)), ([2], ([2.0], True)), (np.array(2), ([2.0], False))]
)
def test_a_number_is_told_from_a_sequence_of_one(given, expected):
    assert as_numbers(given, "t", as_nonnegative) == expected


def test_a_choice_is_one_of_the_strings():
    assert as_choice("b", "graph", "a", "b") == "b"
    with pytest.raises(ValueError, match="graph must be 'a', 'b' or 'c', got 'd'"):
        as_choice("d", "graph", "a", "b", "c")
    with pytest.raises(TypeError, match="graph must be a string, got 1"):
        as_choice(1, "graph", "a", "b")
