"""Warnings of the four functions: entropies at an end of their range, and rows that are not used."""

import re
import warnings

import dsentropy
import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    SubsetWarning,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    mutual_information,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 8))
UNIT = X / np.linalg.norm(X, axis=1)[:, None]
LABELS = np.arange(300) % 3

ENTROPIES = {
    "DSE": (diffusion_spectral_entropy, {}),
    "DSE, an estimate": (diffusion_spectral_entropy, {"solver": "stochastic", "tol": 1e-2}),
    "entries": (diffusion_spectral_entropy, {"matrix_entry_entropy": True}),
    "ASE": (adjacency_spectral_entropy, {}),
    "ASE, normalised": (adjacency_spectral_entropy, {"anisotropic": True}),
}
INFORMATIONS = {
    "DSMI": (diffusion_spectral_mutual_information, {}),
    "entries": (diffusion_spectral_mutual_information, {"matrix_entry_entropy": True}),
    "ASMI": (adjacency_spectral_mutual_information, {}),
    "ASMI, an estimate": (adjacency_spectral_mutual_information, {"solver": "stochastic", "tol": 1e-2}),
}
every_entropy = pytest.mark.parametrize("name", ENTROPIES)
every_call = pytest.mark.parametrize("name", [*ENTROPIES, *(f"{name} of labels" for name in INFORMATIONS)])


def call(name, data, **arguments):
    if name in ENTROPIES:
        function, flags = ENTROPIES[name]
        return function(data, **flags, **arguments)
    function, flags = INFORMATIONS[name.removesuffix(" of labels")]
    return function(data, LABELS[: len(data)], **flags, **arguments)[0]


def texts_of(category, name, data, **arguments):
    """Return the value and the texts of the warnings of this class, which point here."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = call(name, data, **arguments)
    found = [each for each in caught if each.category is category]
    assert all(each.filename == __file__ for each in found)
    return value, [str(each.message) for each in found]


@every_call
@pytest.mark.parametrize(("sigma", "size", "remedy"), [(100, "large", "smaller"), (1e-3, "small", "larger")])
def test_a_saturated_entropy_says_which_way_to_move(name, sigma, size, remedy):
    _, texts = texts_of(SaturationWarning, name, UNIT, gaussian_kernel_sigma=sigma)
    assert len(texts) == 1
    assert f"gaussian_kernel_sigma = {sigma:g} is too {size} to tell these data apart, use a {remedy} one" in texts[0]
    has_t = "DS" in name
    assert ("t = 1" in texts[0], f"(or a {remedy} t)" in texts[0]) == (has_t, has_t)
    assert ("random subsets" in texts[0]) == ("of labels" in name)
    _, texts = texts_of(SaturationWarning, name, UNIT, gaussian_kernel_sigma=0.5)
    assert texts == []


def test_rows_of_length_1_at_the_default_bandwidth():
    with pytest.warns(SaturationWarning, match="gaussian_kernel_sigma = 10 is too large"):
        assert diffusion_spectral_entropy(UNIT) < 0.02 * np.log2(300)


@every_call
def test_equal_rows_have_no_bandwidth_that_tells_them_apart(name):
    _, texts = texts_of(SaturationWarning, name, np.ones((30, 2)))
    assert len(texts) == 1
    assert "no two rows differ by more than rounding" in texts[0]


def test_nothing_is_said_where_the_bandwidth_plays_no_part():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diffusion_spectral_entropy(UNIT, t=0)
        diffusion_spectral_entropy(UNIT, classic_shannon_entropy=True)
        diffusion_spectral_entropy(UNIT[:1])
        adjacency_spectral_entropy(UNIT, use_knn=True, knn=1)
        diffusion_spectral_mutual_information(UNIT, LABELS, classic_shannon_entropy=True)
        adjacency_spectral_mutual_information(UNIT, LABELS, use_knn=True)
        diffusion_spectral_mutual_information(UNIT[:10], np.arange(10))  # clusters of one row


def test_eigenvalues_from_a_file(tmp_path):
    """Without the data their bandwidth is not known."""
    path = tmp_path / "eigenvalues"
    with pytest.warns(SaturationWarning, match="gaussian_kernel_sigma = 10 is"):
        value = diffusion_spectral_entropy(UNIT, eigval_save_path=path)
    with pytest.warns(SaturationWarning, match="gaussian_kernel_sigma = 10 is"):
        assert diffusion_spectral_entropy(UNIT, eigval_save_path=path) == value
    with pytest.warns(SaturationWarning, match="with which the file of eigenvalues was made is too large"):
        assert diffusion_spectral_entropy(None, 3, eigval_save_path=path) == value


@pytest.mark.changes_process  # a draw from Python's global generator
@every_entropy
@pytest.mark.parametrize(("seed", "drawn"), [(4, "random_seed = 4"), (None, "from Python's global generator")])
def test_rows_beyond_the_limit_are_named(name, seed, drawn):
    limits = {"gaussian_kernel_sigma": 2, "random_seed": seed}
    _, texts = texts_of(SubsetWarning, name, X, max_N=200, **limits)
    assert len(texts) == 1
    assert "max_N = 200 of 300 rows were used" in texts[0]
    assert drawn in texts[0]
    assert "max_N=None" in texts[0]
    assert texts_of(SubsetWarning, name, X, max_N=300, **limits)[1] == []
    assert texts_of(SubsetWarning, name, X, max_N=None, **limits)[1] == []


def test_the_default_limit_is_named():
    rows = RNG.normal(size=(10_500, 2))
    with pytest.warns(SubsetWarning, match="max_N = 10000 of 10500 rows"):
        diffusion_spectral_entropy(rows, classic_shannon_entropy=True)


def test_rows_beyond_the_limit_of_eigenvalues_from_a_file(tmp_path):
    arguments = {"gaussian_kernel_sigma": 2, "max_N": 200, "eigval_save_path": tmp_path / "eigenvalues"}
    for _ in ("written", "read"):
        assert len(texts_of(SubsetWarning, "DSE", X, **arguments)[1]) == 1
    assert texts_of(SubsetWarning, "DSE", None, **arguments)[1] == []


def test_clusters_beyond_their_limit_are_named():
    labels = np.repeat([0, 1, 2], [10_500, 11_000, 500])
    rows = RNG.normal(size=(22_000, 2))
    with pytest.warns(SubsetWarning) as caught:
        diffusion_spectral_mutual_information(rows, labels, classic_shannon_entropy=True)
    text = str(caught[0].message)
    assert len(caught) == 1
    assert re.match("reference_vectors: 2 of 3 clusters have more than 10000 rows, the largest 11000", text)
    with pytest.warns(SubsetWarning, match="precomputed_clusters: 1 of 2 clusters has more"):
        diffusion_spectral_mutual_information(
            rows, None, precomputed_clusters=np.arange(22_000) > 9_000, classic_shannon_entropy=True
        )


def test_warnings_are_user_warnings_that_can_be_silenced():
    assert issubclass(dsentropy.SubsetWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SubsetWarning)
        diffusion_spectral_entropy(X, 2, max_N=200)


def test_mutual_information_names_its_random_subsets():
    with pytest.warns(SaturationWarning, match="the mean entropy of random subsets at t = 1 is within 2%"):
        mutual_information(X, LABELS, bandwidth=1e-3)
