"""Bad values are ValueErrors, bad types TypeErrors; each names the argument: the data."""

import dsentropy
import numpy as np
import pytest
from reference_calls import (
    N,
    X,
    call,
    every_entropy,
    every_function,
    every_information,
    refused,
    value_of,
    with_entry,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


@every_function
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_entries_that_are_not_finite_are_found(function, value, dtype):
    text = refused(ValueError, "embedding_vectors", function, with_entry(value).astype(dtype))
    assert str(value) in text
    assert "row 7, column 2" in text


@every_function
def test_long_doubles_beyond_the_range_of_doubles(function):
    if np.finfo(np.longdouble).max > np.finfo(float).max:
        refused(
            ValueError, "embedding_vectors", function, with_entry(0).astype(np.longdouble) + np.longdouble("1e400")
        )


@every_function
@pytest.mark.parametrize(
    "data",
    [
        3.0,
        np.float32(3),
        X[0],
        X[None],
        [],
        [[]],
        np.empty((0, 3)),
        np.empty((N, 0)),
        np.empty((0, 0)),
        [[1, 2], [3]],
    ],
    ids=["0-D", "scalar", "1-D", "3-D", "no data", "one empty row", "no rows", "no columns", "nothing", "ragged"],
)
def test_shapes_that_are_not_rows(function, data):
    refused(ValueError, "embedding_vectors", function, data)


@every_function
@pytest.mark.parametrize(
    "data",
    [
        X.astype(str),
        X.astype(bytes),
        X.astype(complex),
        X.astype("datetime64[s]"),
        X.astype("timedelta64[s]"),
        np.zeros(N, dtype=[("x", float), ("y", float)]),
        [["a", "b"], ["c", "d"]],
        [[None, 1.0], [2.0, 3.0]],
        {"a": [1, 2]},
        "text",
        b"bytes",
    ],
    ids=lambda data: getattr(getattr(data, "dtype", None), "str", type(data).__name__),
)
def test_types_that_are_not_real_numbers(function, data):
    refused(TypeError, "embedding_vectors", function, data)


class Unconvertible:
    """What refuses to become an array, with an exception of its own."""

    def __init__(self, error):
        self.error = error

    def __array__(self, dtype=None, copy=None):
        raise self.error


@pytest.mark.parametrize(
    "error",
    [TypeError("no"), ValueError("no"), UnicodeDecodeError("ascii", b"\xff", 0, 1, "no")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("argument", ["embedding_vectors", "reference_vectors", "precomputed_clusters"])
def test_what_cannot_be_converted_is_named(argument, error):
    arguments = {"embedding_vectors": X, "reference_vectors": X[:, 0], argument: Unconvertible(error)}
    with pytest.raises((TypeError, ValueError), match=argument):
        dsentropy.diffusion_spectral_mutual_information(**arguments)


@every_function
@pytest.mark.parametrize("mask", [True, np.arange(3 * N).reshape(N, 3) == 5], ids=["all", "one"])
def test_masked_data(function, mask):
    refused(ValueError, "embedding_vectors", function, np.ma.masked_array(X, mask=mask))


@every_function
def test_masked_array_without_masked_entries_is_data(function):
    assert value_of(function, np.ma.masked_array(X)) == value_of(function)


@every_entropy
def test_no_data_and_no_file(function, tmp_path):
    refused(ValueError, "embedding_vectors", function, None)
    refused(ValueError, "embedding_vectors", function, None, eigval_save_path=tmp_path / "folder" / "missing")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("flag", ["classic_shannon_entropy", "matrix_entry_entropy"])
def test_no_data_and_a_measure_that_reads_no_file(flag, tmp_path):
    path = tmp_path / "eigenvalues"
    call("diffusion_spectral_entropy", eigval_save_path=path)
    arguments = {"eigval_save_path": path, flag: True}
    refused(ValueError, "embedding_vectors", "diffusion_spectral_entropy", None, **arguments)


@every_information
def test_no_data_for_an_information(function):
    refused(TypeError, "embedding_vectors", function, None)
