"""Values in error texts: NumPy's scalars as plain numbers, large objects by type and size."""

from decimal import Decimal
from fractions import Fraction

import dsentropy
import numpy as np
import pandas as pd
import pytest
from dsentropy._checks.printing import printed, printed_bits

X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (np.int64(0), "0"),
        (np.float64(0), "0.0"),
        (np.float32(0.1), "0.1"),
        (np.longdouble(0.5), "0.5"),
        (np.complex128(3), "(3+0j)"),
        (np.array(2.5), "2.5"),
        (np.array(None, dtype=object), "None"),
        (np.True_, "True"),
        (np.str_("knn"), "'knn'"),
        (np.bytes_(b"knn"), "b'knn'"),
        (np.datetime64("2020-01-02"), "2020-01-02"),
        ([np.float64(1), (np.int8(2),)], "[1.0, (2,)]"),
        ((np.float64(1), "a"), "(1.0, 'a')"),
        (list(range(1000)), "[0, 1, 2, 3, 4, 5, 6, 7, ... (1000 entries)]"),
        (np.array([1.0, 2.0]), "array([1., 2.])"),
        (np.zeros((4, 3)), "ndarray of shape (4, 3)"),
        (pd.DataFrame(np.zeros((4, 3))), "DataFrame of shape (4, 3)"),
        (10**400, repr(10**400)),
        (-(10**5000), "an integer of 16610 bits"),
        ([1, 10**5000], "[1, an integer of 16610 bits]"),
        (np.array(10**5000, dtype=object), "an integer of 16610 bits"),
        (Fraction(10**5000, 3), "an object of type Fraction, which cannot be printed"),
        (np.array([10**5000]), "an object of type ndarray, which cannot be printed"),
        ({"a": 10**5000}, "an object of type dict, which cannot be printed"),
        (Decimal(10**5000), repr(Decimal(10**5000))[:100] + "... (5012 characters)"),
        (np.longdouble("1e4000"), "1e+4000"),
        ("a" * 10**6, "'" + "a" * 99 + "... (1000000 characters)"),
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_value_is_printed_plainly(value, text):
    assert printed(value) == text


@pytest.mark.parametrize("zero", [0, np.int64(0), np.float32(0), np.array(0)], ids=repr)
def test_bandwidth_of_zero_is_a_plain_zero(zero):
    with pytest.raises(ValueError, match=r"^bandwidth must be positive and finite, got 0(\.0)?$"):
        dsentropy.diffusion_spectrum(X, bandwidth=zero)


def test_no_error_of_a_numeric_argument_names_a_type_of_numpy():
    """Each numeric argument of each function, with numbers that none of them takes."""
    spectrum = dsentropy.Spectrum([1.0, 0.5])
    calls = {
        "alpha": lambda value: dsentropy.diffusion_spectrum(X, alpha=value),
        "n_neighbors": lambda value: dsentropy.nearest_neighbors(X, value),
        "max_samples": lambda value: dsentropy.diffusion_spectrum(X, max_samples=value),
        "tol": lambda value: dsentropy.Stochastic(tol=value),
        "orders": lambda value: dsentropy.entropy_surface(X, 1.0, orders=[value]),
        "confidence": lambda value: dsentropy.subsampled_entropy(X, n_samples=5, confidence=value),
        "t": lambda value: spectrum.entropy(t=(1, value)),
        "base": lambda value: spectrum.entropy(base=value),
        "solver": lambda value: dsentropy.kernel_spectrum(np.eye(3), solver=value),
        "metric": lambda value: dsentropy.diffusion_spectrum(X, metric=value),
        "parameters": lambda value: dsentropy.Spectrum([1.0], parameters=value),
    }
    for name, call in calls.items():
        for value in (np.float64(-1.5), np.int64(-2), np.array(-3.5), np.float32("nan")):
            with pytest.raises((TypeError, ValueError), match=name) as caught:
                call(value)
            assert "np." not in str(caught.value)
            assert "array(" not in str(caught.value)


def test_masked_numbers_are_refused_without_a_warning():
    with pytest.raises(ValueError, match="t must not be masked"):
        dsentropy.Spectrum([1.0]).entropy(t=np.ma.masked_array([1.0, 2.0], mask=[False, True]))


@pytest.mark.parametrize("value", [{1: 2}, {1.0, 2.0}], ids=["dict", "set"])
def test_numbers_have_an_order(value):
    with pytest.raises(TypeError, match=r"t must be a number or a sequence of numbers, got \{1"):
        dsentropy.Spectrum([1.0]).entropy(t=value)


def test_bits_that_are_rounding_are_zero():
    assert [printed_bits(value) for value in (0.0, -4e-16, 1e-11, -0.12345, 2.0)] == [
        "0",
        "0",
        "1e-11",
        "-0.1235",
        "2",
    ]
    assert "MutualInformation 0 bits" in repr(dsentropy.mutual_information(X, np.zeros(20, dtype=int), n_repeats=1))
