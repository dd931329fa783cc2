"""A MemoryError has the ways out that the called function has, by names of its arguments, and no others."""

import inspect
import re

import dask.array
import dsentropy
import numpy as np
import pytest
import scipy.sparse
from dsentropy import Stochastic
from dsentropy._checks.memory import memory_errors

N = 300_000
MANY = np.arange(N, dtype=np.float32)[:, None]
"""Rows whose pairs take 720 GB."""
FEW = np.random.default_rng(0).normal(size=(900, 3))
LABELS = np.zeros(N, dtype=int)
SPARSE = scipy.sparse.eye(N, format="csr")
CHUNKED = dask.array.from_array(MANY, chunks=(50_000, 1))
FEW_CHUNKED = dask.array.from_array(FEW, chunks=(300, 3))
LIMIT = Stochastic(tol=1e-2, memory_limit=100_000)
DENSE = Stochastic(tol=1e-2, memory_limit=10_000_000, storage="dense")
ESTIMATE, TILED = "solver='stochastic'", "storage='tiled'"
SINGLE, ONE = "precision='single'", "num_threads=1"
DSE, ASE = "diffusion_spectral_entropy", "adjacency_spectral_entropy"
DSMI, ASMI = "diffusion_spectral_mutual_information", "adjacency_spectral_mutual_information"
SPECTRUM, ADJACENCY, KERNEL = "diffusion_spectrum", "adjacency_spectrum", "kernel_spectrum"
INFORMATION, SUBSETS, SURFACE = "mutual_information", "subsampled_entropy", "entropy_surface"

WAYS = {ESTIMATE, TILED, "memory_limit", SINGLE, ONE, "max_samples", "max_N", "smaller n_samples", "n_neighbors"}
WAYS |= {"smaller sizes", "fewer rows of X"}

