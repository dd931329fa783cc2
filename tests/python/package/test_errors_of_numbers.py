"""Bad values are ValueErrors, bad types TypeErrors; each names the argument: counts, numbers and seeds."""

import numpy as np
import pytest
from reference_calls import (
    ASE,
    ASMI,
    DSE,
    DSMI,
    N,
    X,
    call,
    every_entropy,
    every_function,
    every_information,
    refused,
    value_of,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")


def plain(value):
    """The repr of a number of Python, whatever type NumPy gave it."""
    scalar = value[()] if isinstance(value, np.ndarray) else value
    return repr(scalar.item()) if isinstance(scalar, np.generic) else repr(scalar)


NOT_INTEGERS = [2.0, 2.5, np.float64(3), "3", b"3", [3], True, np.True_, np.array(True), 1j, np.nan]
NOT_INTEGERS += [np.array([3, 4]), np.array(2.5)]
COUNTS = {
    "max_N": [DSE, ASE],
    "num_bins_per_dim": [DSE, DSMI],
    "knn": [ASE],
    "num_repetitions": [DSMI, ASMI],
    "n_clusters": [DSMI, ASMI],
    "num_threads": [DSE, ASE, DSMI, ASMI],
}
counts = pytest.mark.parametrize(
    ("argument", "function"), [(argument, function) for argument, all_ in COUNTS.items() for function in all_]
)


@counts
@pytest.mark.parametrize("value", [0, -1, np.int8(0), -(10**30)], ids=repr)
def test_counts_below_one(function, argument, value):
    text = refused(ValueError, argument, function, **{argument: value})
    assert str(value) in text


@counts
@pytest.mark.parametrize("value", NOT_INTEGERS, ids=repr)
def test_counts_that_are_not_integers(function, argument, value):
    text = refused(TypeError, argument, function, **{argument: value})
    assert f"got {plain(value)}" in text


@counts
def test_counts_that_may_not_be_none(function, argument):
    if argument in ("max_N", "num_threads"):
        call(function, **{argument: None})
    else:
        refused(TypeError, argument, function, **{argument: None})


@counts
@pytest.mark.parametrize("dtype", [np.int8, np.uint64])
def test_counts_of_any_integer_type(function, argument, dtype):
    assert value_of(function, **{argument: dtype(2)}) == value_of(function, **{argument: 2})


@every_function
def test_threads_beyond_any_machine_are_as_many_as_help(function):
    assert value_of(function, num_threads=10**30) == pytest.approx(value_of(function), rel=1e-12)


@every_entropy
def test_limit_beyond_any_machine_is_none(function):
    assert value_of(function, max_N=10**30) == value_of(function)


@pytest.mark.parametrize("knn", [N + 1, 10**30])
def test_more_neighbors_than_rows(knn):
    text = refused(ValueError, "knn", ASE, use_knn=True, knn=knn)
    assert str(N) in text
    refused(ValueError, "knn", ASE, use_knn=True, knn=11, max_N=10)


def test_as_many_neighbors_as_rows():
    assert call(ASE, use_knn=True, knn=N) == pytest.approx(0, abs=1e-12)
    assert call(ASE, use_knn=True, knn=10, max_N=10) == pytest.approx(0, abs=1e-12)


def test_neighbors_beyond_any_machine_and_no_data(tmp_path):
    """Without data there is no number of rows to compare with."""
    path = tmp_path / "eigenvalues"
    call(ASE, use_knn=True, eigval_save_path=path)
    with pytest.raises(ValueError, match="knn"):
        call(ASE, None, use_knn=True, knn=10**30, eigval_save_path=path)


NUMBERS = {"gaussian_kernel_sigma": [DSE, ASE, DSMI, ASMI], "t": [DSE, DSMI]}
numbers = pytest.mark.parametrize(
    ("argument", "function"), [(argument, function) for argument, all_ in NUMBERS.items() for function in all_]
)


@numbers
@pytest.mark.parametrize(
    "value", [-1, -1e-300, np.nan, np.inf, -np.inf, 10**400, np.float16("inf")], ids=lambda v: str(v)[:9]
)
def test_numbers_out_of_range(function, argument, value):
    text = refused(ValueError, argument, function, **{argument: value})
    assert f"got {plain(value)}" in text


@numbers
@pytest.mark.parametrize(
    "value",
    [
        "10",
        b"10",
        bytearray(b"10"),
        None,
        True,
        np.True_,
        1j,
        np.complex128(3),
        [10],
        np.array([10.0]),
        np.str_("10"),
    ],
    ids=repr,
)
def test_numbers_of_another_type(function, argument, value):
    text = refused(TypeError, argument, function, **{argument: value})
    assert f"got {plain(value)}" in text


@pytest.mark.parametrize("function", NUMBERS["gaussian_kernel_sigma"])
@pytest.mark.parametrize("value", [0, 0.0, -0.0, np.int64(0)], ids=repr)
def test_bandwidth_of_zero(function, value):
    text = refused(ValueError, "gaussian_kernel_sigma", function, gaussian_kernel_sigma=value)
    assert text.endswith(f"got {plain(value)}")


@every_function
@pytest.mark.parametrize("value", [0.5, 1.0, np.float32(1), "1", b"1", [1], np.nan, 1j], ids=repr)
def test_seeds_that_are_not_integers(function, value):
    text = refused(TypeError, "random_seed", function, random_seed=value)
    assert f"got {plain(value)}" in text


@every_function
def test_parameters_are_checked_where_they_play_no_part(function):
    flags = {DSE: ["classic_shannon_entropy"], ASE: ["use_knn"], DSMI: ["matrix_entry_entropy"], ASMI: ["use_knn"]}
    arguments = dict.fromkeys(flags[function], True)
    refused(ValueError, "gaussian_kernel_sigma", function, gaussian_kernel_sigma=-1, **arguments)


@pytest.mark.parametrize("function", [DSE, DSMI])
def test_bins_beyond_any_machine(function):
    with pytest.raises((ValueError, MemoryError), match="num_bins_per_dim"):
        call(function, classic_shannon_entropy=True, num_bins_per_dim=10**30)


@every_information
def test_clusters_beyond_any_machine(function):
    with pytest.raises((ValueError, MemoryError), match="n_clusters"):
        call(function, reference_vectors=X[:, 0], n_clusters=10**30)


def test_bins_beyond_all_memory_do_not_end_the_process(run_python):
    """A row has as many bins as columns, whatever the number of bins."""
    program = """
        import sys
        import numpy as np
        from dsentropy import diffusion_spectral_entropy
        X = np.arange(8.0)[:, None]
        try:
            value = diffusion_spectral_entropy(X, classic_shannon_entropy=True, num_bins_per_dim=int(sys.argv[1]))
            print(abs(value - 3) < 1e-12)
        except MemoryError as error:
            print(bool(str(error)))
    """
    assert run_python(program, 10**13) == "True\n"
    assert run_python(program, 2**61) == "True\n"
