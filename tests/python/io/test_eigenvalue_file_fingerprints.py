"""Fingerprints in eigenvalue files: a file of other data or other parameters is refused by name."""

import json

import numpy as np
import pytest
from dsentropy import adjacency_spectral_entropy as ase
from dsentropy import diffusion_spectral_entropy as dse

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")


def neighbors(*data, **arguments):
    return ase(*data, use_knn=True, **arguments)


def different_data(X):
    changed = X.copy()
    changed[-1, -1] = np.nextafter(changed[-1, -1], np.inf)
    return changed


MISMATCHES = {
    "data": (dse, {}, dse, {}, different_data),
    "order of the rows": (dse, {}, dse, {}, lambda X: X[::-1]),
    "shape": (dse, {}, dse, {}, lambda X: X.reshape(-1, 2)),
    "rows": (dse, {}, dse, {}, lambda X: X[:-1]),
    "gaussian_kernel_sigma": (dse, {}, dse, {"gaussian_kernel_sigma": 10.000001}, None),
    "gaussian_kernel_sigma of ASE": (ase, {}, ase, {"gaussian_kernel_sigma": 11}, None),
    "operator": (dse, {}, ase, {}, None),
    "operator of a graph": (neighbors, {}, dse, {}, None),
    "operator and knn": (dse, {}, neighbors, {}, None),
    "knn": (neighbors, {}, neighbors, {"knn": 9}, None),
    "max_N": (dse, {"max_N": 50}, dse, {"max_N": 60}, None),
    "max_N, no limit": (dse, {"max_N": 50}, dse, {"max_N": None}, None),
    "random_seed": (dse, {"max_N": 50}, dse, {"max_N": 50, "random_seed": 1}, None),
    "random_seed of ASE": (ase, {"max_N": 50}, ase, {"max_N": 50, "random_seed": None}, None),
}


@pytest.mark.parametrize("case", MISMATCHES)
def test_file_of_something_else_is_refused_by_name(case, X, path):
    write, how, read, how_else, change = MISMATCHES[case]
    write(X, eigval_save_path=path, **how)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="eigval_save_path") as caught:
        read(X if change is None else change(X), eigval_save_path=path, **how_else)
    text = str(caught.value)
    assert str(path) in text
    what = {"order of the rows": "data", "shape": "data", "rows": "data"}.get(case, case.split(",")[0].split(" ")[0])
    assert f"{what} is " in text
    assert path.read_bytes() == before


def test_text_of_a_mismatch_has_both_values(X, path):
    dse(X, gaussian_kernel_sigma=7, eigval_save_path=path)
    with pytest.raises(ValueError, match=r"gaussian_kernel_sigma is 7\.0 there and 8\.0 here"):
        dse(X, gaussian_kernel_sigma=8, eigval_save_path=path)


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_N": 120},
        {"max_N": None},
        {"max_N": 10**9},
        {"random_seed": 5},
        {"random_seed": None},
        {"t": 3},
        {"eigval_save_precision": float},
        {"num_threads": 1},
        {"gaussian_kernel_sigma": np.float32(10)},
        {"verbose": True},
    ],
    ids=str,
)
def test_parameters_that_do_not_shape_the_spectrum_do_not_matter(arguments, X, path):
    """No rows are drawn at all where all of them fit."""
    dse(X, eigval_save_path=path)
    dse(X, eigval_save_path=path, **arguments)


def test_bandwidth_does_not_matter_to_graphs(X, path):
    assert neighbors(X, 3, eigval_save_path=path) == neighbors(X, 4, eigval_save_path=path)


def test_subset_is_fingerprinted_with_all_data(X, path):
    value = dse(X, max_N=50, random_seed=3, eigval_save_path=path)
    assert dse(X, max_N=50, random_seed=3, eigval_save_path=path) == value
    with pytest.raises(ValueError, match="data is"):
        dse(different_data(X), max_N=50, random_seed=3, eigval_save_path=path)


SAME_DATA = {
    "list": lambda X: X.tolist(),
    "Fortran order": np.asfortranarray,
    "view": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "negative strides": lambda X: X[::-1, ::-1].copy()[::-1, ::-1],
    "other byte order": lambda X: X.astype(X.dtype.newbyteorder()),
    "read only": lambda X: np.broadcast_to(X, X.shape),
    "float16": lambda X: X.astype(np.float16),
    "float32": lambda X: X.astype(np.float32),
    "int8": lambda X: X.astype(np.int8),
    "int64": lambda X: X.astype(np.int64),
    "long double": lambda X: X.astype(np.longdouble),
    "negative zeros": lambda X: np.where(X == 0, -0.0, X),
}


@pytest.mark.parametrize("case", SAME_DATA)
@pytest.mark.parametrize("reverse", [False, True])
def test_equal_values_in_another_form_are_the_same_data(case, reverse, path):
    X = np.random.default_rng(1).integers(-9, 9, size=(40, 4)).astype(float)
    other = SAME_DATA[case](X)
    first, second = (other, X) if reverse else (X, other)
    assert dse(first, eigval_save_path=path) == dse(second, eigval_save_path=path)


def test_file_holds_what_it_was_made_from(X, path):
    dse(X, gaussian_kernel_sigma=3, max_N=50, random_seed=7, eigval_save_path=path)
    with np.load(path) as file:
        assert file.files == ["eigvals", "fingerprint", "checksum"]
        fingerprint = json.loads(str(file["fingerprint"]))
    digest = fingerprint.pop("data")
    assert len(bytes.fromhex(digest)) == 32
    assert fingerprint == {"operator": "diffusion", "gaussian_kernel_sigma": 3.0, "max_N": 50, "random_seed": 7}
