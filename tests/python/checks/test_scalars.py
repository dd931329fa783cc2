"""Axes of results follow the arguments: a number has none."""

import numpy as np
import pytest
from dsentropy import diffusion_spectral_entropy, diffusion_spectrum
from dsentropy._checks.limits import MAX_COUNT
from dsentropy._checks.scalars import (
    as_choice,
    as_count,
    as_flag,
    as_float,
    as_nonnegative,
    as_numbers,
    as_optional_flag,
    drop_axes,
)

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


class Number:
    """A scalar of torch with a gradient, which NumPy cannot read."""

    ndim, shape = 0, ()

    def __init__(self, value, dtype="torch.float64", requires_grad=True):
        self.value, self.dtype, self.requires_grad = value, dtype, requires_grad

    def __array__(self, *arguments, **named):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.array(self.value)

    def __float__(self):
        return float(self.value)

    def detach(self):
        return Number(self.value, self.dtype, requires_grad=False)

    def cpu(self):
        return self


def test_a_tensor_with_a_gradient_is_its_number():
    assert as_float(Number(2.0), "sigma") == 2.0
    X = np.random.default_rng(0).normal(size=(20, 2))
    for function, name in [(diffusion_spectral_entropy, "gaussian_kernel_sigma"), (estimated, "bandwidth")]:
        assert function(X, **{name: Number(2.0)}) == function(X, **{name: 2.0})
    with pytest.raises(TypeError, match="sigma must be a real number"):
        as_float(Number(True, "torch.bool"), "sigma")


def estimated(X, bandwidth):
    return diffusion_spectrum(X, bandwidth=bandwidth, solver="stochastic").entropy()


def test_a_scalar_of_torch_is_its_number():
    torch = pytest.importorskip("torch")
    assert as_float(torch.tensor(2.0, requires_grad=True), "sigma") == 2.0
    for bad in (torch.tensor([2.0]), torch.tensor(True), torch.tensor(1j)):
        with pytest.raises(TypeError, match="sigma must be a real number"):
            as_float(bad, "sigma")


@pytest.mark.parametrize("value", [True, False, np.True_, np.False_])
def test_a_flag_is_a_bool(value):
    assert as_flag(value, "use_knn") is bool(value)
    assert as_optional_flag(value, "discrete") is bool(value)


@pytest.mark.parametrize(
    "value", ["False", "", b"", 0, 1, 2.0, [], [False], {}, np.array([True, False]), np.array(True), object()]
)
def test_nothing_else_is_a_flag(value):
    with pytest.raises(TypeError, match=r"^use_knn must be True or False, got "):
        as_flag(value, "use_knn")
    with pytest.raises(TypeError, match=r"^discrete must be True, False or None, got "):
        as_optional_flag(value, "discrete")


def test_an_optional_flag_may_be_none():
    assert as_optional_flag(None, "discrete") is None
    with pytest.raises(TypeError, match=r"^use_knn must be True or False, got None$"):
        as_flag(None, "use_knn")


def test_a_count_has_a_range():
    assert as_count(0, "n", least=0) == 0
    assert as_count(MAX_COUNT, "n") == MAX_COUNT
    for value, text in [(-1, "at least 0, got -1"), (8, "at most 7, got 8")]:
        with pytest.raises(ValueError, match=f"^n must be {text}$"):
            as_count(value, "n", least=0, most=7)
    with pytest.raises(ValueError, match=r"^n must be at most 3, the number of rows, got an integer of 16610 bits$"):
        as_count(10**5000, "n", n_rows=3)
