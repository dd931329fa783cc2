"""Bad values are ValueErrors, bad types TypeErrors, too little memory a MemoryError; each names the argument."""

import re

import dsentropy
import numpy as np
import pytest

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
LABELS = np.repeat([0, 1], N // 2)
ENTROPIES = ["diffusion_spectral_entropy", "adjacency_spectral_entropy"]
INFORMATIONS = ["diffusion_spectral_mutual_information", "adjacency_spectral_mutual_information"]

every_function = pytest.mark.parametrize("function", [*ENTROPIES, *INFORMATIONS])
every_entropy = pytest.mark.parametrize("function", ENTROPIES)
every_information = pytest.mark.parametrize("function", INFORMATIONS)


def arguments_of(function):
    return {"reference_vectors": LABELS} if function in INFORMATIONS else {}


def call(function, embedding_vectors=X, **arguments):
    return getattr(dsentropy, function)(embedding_vectors, **{**arguments_of(function), **arguments})


def value_of(function, *data, **arguments):
    """The number, without the clusters."""
    result = call(function, *data, **arguments)
    return result[0] if function in INFORMATIONS else result


def refused(error, argument, function, *data, **arguments):
    """The call fails with just this exception, whose text names the argument; returns the text."""
    with pytest.raises(error) as caught:
        call(function, *data, **arguments)
    assert caught.type is error
    assert re.search(rf"\b{argument}\b", str(caught.value))
    return str(caught.value)


def with_entry(value):
    changed = X.copy()
    changed[7, 2] = value
    return changed


# ---- embedding_vectors


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
        X.astype(object),
        X.astype(str),
        X.astype(bytes),
        X.astype(complex),
        X.astype("datetime64[s]"),
        X.astype("timedelta64[s]"),
        np.zeros(N, dtype=[("x", float), ("y", float)]),
        [[2**70, 1], [2, 3]],
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


# ---- reference_vectors and precomputed_clusters


@every_information
@pytest.mark.parametrize("reference", [LABELS, X[:, 0], X, LABELS.astype(str)], ids=["labels", "1-D", "2-D", "text"])
@pytest.mark.parametrize("change", [lambda r: r[:-1], lambda r: np.concatenate([r, r]), lambda r: r[:0]])
def test_reference_of_another_length(function, reference, change):
    other = change(reference)
    text = refused(ValueError, "reference_vectors", function, reference_vectors=other)
    assert str(N) in text
    assert str(len(other)) in text


@every_information
@pytest.mark.parametrize(
    "reference", [np.int64(3), X[:, :, None], X[:, :0], None], ids=["0-D", "3-D", "empty", "None"]
)
def test_reference_of_a_wrong_shape(function, reference):
    refused(ValueError, "reference_vectors", function, reference_vectors=reference)


@every_information
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("columns", [1, 2])
def test_continuous_reference_that_is_not_finite(function, value, columns):
    refused(ValueError, "reference_vectors", function, reference_vectors=with_entry(value)[:, -columns:])


@every_information
@pytest.mark.parametrize("dtype", [np.float16, np.float64, complex])
def test_labels_that_are_not_a_number(function, dtype):
    reference = LABELS.astype(dtype)
    reference[3] = np.nan
    refused(ValueError, "reference_vectors", function, reference_vectors=reference, reference_discrete=True)
    refused(ValueError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=reference)


@every_information
@pytest.mark.parametrize("reference_discrete", [None, False])
@pytest.mark.parametrize(
    "reference",
    [
        X[:, 0].astype(complex),
        LABELS.astype("datetime64[D]"),
        np.array([1, "a"] * (N // 2), dtype=object),
        np.array(["a", None] * (N // 2), dtype=object),
        X.astype(str),
        np.zeros(N, dtype=[("x", float)]),
    ],
    ids=["complex", "datetime", "mixed", "with None", "columns of text", "structured"],
)
def test_reference_that_is_neither_labels_nor_numbers(function, reference, reference_discrete):
    refused(
        TypeError, "reference_vectors", function, reference_vectors=reference, reference_discrete=reference_discrete
    )


@every_information
def test_labels_that_cannot_be_sorted(function):
    mixed = np.array([1, "a"] * (N // 2), dtype=object)
    refused(TypeError, "reference_vectors", function, reference_vectors=mixed, reference_discrete=True)
    refused(TypeError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=mixed)


@every_information
def test_bytes_and_text_that_do_not_mix(function):
    """NumPy cannot bring them together, and raises an exception that takes five arguments."""
    reference = [b"\xff", "a"] * (N // 2)
    with pytest.raises((TypeError, ValueError), match="reference_vectors"):
        call(function, reference_vectors=reference)


@every_information
def test_discrete_reference_of_more_than_one_column(function):
    refused(ValueError, "reference_vectors", function, reference_vectors=X, reference_discrete=True)


@every_information
def test_masked_reference(function):
    masked = np.ma.masked_equal(LABELS, 1)
    refused(ValueError, "reference_vectors", function, reference_vectors=masked)
    refused(ValueError, "precomputed_clusters", function, reference_vectors=None, precomputed_clusters=masked)


@every_information
@pytest.mark.parametrize("reference", [None, X[:, 0], X], ids=["None", "1-D", "2-D"])
@pytest.mark.parametrize(
    "clusters",
    [LABELS[:-1], np.tile(LABELS, 2), [], 3, X.astype(int), LABELS[None], LABELS[:, None, None].repeat(2, axis=2)],
    ids=["short", "long", "empty", "0-D", "columns", "row", "3-D"],
)
def test_clusters_of_another_length_or_shape(function, reference, clusters):
    refused(ValueError, "precomputed_clusters", function, reference_vectors=reference, precomputed_clusters=clusters)


@every_information
def test_too_few_rows_for_spectral_clustering(function):
    text = refused(ValueError, "reference_vectors", function, X[:9], reference_vectors=X[:9], n_clusters=2)
    assert "n_clusters" in text
    refused(ValueError, "n_clusters", function, reference_vectors=X, n_clusters=N + 1)


@every_information
@pytest.mark.parametrize(
    "labels", [["dog", "cat"], [True, False], [b"dog", b"cat"], [3, -4], np.array([2, 1], dtype=np.uint8)], ids=str
)
def test_strings_bools_and_integers_are_labels(function, labels):
    reference = np.repeat(labels, N // 2)
    value, clusters = call(function, reference_vectors=reference)
    assert value == call(function, reference_vectors=LABELS[::-1].copy())[0]
    assert np.array_equal(clusters, reference[:, None])
    assert call(function, reference_vectors=reference.tolist())[0] == value
    assert call(function, reference_vectors=reference[:, None])[0] == value


@every_information
def test_strings_as_objects_are_labels(function):
    reference = np.array(["dog", "cat"] * (N // 2), dtype=object)
    value, clusters = call(function, reference_vectors=reference)
    assert value == call(function, reference_vectors=reference.astype(str))[0]
    assert clusters.dtype == object
    assert clusters.shape == (N, 1)


CLUSTERS = {
    "integers": (np.repeat([0, 7], [N - 9, 9]), "7"),
    "text": (np.repeat(["cat", "dog"], [N - 9, 9]), "'dog'"),
    "objects": (np.repeat(["cat", "dog"], [N - 9, 9]).astype(object), "'dog'"),
    "bools": (np.repeat([False, True], [N - 9, 9]), "True"),
}


@pytest.mark.parametrize("kind", CLUSTERS)
def test_cluster_too_small_for_its_graph_is_named(kind):
    labels, small = CLUSTERS[kind]
    function = "adjacency_spectral_mutual_information"
    text = refused(ValueError, "reference_vectors", function, reference_vectors=labels, use_knn=True)
    assert f"cluster {small} has 9 rows" in text
    assert "10" in text


@pytest.mark.parametrize("kind", CLUSTERS)
@pytest.mark.parametrize("reference", [None, X], ids=["no reference", "reference"])
def test_precomputed_cluster_too_small_for_its_graph_is_named(kind, reference):
    labels, small = CLUSTERS[kind]
    function = "adjacency_spectral_mutual_information"
    arguments = {"reference_vectors": reference, "precomputed_clusters": labels, "use_knn": True}
    text = refused(ValueError, "precomputed_clusters", function, **arguments)
    assert f"cluster {small} has 9 rows" in text


def test_clusters_just_large_enough_for_their_graphs():
    labels = np.repeat([0, 1], [N - 10, 10])
    value, _ = call("adjacency_spectral_mutual_information", reference_vectors=labels, use_knn=True)
    assert np.isfinite(value)


# ---- numbers

DSE, ASE, DSMI, ASMI = *ENTROPIES, *INFORMATIONS
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
    assert repr(value) in text


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
    assert repr(value) in text


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
    assert repr(value) in text


@pytest.mark.parametrize("function", NUMBERS["gaussian_kernel_sigma"])
@pytest.mark.parametrize("value", [0, 0.0, -0.0, np.int64(0)], ids=repr)
def test_bandwidth_of_zero(function, value):
    refused(ValueError, "gaussian_kernel_sigma", function, gaussian_kernel_sigma=value)


@every_function
@pytest.mark.parametrize("value", [0.5, 1.0, np.float32(1), "1", b"1", [1], np.nan, 1j], ids=repr)
def test_seeds_that_are_not_integers(function, value):
    text = refused(TypeError, "random_seed", function, random_seed=value)
    assert repr(value) in text


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


# ---- the eigenvalue file


@every_entropy
@pytest.mark.parametrize(
    "value",
    [int, "int32", np.complex64, bool, "float1", "f3", object, str, 3.5, None, "f2,,", "(2,", [("x", float)], {}, ""],
    ids=repr,
)
def test_precisions_that_are_not_floating(function, value):
    text = refused(ValueError, "eigval_save_precision", function, eigval_save_precision=value)
    assert repr(value) in text


@every_entropy
@pytest.mark.parametrize("value", [3, 3.5, ["a"], object(), True, X], ids=lambda value: type(value).__name__)
def test_paths_of_another_type(function, value):
    refused(TypeError, "eigval_save_path", function, eigval_save_path=value)


@every_entropy
@pytest.mark.parametrize("value", ["", b"", "zero\0byte"], ids=repr)
def test_paths_that_no_file_can_have(function, value, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, OSError), match="eigval_save_path"):
        call(function, eigval_save_path=value)
    assert list(tmp_path.iterdir()) == []


# ---- memory


@pytest.mark.parametrize(
    ("function", "flags"),
    [
        (DSE, {}),
        (DSE, {"matrix_entry_entropy": True}),
        (ASE, {}),
        (ASE, {"anisotropic": True}),
        (ASE, {"use_knn": True}),
    ],
)
def test_matrix_beyond_all_memory_is_refused(function, flags):
    """200,000 rows take 320 GB."""
    text = refused(MemoryError, "max_N", function, np.arange(200_000.0)[:, None], max_N=None, **flags)
    assert "200000 rows" in text
    assert float(re.search(r"([\d.]+) GB", text)[1]) > 320


@pytest.mark.linux
def test_matrix_beyond_the_limit_of_the_process_is_refused(run_python):
    """4,000 rows take 134 MB, which this process may not have, and then may."""
    program = """
        import resource
        import numpy as np
        import dsentropy
        X = np.random.default_rng(0).normal(size=(4000, 2))
        labels = np.arange(4000) % 2
        calls = {
            "DSE": lambda: dsentropy.diffusion_spectral_entropy(X),
            "entries": lambda: dsentropy.diffusion_spectral_entropy(X, matrix_entry_entropy=True),
            "ASE": lambda: dsentropy.adjacency_spectral_entropy(X),
            "kNN": lambda: dsentropy.adjacency_spectral_entropy(X, use_knn=True),
            "DSMI": lambda: dsentropy.diffusion_spectral_mutual_information(X, 0 * labels, num_repetitions=1),
            "ASMI": lambda: dsentropy.adjacency_spectral_mutual_information(X, 0 * labels, num_repetitions=1),
        }
        dsentropy.diffusion_spectral_entropy(X[:100])
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, resource.RLIM_INFINITY))
        for name, call in calls.items():
            try:
                call()
            except MemoryError as error:
                assert "max_N" in str(error) and " MB" in str(error), error
                print(name)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert 0 < calls["entries"]() < 24
    """
    assert run_python(program).split() == ["DSE", "entries", "ASE", "kNN", "DSMI", "ASMI"]


@pytest.mark.linux
@pytest.mark.parametrize("megabytes", [40, 80, 120, 160, 200, 240, 300])
def test_no_limit_of_memory_ends_the_process(run_python, megabytes):
    """The first call of a process is the one that also needs threads and BLAS's buffers. Each call forks."""
    program = """
        import os, resource, sys
        import numpy as np
        import dsentropy
        rng = np.random.default_rng(0)
        X, wide, labels = rng.normal(size=(2000, 100)), rng.normal(size=(300, 14000)), np.arange(2000) % 4
        calls = {
            "DSE": lambda: dsentropy.diffusion_spectral_entropy(X, num_threads=2),
            "wide DSE": lambda: dsentropy.diffusion_spectral_entropy(wide, num_threads=2),
            "wide entries": lambda: dsentropy.diffusion_spectral_entropy(wide, matrix_entry_entropy=True),
            "wide bins": lambda: dsentropy.diffusion_spectral_entropy(wide, classic_shannon_entropy=True),
            "DSMI": lambda: dsentropy.diffusion_spectral_mutual_information(X, labels, num_repetitions=1),
        }
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        for name, call in calls.items():
            child = os.fork()
            if not child:
                resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[1]) * 10**6, resource.RLIM_INFINITY))
                try:
                    call()
                except MemoryError:
                    pass
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if status:
                print(name, status)
    """
    assert run_python(program, megabytes, RUST_BACKTRACE="0") == ""
