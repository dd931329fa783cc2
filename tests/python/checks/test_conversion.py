"""Objects that are taken as arrays, and the words of prints."""

import array
import math
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from dsentropy import (
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
)
from scipy.sparse import coo_matrix, csc_array, csr_array

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning", "ignore::dsentropy.SubsetWarning")

INTEGERS = np.random.default_rng(0).integers(-8, 8, size=(40, 3))
X = INTEGERS.astype(float)
LABELS = np.repeat([0, 1], 20)
NUMBERS = np.random.default_rng(1).integers(0, 100, size=40) / 64


def entropies(rows):
    return [
        diffusion_spectral_entropy(rows, 4),
        diffusion_spectral_entropy(rows, 4, classic_shannon_entropy=True),
        diffusion_spectral_entropy(rows, 4, matrix_entry_entropy=True),
        adjacency_spectral_entropy(rows, 4),
        adjacency_spectral_entropy(rows, use_knn=True),
        diffusion_spectral_mutual_information(rows, LABELS, gaussian_kernel_sigma=4)[0],
        adjacency_spectral_mutual_information(rows, LABELS, gaussian_kernel_sigma=4)[0],
    ]


class ArrayLike:
    """Something that NumPy can convert, with the method alone."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


class Subclass(np.ndarray):
    """An array that computes its own way, which is not wanted here."""

    def __array_ufunc__(self, *arguments, **options):
        raise AssertionError("a method of the subclass was used")

    __array_function__ = __array_ufunc__


def with_steps():
    view = np.zeros((80, 12))[::2, ::4]
    view[:] = X
    return view


def field():
    table = np.zeros(40, dtype=[("x", "<f8", 3), ("label", "i1")])
    table["x"] = X
    return table["x"]


def unaligned():
    buffer = bytearray(1 + X.nbytes)
    view = np.frombuffer(buffer, dtype=float, offset=1).reshape(X.shape)
    view[:] = X
    assert not view.flags.aligned
    return view


FORMS = {
    "list": X.tolist(),
    "list of integers": INTEGERS.tolist(),
    "tuple": tuple(map(tuple, X)),
    "list of arrays": list(X),
    "tuple of lists of scalars": tuple(list(row) for row in X),
    "array-like": ArrayLike(X),
    "list of array-likes": [ArrayLike(row) for row in X],
    "memoryview": memoryview(X),
    "memoryview of a buffer": memoryview(array.array("d", X.ravel())).cast("B").cast("d", X.shape),
    "subclass": X.view(Subclass),
    "matrix": X.view(np.matrix),
    "masked array": np.ma.masked_array(X, mask=False),
    "record array field": field(),
    "Fortran order": np.asfortranarray(X),
    "steps": with_steps(),
    "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
    "unaligned": unaligned(),
    "big endian": X.astype(">f8"),
    "little endian": X.astype("<f8"),
    "big endian integers": INTEGERS.astype(">i4"),
    "long double": X.astype(np.longdouble),
    "half": X.astype(np.float16),
    "single": X.astype(np.float32),
    "int8": X.astype(np.int8),
    "int64": INTEGERS,
    "objects": X.astype(object),
    "objects of several types": np.array([[int(a), np.float32(b), Decimal(int(c))] for a, b, c in X], dtype=object),
    "list of series": [pd.Series(row) for row in X],
    "list of nullable series": [pd.Series(row, dtype="Int64") for row in INTEGERS],
    "list of masked arrays": [np.ma.masked_array(row, mask=False) for row in X],
    "table": pd.DataFrame(X, columns=["a", "b", "c"]),
    "sparse array": csr_array(X),
    "sparse matrix": coo_matrix(X),
    "sparse columns": csc_array(INTEGERS),
}


@pytest.fixture(scope="module")
def expected():
    return entropies(X)


@pytest.mark.parametrize("form", FORMS)
def test_form_of_the_data_does_not_matter(form, expected):
    """Integers are exact in all of these. Only float32 is decomposed in its own precision."""
    found = entropies(FORMS[form])
    if form == "single":
        assert found == pytest.approx(expected, abs=1e-6 * math.sqrt(len(X)))
    else:
        assert found == expected


def test_read_only_data_will_do(expected):
    read_only = X.copy()
    read_only.flags.writeable = False
    assert entropies(read_only) == expected


def test_file_mapped_data_will_do(tmp_path, expected):
    np.save(tmp_path / "data.npy", X)
    assert entropies(np.load(tmp_path / "data.npy", mmap_mode="r")) == expected


def test_repeated_row_without_memory_of_its_own():
    repeated = np.broadcast_to(X[0], X.shape)
    assert entropies(repeated) == entropies(repeated.copy())
    assert entropies(np.broadcast_to(X[:, :1], X.shape)) == entropies(np.repeat(X[:, :1], 3, axis=1))


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint64])
def test_bools_and_unsigned_integers(dtype):
    values = INTEGERS % 2
    assert entropies(values.astype(dtype)) == entropies(values.astype(float))


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_large_integers_are_numbers_not_labels(dtype):
    values = (INTEGERS + 8).astype(dtype) << 50
    assert entropies(values) == entropies(values.astype(float))


def test_nothing_wraps_in_small_integers():
    values = np.tile([[-128], [127], [0], [60]], (10, 1))
    assert entropies(values.astype(np.int8)) == entropies(values.astype(float))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_numbers_whose_range_overflows_are_binned(dtype):
    """From -max to max: the extent is infinite in the dtype that the reference variable has."""
    reference = np.linspace(-1, 1, 40).astype(dtype) * np.finfo(dtype).max
    _, clusters = diffusion_spectral_mutual_information(X, reference, n_clusters=4)
    assert clusters.ravel().tolist() == np.repeat([1, 2, 3, 4], 10).tolist()


# ---- tensors, without torch


class Tensor:
    """As much of a torch tensor as NumPy and we can tell: it is no array until it is detached and on the CPU."""

    def __init__(self, values, dtype="torch.float64", device="cuda", requires_grad=True):
        self.values, self.dtype, self.device, self.requires_grad = values, dtype, device, requires_grad

    def detach(self):
        return Tensor(self.values, self.dtype, self.device, requires_grad=False)

    def cpu(self):
        return Tensor(self.values, self.dtype, "cpu", self.requires_grad)

    def float(self):
        return Tensor(self.values.astype(np.float32), "torch.float32", self.device, self.requires_grad)

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if self.device != "cpu":
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        if self.dtype == "torch.bfloat16":
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.array(self.values, dtype=dtype)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_tensor_is_detached_and_fetched(device, requires_grad, expected):
    assert entropies(Tensor(X, "torch.float64", device, requires_grad)) == expected


@pytest.mark.parametrize("dtype", ["torch.float64", "torch.bfloat16"])
def test_list_of_tensors_is_a_list_of_rows(dtype, expected):
    rows = [Tensor(row, dtype) for row in X]
    assert entropies(rows) == (expected if dtype == "torch.float64" else entropies(X.astype(np.float32)))
    assert entropies(tuple(rows)) == entropies(rows)


def test_tensor_of_a_type_that_numpy_lacks():
    tensor = Tensor(X, "torch.bfloat16")
    assert entropies(tensor) == entropies(X.astype(np.float32))


def test_array_of_a_type_that_numpy_lacks():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    assert entropies(X.astype(ml_dtypes.bfloat16)) == entropies(X.astype(np.float32))


def test_tensor_with_lazy_flags():
    class View(Tensor):
        def detach(self):
            return self

        cpu = detach

        def resolve_neg(self):
            return Tensor(-self.values, device="cpu", requires_grad=False)

        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("Can't call numpy() on Tensor that has negative bit set.")

    assert diffusion_spectral_entropy(View(-X)) == diffusion_spectral_entropy(X)
    assert diffusion_spectral_entropy([View(-row) for row in X]) == diffusion_spectral_entropy(X)
    with pytest.raises(TypeError, match="embedding_vectors must be convertible to an array: Can't call numpy"):
        diffusion_spectral_entropy([[View(row)] for row in X])


@pytest.mark.parametrize(
    "function",
    [diffusion_spectral_mutual_information, adjacency_spectral_mutual_information],
    ids=lambda f: f.__name__,
)
def test_reference_and_clusters_may_be_tensors(function):
    for reference in [LABELS, NUMBERS]:
        value, clusters = function(X, Tensor(reference))
        assert value == function(X, reference)[0]
        assert np.array_equal(clusters, function(X, reference)[1])
    assert function(X, None, precomputed_clusters=Tensor(LABELS))[0] == function(X, LABELS)[0]


def test_scalar_tensors_are_numbers():
    class Scalar:
        def __float__(self):
            return 3.0

        def __index__(self):
            return 3

    assert diffusion_spectral_entropy(X, Scalar(), Scalar(), Scalar()) == diffusion_spectral_entropy(X, 3, 3, 3)


# ---- tensors of torch


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int8", "int64"])
@pytest.mark.parametrize("requires_grad", [False, True])
def test_real_tensors(torch, dtype, requires_grad, expected):
    tensor = torch.tensor(X).to(getattr(torch, dtype))
    if requires_grad and tensor.is_floating_point():
        tensor.requires_grad_()
    assert entropies(tensor) == pytest.approx(expected, abs=1e-12)
    assert tensor.requires_grad == (requires_grad and tensor.is_floating_point())


def test_lists_of_real_tensors_are_rows(torch, expected):
    tensors = [torch.tensor(row, requires_grad=True) for row in X]
    assert entropies(tensors) == expected
    assert entropies([tensor.to(torch.bfloat16) for tensor in tensors]) == entropies(X.astype(np.float32))


def test_real_tensors_that_are_views(torch, expected):
    assert entropies(torch.tensor(X.T.copy()).T) == expected
    assert entropies(torch.tensor(np.repeat(X, 2, axis=0))[::2]) == expected
    assert entropies(torch.nn.Parameter(torch.tensor(X)) * 1) == expected


def test_real_tensors_whose_sign_is_lazy(torch, expected):
    """The imaginary part of a conjugate is a view with a flag for its sign, which NumPy cannot read."""
    tensor = torch.complex(torch.zeros(X.shape, dtype=torch.float64), torch.tensor(-X)).conj().imag
    assert tensor.is_neg()
    assert entropies(tensor) == expected


def test_conjugate_tensors_are_refused_as_complex(torch):
    tensor = torch.complex(torch.tensor(X), torch.tensor(X)).conj()
    with pytest.raises(TypeError, match="embedding_vectors must hold real numbers, got dtype complex128"):
        diffusion_spectral_entropy(tensor)


def test_real_tensors_that_hold_no_numbers_are_named(torch):
    for tensor in [torch.ones(4, 3, device="meta"), torch.ones(4, 3).to_sparse()]:
        with pytest.raises(TypeError, match="embedding_vectors must be convertible to an array"):
            diffusion_spectral_entropy(tensor)


def test_real_tensors_as_parameters(torch):
    assert diffusion_spectral_entropy(X, torch.tensor(3.0), torch.tensor(2)) == diffusion_spectral_entropy(X, 3, 2)
    for arguments in [{"gaussian_kernel_sigma": torch.tensor(True)}, {"max_N": torch.tensor(True)}]:
        with pytest.raises(TypeError, match=next(iter(arguments))):
            diffusion_spectral_entropy(X, **arguments)


def test_real_tensors_as_reference(torch):
    expected = diffusion_spectral_mutual_information(X, LABELS)[0]
    assert diffusion_spectral_mutual_information(torch.tensor(X), torch.tensor(LABELS))[0] == expected
    assert diffusion_spectral_mutual_information(X, torch.tensor(LABELS.astype(bool)))[0] == expected
    numbers = torch.tensor(NUMBERS, requires_grad=True)
    assert (
        diffusion_spectral_mutual_information(X, numbers)[0] == diffusion_spectral_mutual_information(X, NUMBERS)[0]
    )


# ---- what is printed


def everything(tmp_path, **arguments):
    path = tmp_path / "eigenvalues"
    diffusion_spectral_entropy(X, **arguments)
    diffusion_spectral_entropy(X, eigval_save_path=path, **arguments)
    diffusion_spectral_entropy(X, eigval_save_path=path, **arguments)
    diffusion_spectral_entropy(X, classic_shannon_entropy=True, **arguments)
    diffusion_spectral_entropy(X, matrix_entry_entropy=True, **arguments)
    adjacency_spectral_entropy(X, **arguments)
    adjacency_spectral_entropy(X, use_knn=True, **arguments)
    diffusion_spectral_mutual_information(X, LABELS, **arguments)
    diffusion_spectral_mutual_information(X, X, n_clusters=2, **arguments)
    adjacency_spectral_mutual_information(X, NUMBERS, **arguments)


def test_nothing_is_printed_unless_asked_for(tmp_path, capfd):
    everything(tmp_path)
    everything(tmp_path, verbose=False)
    assert capfd.readouterr() == ("", "")


def test_verbose_changes_no_value():
    for verbose in (False, True):
        assert diffusion_spectral_entropy(X, verbose=verbose) == diffusion_spectral_entropy(X)
        assert adjacency_spectral_entropy(X, verbose=verbose) == adjacency_spectral_entropy(X)


STAGES = {
    "DSE": (lambda **a: diffusion_spectral_entropy(X, **a), ["diffusion matrix", "Eigenvalues computed"]),
    "classic": (lambda **a: diffusion_spectral_entropy(X, classic_shannon_entropy=True, **a), ["Classic Shannon"]),
    "entries": (lambda **a: diffusion_spectral_entropy(X, matrix_entry_entropy=True, **a), ["entries"]),
    "ASE": (lambda **a: adjacency_spectral_entropy(X, **a), ["adjacency matrix", "Eigenvalues computed"]),
    "DSMI": (lambda **a: diffusion_spectral_mutual_information(X, LABELS, **a), ["2 clusters", "subsets"]),
    "ASMI": (lambda **a: adjacency_spectral_mutual_information(X, LABELS, **a), ["2 clusters", "subsets"]),
}


@pytest.mark.parametrize("case", STAGES)
def test_verbose_prints_the_stages(case, capsys):
    call, stages = STAGES[case]
    call(verbose=True)
    printed, errors = capsys.readouterr()
    for stage in stages:
        assert stage in printed
    assert errors == ""
    assert all(line.strip() for line in printed.splitlines())


def test_verbose_names_the_file_written_and_read(tmp_path, capsys):
    path = tmp_path / "eigenvalues"
    diffusion_spectral_entropy(X, eigval_save_path=path, verbose=True)
    assert f"saved to {path}" in capsys.readouterr().out
    diffusion_spectral_entropy(X, eigval_save_path=path, verbose=True)
    printed = capsys.readouterr().out
    assert f"from {path}" in printed
    assert "Computing diffusion matrix" not in printed


def test_too_little_memory_within_a_conversion_stays_a_memory_error():
    class Large:
        def __array__(self, *arguments, **named):
            raise MemoryError("2 TB")

    with pytest.raises(MemoryError, match=r"^2 TB$"):
        diffusion_spectral_entropy(Large())