CASES = [
    (SPECTRUM, (MANY,), {"bandwidth": 1.0}, {ESTIMATE, TILED, SINGLE, "max_samples"}),
    (SPECTRUM, (MANY,), {"bandwidth": 1.0, "precision": "single"}, {ESTIMATE, TILED, "max_samples"}),
    (SPECTRUM, (MANY,), {"bandwidth": np.ones(N)}, {ESTIMATE, TILED, "max_samples"}),
    (SPECTRUM, (FEW,), {"bandwidth": 1.0, "solver": LIMIT}, {"memory_limit", "max_samples"}),
    (SPECTRUM, (FEW,), {"bandwidth": 1.0, "solver": DENSE}, {TILED, "memory_limit", "max_samples"}),
    (SPECTRUM, (FEW,), {"graph": "knn", "solver": LIMIT}, {"memory_limit", "max_samples"}),
    (SPECTRUM, (SPARSE,), {"metric": "affinity"}, {ESTIMATE}),
    (SPECTRUM, (CHUNKED,), {"bandwidth": 1.0}, {ESTIMATE, TILED, SINGLE, "max_samples"}),
    (SPECTRUM, (FEW_CHUNKED,), {"bandwidth": 1.0, "solver": LIMIT}, {"memory_limit"}),
    (ADJACENCY, (MANY,), {"bandwidth": 1.0}, {ESTIMATE, TILED, "max_samples"}),
    (ADJACENCY, (MANY,), {"graph": "knn"}, {ESTIMATE, "max_samples"}),
    (ADJACENCY, (FEW,), {"graph": "knn", "symmetrize": "mean", "solver": LIMIT}, {"memory_limit", "max_samples"}),
    (ADJACENCY, (SPARSE,), {"metric": "affinity"}, {ESTIMATE}),
    (KERNEL, (SPARSE,), {}, {ESTIMATE}),
    (KERNEL, (FEW @ FEW.T,), {"solver": DENSE}, {TILED, "memory_limit"}),
    ("null_baseline", (MANY,), {"bandwidth": 1.0}, {ESTIMATE, TILED, SINGLE, "max_samples"}),
    ("layer_entropies", ({"a": MANY}, 1.0), {}, {ESTIMATE, TILED, SINGLE, "max_samples"}),
    (SURFACE, (MANY, [1.0]), {}, {ESTIMATE, TILED, SINGLE, ONE, "max_samples"}),
    (
        INFORMATION,
        (MANY[:9999], LABELS[:9999]),
        {"bandwidth": 1.0, "solver": LIMIT},
        {ONE, "memory_limit", "max_samples"},
    ),
    (
        "conditional_mutual_information",
        (MANY[:9999], LABELS[:9999], LABELS[:9999]),
        {"bandwidth": 1.0, "solver": LIMIT},
        {ONE, "memory_limit", "max_samples"},
    ),
    (
        SUBSETS,
        (MANY,),
        {"bandwidth": 1.0, "n_samples": N - 1, "n_repeats": 2},
        {ESTIMATE, TILED, SINGLE, ONE, "smaller n_samples"},
    ),
    (
        "compare",
        (MANY, MANY),
        {"bandwidth": 1.0, "n_samples": N - 1, "n_repeats": 2},
        {ESTIMATE, TILED, SINGLE, ONE, "smaller n_samples"},
    ),
    (
        "convergence",
        (MANY, [9, N]),
        {"bandwidth": 1.0, "n_repeats": 2, "num_threads": 1},
        {ESTIMATE, TILED, SINGLE, "smaller sizes"},
    ),
    (
        "convergence",
        (MANY, [N - 1, N]),
        {"bandwidth": 1.0, "n_repeats": 2, "num_threads": 1, "reading": len},
        {ESTIMATE, TILED, SINGLE, "smaller sizes"},
    ),
    ("population_interval", (MANY,), {"bandwidth": 1.0, "n_repeats": 2}, {SINGLE, ONE, "fewer rows of X"}),
    (SURFACE, (MANY, [1.0]), {"num_threads": 1}, {ESTIMATE, TILED, SINGLE, "max_samples"}),
    (
        SUBSETS,
        (MANY,),
        {"bandwidth": 1.0, "n_samples": N - 1, "n_repeats": 2, "num_threads": 1},
        {ESTIMATE, TILED, SINGLE, "smaller n_samples"},
    ),
    (
        INFORMATION,
        (MANY[:9999], LABELS[:9999]),
        {"bandwidth": 1.0, "solver": LIMIT, "num_threads": 1},
        {"memory_limit", "max_samples"},
    ),
    (SPECTRUM, (MANY,), {"graph": "knn", "n_neighbors": N // 2}, {"n_neighbors", "max_samples"}),
    (
        ADJACENCY,
        (MANY,),
        {"graph": "knn", "n_neighbors": N // 2, "symmetrize": "mean", "solver": LIMIT},
        {"n_neighbors", "max_samples"},
    ),
    ("nearest_neighbors", (MANY, N // 2), {}, {"n_neighbors", "fewer rows of X"}),
    ("estimate_bandwidth", (MANY,), {"rule": "knn", "n_neighbors": N // 2}, {"n_neighbors", "fewer rows of X"}),
    (DSE, (MANY,), {"max_N": None}, {ESTIMATE, SINGLE, "max_N"}),
    (DSE, (MANY,), {"max_N": None, "precision": "single"}, {ESTIMATE, "max_N"}),
    (DSE, (MANY,), {"max_N": None, "eigval_save_path": "never-written"}, {SINGLE, "max_N"}),
    (DSE, (MANY,), {"max_N": None, "matrix_entry_entropy": True}, {"max_N"}),
    (ASE, (MANY,), {"max_N": None}, {ESTIMATE, "max_N"}),
    (ASE, (MANY,), {"max_N": None, "anisotropic": True}, {ESTIMATE, SINGLE, "max_N"}),
    (ASE, (MANY,), {"max_N": None, "use_knn": True}, {"max_N"}),
]


@pytest.mark.parametrize(("function", "data", "arguments", "ways"), CASES)
def test_ways_out_are_arguments_of_the_called_function(function, data, arguments, ways):
    with pytest.raises(MemoryError, match="rows need") as caught:
        getattr(dsentropy, function)(*data, **arguments)
    assert caught.type is MemoryError
    text = str(caught.value)
    assert {way for way in WAYS if way in text} == ways
    own = {*inspect.signature(getattr(dsentropy, function)).parameters, *inspect.signature(Stochastic).parameters}
    assert set(re.findall(r"(\w+)=", text)) <= own
    assert text.count(": use ") == 1


@pytest.mark.linux
def test_ways_out_where_the_process_may_have_little(run_python):
    """Subsets of 10,000 rows, a covariance and a median take little more than a machine may have."""
    program = """
        import resource
        import numpy as np
        import dsentropy as d
        rng = np.random.default_rng(0)
        X, labels, wide = rng.normal(size=(4000, 2)), np.zeros(4000, dtype=int), rng.normal(size=(3000, 3000))
        K = wide @ wide.T
        calls = [
            lambda: d.diffusion_spectral_mutual_information(X, labels, num_repetitions=1),
            lambda: d.diffusion_spectral_mutual_information(X, labels, matrix_entry_entropy=True),
            lambda: d.adjacency_spectral_mutual_information(X, labels, num_repetitions=1),
            lambda: d.adjacency_spectral_mutual_information(X, labels, use_knn=True),
            lambda: d.diffusion_spectral_mutual_information(X, labels, num_repetitions=1, num_threads=1),
            lambda: d.adjacency_spectral_mutual_information(X, labels, use_knn=True, num_threads=1),
            lambda: d.mutual_information(X, labels, bandwidth=1.0, n_repeats=2),
            lambda: d.covariance_spectrum(wide),
            lambda: d.estimate_bandwidth(X),
            lambda: d.diffusion_spectrum(X),
            lambda: d.kernel_spectrum(K),
        ]
        d.diffusion_spectral_entropy(X[:100], 1)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, resource.RLIM_INFINITY))
        for call in calls:
            try:
                call()
            except MemoryError as error:
                print(str(error).split(": use ")[1])
    """
    lines = run_python(program).splitlines()
    few = "num_threads=1, which holds one cluster's matrix at a time, or smaller clusters, or fewer rows of"
    estimate = "solver='stochastic', which needs no N x N matrix, or "
    single = "precision='single', which takes half the memory for the matrix, or "
    fewer = "smaller clusters, or fewer rows of embedding_vectors"
    assert lines[:6] == [
        f"{estimate}{single}{few} embedding_vectors",
        f"{few} embedding_vectors",
        f"{estimate}{few} embedding_vectors",
        f"{few} embedding_vectors",
        f"{estimate}{single}{fewer}",
        fewer,
    ]
    assert lines[6].startswith("solver='stochastic' or Stochastic(storage='tiled'), or precision='single'")
    assert lines[6].endswith("or smaller clusters, or fewer rows, max_samples=...")
    assert lines[7:] == [
        "fewer rows, max_samples=..., or fewer columns of X",
        "fewer rows of X",
        "a number as bandwidth, or fewer rows",
        "solver='stochastic' or Stochastic(storage='tiled'), or a kernel of fewer rows",
    ]


def test_an_error_is_completed_once_and_one_without_a_text_has_one():
    with pytest.raises(MemoryError) as caught, memory_errors("max_samples"), memory_errors("a smaller t"):
        raise MemoryError
    assert str(caught.value) == "out of memory: use a smaller t"
    with pytest.raises(MemoryError, match=r"^far too many: use one, or two$"), memory_errors("one", "two"):
        raise MemoryError("far too many")
