"""The classes of the compiled core: named results, options read by field, pickling, errors that name an argument."""

import pickle
from types import SimpleNamespace

import numpy as np
import pytest
from dsentropy import _core

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
OPERATOR = _core.OperatorSpec.diffusion(1.0, 0.0, "double")


def options(**changes):
    fields = {"tol": 1e-2, "times": [1.0], "orders": [1.0], "max_products": 5000, "seed": 0}
    return SimpleNamespace(**{**fields, "storage": "tiled", "memory_limit": None, **changes})


def estimate():
    """A solution that is an estimate: the memory limit leaves no room for the exact solver."""
    rows = RNG.normal(size=(900, 8))
    operator = _core.OperatorSpec.diffusion(3.0, 0.0, "double")
    return _core.estimate_spectrum(rows, "euclidean", operator, options(memory_limit=12_000_000))


def test_options_are_read_by_field_from_any_object():
    rows = RNG.normal(size=(600, 3))
    solution = _core.estimate_spectrum(rows, "euclidean", OPERATOR, options(tol=1e-9))
    assert solution.estimate is None  # a tolerance that the exact solver reaches sooner
    assert solution.converged
    assert np.array_equal(solution.eigenvalues, _core.eigenvalues(rows, "euclidean", OPERATOR))
    incomplete = options()
    del incomplete.seed
    with pytest.raises(AttributeError, match="seed"):
        _core.estimate_spectrum(X, "euclidean", OPERATOR, incomplete)


def test_names_are_checked_where_they_are_read():
    with pytest.raises(ValueError, match="metric must be 'euclidean', 'precomputed' or 'affinity', got 'cosine'"):
        _core.eigenvalues(X, "cosine", OPERATOR)
    with pytest.raises(ValueError, match="precision must be 'single', 'double' or 'fastest', got 'auto'"):
        _core.OperatorSpec.diffusion(1.0, 0.0, "auto")
    with pytest.raises(ValueError, match="symmetrize must be 'union', 'mutual' or 'mean', got 'max'"):
        _core.OperatorSpec.neighbor_graph(3, "max")
    with pytest.raises(TypeError, match="storage") as raised:
        _core.estimate_spectrum(X, "euclidean", OPERATOR, options(storage="disk"))
    assert "storage must be 'auto', 'dense' or 'tiled', got 'disk'" in str(raised.value.__cause__)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("threads", [1, 2])
def test_matrices_have_the_eigenvalues_of_their_operators_once(dtype, threads):
    rng = np.random.default_rng(5)
    sets = [rng.normal(size=(n, 5)).astype(dtype) for n in (300, 7, 40)]
    operators = [_core.OperatorSpec.diffusion(sigma, 0.5, "fastest") for sigma in (1.0, 2.0, 3.0)]
    matrices = [
        _core.OperatorMatrix.of(x, "euclidean", operator, threads)
        for x, operator in zip(sets, operators, strict=True)
    ]
    spectra = _core.matrix_eigenvalues(matrices, threads)
    for x, operator, found in zip(sets, operators, spectra, strict=True):
        assert np.sort(found) == pytest.approx(
            np.sort(_core.eigenvalues(x, "euclidean", operator, threads)), abs=1e-13
        )
    matrix = _core.OperatorMatrix.at_median(sets[0], 0.5, "double")
    for again in ([matrix, matrices[0]], [matrix, matrix]):
        with pytest.raises(
            ValueError, match="matrices must be ones of which no eigenvalues were computed, each once"
        ):
            _core.matrix_eigenvalues(again)
    assert len(_core.matrix_eigenvalues([matrix])[0]) == 300  # it was not used up
    assert _core.matrix_eigenvalues([]) == []


