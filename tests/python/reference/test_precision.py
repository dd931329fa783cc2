"""The diffusion operator in single precision: what it promises, and where it is taken."""

import math

import numpy as np
import pytest
from dsentropy import (
    _core,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
)

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")

RNG = np.random.default_rng(0)
DATA = {
    "cloud": lambda n: RNG.normal(size=(n, 20)),
    "three dimensions": lambda n: RNG.normal(size=(n, 3)),
    "line": lambda n: np.linspace(0, 1, n)[:, None],
    "distant groups": lambda n: RNG.normal(size=(n, 4)) + 1e4 * RNG.integers(0, 7, size=(n, 1)),
    "groups that touch": lambda n: RNG.normal(size=(n, 2)) + 9 * RNG.integers(0, 4, size=(n, 1)),
    "one outlier": lambda n: RNG.normal(size=(n, 4)) + 1e3 * (np.arange(n) == 3)[:, None],
    "duplicates": lambda n: RNG.normal(size=(5, 4))[RNG.integers(0, 5, size=n)],
    "identical rows": lambda n: np.ones((n, 3)),
    "heavy tails": lambda n: RNG.standard_t(1.5, size=(n, 6)),
}
X = RNG.normal(scale=5, size=(900, 5)).astype(np.float32)
LABELS = np.repeat([0, 1, 2], 300)


def median_distance(rows):
    some = rows[:300].astype(float)
    distances = np.linalg.norm(some[:, None] - some, axis=-1)
    return np.median(distances[distances > 0]) if distances.any() else 1.0


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("n", [256, 700, pytest.param(2600, marks=pytest.mark.slow)])
def test_values_are_within_the_bound_of_double_precision(name, n):
    """At 2600 rows the eigenvalues come in two stages."""
    rows = DATA[name](n).astype(np.float32)
    for factor in [0.03, 0.3, 3] if n < 2600 else [0.3]:
        sigma = factor * median_distance(rows)
        for t in [1, 1.5, 5, 10] if n < 2600 else [1, 10]:
            double = diffusion_spectral_entropy(rows, sigma, t, precision="double")
            single = diffusion_spectral_entropy(rows, sigma, t)
            assert abs(single - double) <= 1e-6 * math.sqrt(n), (factor, t)


FUNCTIONS = {
    "DSE": diffusion_spectral_entropy,
    "DSE at t = 2": lambda X, **precision: diffusion_spectral_entropy(X, t=2, **precision),
    "ASE": lambda X, **precision: adjacency_spectral_entropy(X, anisotropic=True, **precision),
    "DSMI": lambda X, **precision: diffusion_spectral_mutual_information(X, LABELS, **precision)[0],
    "ASMI": lambda X, **precision: adjacency_spectral_mutual_information(X, LABELS, anisotropic=True, **precision)[0],
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@every_function
def test_dtype_decides_where_nothing_is_said(function):
    single, double = function(X, precision="single"), function(X, precision="double")
    assert single != double
    assert function(X) == function(X, precision="auto") == single
    assert function(X.astype(float)) == double
    assert function(X.astype(float), precision="single") == single


@pytest.mark.parametrize("name", ["DSE", "DSE at t = 2", "ASE"])
def test_few_rows_are_in_double_precision(name):
    assert FUNCTIONS[name](X[:255], precision="single") == FUNCTIONS[name](X[:255], precision="double")
    assert FUNCTIONS[name](X[:256], precision="single") != FUNCTIONS[name](X[:256], precision="double")


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize(
    "function",
    [
        lambda X, **precision: adjacency_spectral_entropy(X, **precision),
        lambda X, **precision: adjacency_spectral_entropy(X, use_knn=True, **precision),
        lambda X, **precision: diffusion_spectral_entropy(X, matrix_entry_entropy=True, **precision),
        lambda X, **precision: diffusion_spectral_entropy(X, classic_shannon_entropy=True, **precision),
        lambda X, **precision: adjacency_spectral_mutual_information(X, LABELS, **precision)[0],
    ],
    ids=["affinity", "graph", "entries", "bins", "ASMI"],
)
def test_all_else_is_in_double_precision(function, precision):
    assert function(X, precision=precision) == function(X)


@pytest.mark.parametrize("t", [0, 0.5, 0.999, 10.001, 1e6])
def test_powers_that_magnify_what_is_rounded_are_in_double_precision(t):
    assert diffusion_spectral_entropy(X, t=t) == diffusion_spectral_entropy(X, t=t, precision="double")


def test_more_columns_than_half_the_rows_are_in_double_precision():
    """Distances are computed twice in single precision."""
    wide = RNG.normal(size=(300, 151)).astype(np.float32)
    assert diffusion_spectral_entropy(wide) == diffusion_spectral_entropy(wide, precision="double")
    assert diffusion_spectral_entropy(wide) != diffusion_spectral_entropy(wide, precision="single")
    narrow = wide[:, :150].copy()
    assert diffusion_spectral_entropy(narrow) == diffusion_spectral_entropy(narrow, precision="single")


def test_the_core_names_its_precisions():
    with pytest.raises(ValueError, match="precision must be 'single', 'double' or 'fastest'"):
        _core.OperatorSpec.diffusion(1.0, 0.0, "auto")


def test_files_are_in_double_precision_unless_asked(tmp_path):
    def stored(path, **arguments):
        diffusion_spectral_entropy(X, eigval_save_path=path, eigval_save_precision=np.float64, **arguments)
        with np.load(path) as file:
            return file["eigvals"]

    double, single = stored(tmp_path / "double"), stored(tmp_path / "single", precision="single")
    assert np.array_equal(double, stored(tmp_path / "said", precision="double"))
    assert not np.array_equal(np.sort(double), np.sort(single))
    assert np.sort(single) == pytest.approx(np.sort(double), abs=1e-6)
    with pytest.raises(ValueError, match="precision"):
        diffusion_spectral_entropy(X, eigval_save_path=tmp_path / "single")
    with pytest.raises(ValueError, match="precision"):
        diffusion_spectral_entropy(X, eigval_save_path=tmp_path / "double", precision="single")


@every_function
@pytest.mark.parametrize("value", ["float32", "Single", ""])
def test_unknown_precisions(function, value):
    with pytest.raises(ValueError, match=f"precision must be 'auto', 'single' or 'double', got '{value}'"):
        function(X, precision=value)


@every_function
@pytest.mark.parametrize("value", [None, 32, np.float32])
def test_precisions_of_a_wrong_type(function, value):
    with pytest.raises(TypeError, match="precision must be a string"):
        function(X, precision=value)