@pytest.mark.parametrize("precision", ["single", "double", "fastest"])
def test_the_matrix_at_the_median_has_the_bits_of_a_median_that_is_given(precision):
    rng = np.random.default_rng(5)
    for x in (
        rng.normal(size=(300, 5)),
        rng.normal(size=(300, 5)).astype(np.float32),
        rng.integers(0, 3, (50, 2)) / 1,
    ):
        operator = _core.OperatorSpec.diffusion(_core.median_distance(x, "euclidean"), 1.0, precision)
        matrix = _core.OperatorMatrix.at_median(x, 1.0, precision, 1)
        assert np.array_equal(
            _core.matrix_eigenvalues([matrix], 1)[0], _core.eigenvalues(x, "euclidean", operator, 1)
        )
    with pytest.raises(ValueError, match="x must be of at least one row"):
        _core.OperatorMatrix.at_median(np.zeros((0, 2)), 0.0, precision)


def test_an_estimate_is_restored_from_its_info_and_arrays():
    solution = estimate()
    found = solution.estimate
    with pytest.raises(AttributeError, match="an estimated spectrum has no eigenvalues"):
        _ = solution.eigenvalues
    assert found.info.dim == 900
    assert found.info.positive_semidefinite
    assert 0 < found.info.products <= 5000
    assert found.smallest_node == 0
    assert found.largest_node == pytest.approx(1)
    arrays = found.to_arrays()
    restored = _core.Estimate.from_arrays(found.info, arrays.known, arrays.deflated, arrays.probes, arrays.steps)
    assert restored.info == found.info
    one, other = (each.read([0.5, 1.0], [1.0, 2.0, np.inf]) for each in (found, restored))
    for field in ("entropy", "standard_error", "lower", "upper"):
        assert getattr(one, field).shape == (2, 3)
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert (one.lower <= one.entropy).all()
    assert (one.entropy <= one.upper).all()


def test_eigenvalues_can_be_wrapped_as_a_solution():
    eigenvalues = np.array([0.5, 1.0])
    solution = _core.Solution.exact(eigenvalues)
    assert solution.estimate is None
    assert solution.converged
    assert solution.eigenvalues is eigenvalues


def test_what_travels_between_machines_can_be_pickled():
    scaling = _core.GlobalScaling(mean=X.mean(axis=0), largest=3.0, bandwidth=2.0, single=True)
    copy = pickle.loads(pickle.dumps(scaling))
    assert np.array_equal(copy.mean, scaling.mean)
    assert (copy.largest, copy.bandwidth, copy.single) == (3.0, 2.0, True)
    moments = pickle.loads(pickle.dumps(_core.Moments(trace=1.5, squared_norm=2.5)))
    assert (moments.trace, moments.squared_norm) == (1.5, 2.5)


def test_chunks_have_one_dtype():
    scaling = _core.GlobalScaling(mean=X.mean(axis=0), largest=3.0, bandwidth=2.0, single=False)
    double, single = (_core.Chunk(X.astype(dtype), np.ones((40, 1))) for dtype in (np.float64, np.float32))
    for first, second in ((double, single), (single, double)):
        with pytest.raises(TypeError, match="chunks must have one dtype, got float32 and float64"):
            _core.pair_moments(scaling, first, second)


def test_products_of_two_chunks_are_named():
    scaling = _core.GlobalScaling(mean=X.mean(axis=0), largest=np.abs(X).max(), bandwidth=2.0, single=False)
    vectors = RNG.normal(size=(40, 2))
    first, second = (_core.Chunk(X[rows], vectors[rows]) for rows in (slice(0, 25), slice(25, 40)))
    G = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / 8)
    product = _core.pair_product(scaling, [0.0, 0.0], first, second)
    assert product.first == pytest.approx(G[:25, 25:] @ vectors[25:], abs=1e-12)
    assert product.second == pytest.approx(G[25:, :25] @ vectors[:25], abs=1e-12)
    alone = _core.pair_product(scaling, [0.0, 0.0], first)
    assert alone.first == pytest.approx(G[:25, :25] @ vectors[:25], abs=1e-12)
    assert alone.second is None


def test_neighbours_and_edges_are_named():
    line = np.array([[0.0], [1.0], [3.0]])
    neighbors = _core.nearest_neighbors(line, 2)
    assert neighbors.indices.tolist() == [[1, 2], [0, 2], [1, 0]]
    assert neighbors.distances.tolist() == [[1.0, 3.0], [1.0, 2.0], [2.0, 3.0]]
    edges = _core.neighbor_edges(line, "euclidean", 2)
    assert edges.indptr.tolist() == [0, 2, 4, 6]
    assert edges.indices.tolist() == [0, 1, 0, 1, 1, 2]


def test_an_affinity_of_callbacks_returns_moments_with_fields():
    G = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / 2)

    def moments(squares, exact):
        return SimpleNamespace(trace=squares @ np.diag(G), squared_norm=squares @ G**2 @ squares)

    operator = _core.CallbackAffinity(lambda block, ceilings, exact: G @ block, moments, 40, alpha=0.0, error=1e-16)
    solution = _core.estimate_operator(operator, options())
    expected = _core.renyi_entropies(_core.eigenvalues(X, "euclidean", OPERATOR), [1.0], [1.0])
    assert solution.estimate.read([1.0], [1.0]).entropy == pytest.approx(expected, abs=1e-2)
    with pytest.raises(ValueError, match="operator must be a sparse or a callback operator, got an affinity"):
        _core.operator_eigenvalues(operator)


def of_affinity(rows, options, **facts):
    """Estimates an operator of the Gaussian affinity of rows that NumPy multiplies."""
    G = np.exp(-((rows[:, None] - rows) ** 2).sum(axis=-1) / 2)

    def moments(squares, exact):
        return SimpleNamespace(trace=squares.sum(), squared_norm=squares @ G**2 @ squares)

    affinity = _core.CallbackAffinity(lambda block, ceilings, exact: G @ block, moments, len(rows), **facts)
    return _core.estimate_operator(affinity, options)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("alpha", [0.0, 0.5, None])
def test_an_affinity_of_callbacks_has_the_operators_of_rows(alpha, weighted):
    rows = RNG.normal(size=(300, 2))
    weights = RNG.uniform(0.5, 2, 300) if weighted and alpha is not None else None
    spec = _core.OperatorSpec.affinity(1.0)
    if alpha is not None:
        spec = _core.OperatorSpec.diffusion(1.0, alpha, "double", weights)
    expected = _core.renyi_entropies(_core.eigenvalues(rows, "euclidean", spec), [1.0], [1.0])[0, 0]
    for tol in (1e-3, 1e-9):  # an estimate, and eigenvalues where they cost less
        solution = of_affinity(rows, options(tol=tol), alpha=alpha, error=1e-16, row_weights=weights)
        assert (solution.estimate is None) == (tol == 1e-9)
        if solution.estimate is None:
            found = _core.renyi_entropies(np.abs(solution.eigenvalues), [1.0], [1.0])[0, 0]
            assert found == pytest.approx(expected, abs=1e-9)
            continue
        reading = solution.estimate.read([1.0], [1.0])
        error = abs(reading.entropy[0, 0] - expected)
        assert error <= 3 * reading.standard_error[0, 0] + (reading.upper - reading.lower)[0, 0] + 1e-9


def test_what_an_affinity_of_callbacks_states_is_kept():
    rows = RNG.normal(size=(300, 2))

    def info(**facts):
        return of_affinity(rows, options(tol=0.1), alpha=0.0, **facts).estimate.info

    assert info(error=1e-16).rounding == 1e-10
    assert info(error=1e-5).rounding == 1e-6  # of products in float32
    stated = info(error=1e-5, rounding=1e-4, positive_semidefinite=False)
    assert (stated.rounding, stated.entry_error, stated.positive_semidefinite) == (1e-4, 1e-5, False)
    # With products that are fast, eigenvalues do not cost less.
    noise = RNG.normal(size=(300, 6))
    assert of_affinity(noise, options(), alpha=0.0, error=1e-16, speed=1.0).estimate is None
    assert of_affinity(noise, options(), alpha=0.0, error=1e-16, speed=1e6).estimate is not None


def test_the_bytes_of_an_estimate_grow_with_the_rows():
    assert _core.estimate_bytes(20_000) == 2 * _core.estimate_bytes(10_000) > 10_000 * 4000
