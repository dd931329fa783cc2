"""Readings of a spectrum, and that it cannot be changed."""

import copy
import math
import pickle

import numpy as np
import pytest
from dsentropy import Spectrum, diffusion_spectral_entropy, diffusion_spectrum

X = np.random.default_rng(0).normal(size=(80, 4))

readings = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def test_eigenvalues_are_moduli_and_the_largest_comes_first():
    assert Spectrum([0.25, -1.0, 0.5]).eigenvalues.tolist() == [1.0, 0.5, 0.25]
    assert Spectrum([3 + 4j, 1]).eigenvalues.tolist() == [5.0, 1.0]


@readings
@pytest.mark.parametrize(
    ("t", "order", "shape"),
    [([1, 2, 3], [0, 1], (3, 2)), ([1, 2, 3], 1, (3,)), (2, [0, 1], (2,)), (np.array([1.0, 2.0]), (1,), (2, 1))],
)
def test_sequences_give_arrays_without_the_axis_of_a_number(t, order, shape):
    entropy = diffusion_spectrum(X).entropy(t, order)
    assert entropy.shape == shape
    assert entropy.flat[-1] == diffusion_spectrum(X).entropy(np.atleast_1d(t)[-1], np.atleast_1d(order)[-1])


@readings
def test_two_numbers_give_a_float():
    spectrum = diffusion_spectrum(X)
    for value in [
        spectrum.entropy(),
        spectrum.entropy(np.float32(2), np.int64(2)),
        spectrum.effective_rank(2),
        spectrum.participation_ratio(),
    ]:
        assert type(value) is float
    assert type(spectrum.count(0.1)) is int
    assert type(spectrum.saturation()) is int


@readings
def test_entropy_is_that_of_the_reference_up_to_its_shift():
    spectrum = diffusion_spectrum(X, bandwidth=2.0)
    for t in [0, 0.5, 1, 2, 7.5]:
        # The shift adds eps to each of 80 p: at most 80 eps (log2(1 / eps) + 2).
        reference = diffusion_spectral_entropy(X, 2.0, t)
        assert spectrum.entropy(t) == pytest.approx(reference, abs=80 * 54 * np.finfo(float).eps)


@readings
def test_effective_rank_and_participation_ratio_are_powers_of_entropies():
    spectrum = diffusion_spectrum(X)
    t = [0.5, 1, 2]
    assert spectrum.effective_rank(t) == pytest.approx(2 ** spectrum.entropy(t))
    assert spectrum.participation_ratio(t) == pytest.approx(2 ** spectrum.entropy(t, 2))
    powers = spectrum.eigenvalues**2.0
    assert spectrum.participation_ratio(2) == pytest.approx(powers.sum() ** 2 / (powers**2).sum())


@readings
def test_entropy_falls_with_t_and_with_the_order():
    entropy = diffusion_spectrum(X).entropy([0, 0.5, 1, 2, 4], [0.5, 1, 2, math.inf])
    assert (np.diff(entropy, axis=0) <= 1e-12).all()
    assert (np.diff(entropy, axis=1) <= 1e-12).all()


def test_base_and_normalisation():
    spectrum = diffusion_spectrum(X)
    assert spectrum.entropy(base=math.e) == pytest.approx(spectrum.entropy() * math.log(2))
    assert spectrum.entropy(normalized=True) == pytest.approx(spectrum.entropy() / math.log2(80))
    assert Spectrum([1.0, 1.0, 1.0]).entropy(normalized=True) == pytest.approx(1)
    assert Spectrum([2.0]).entropy(normalized=True) == 0


def test_counts_are_of_powers_above_the_threshold():
    spectrum = Spectrum([1.0, 0.5, 0.25, 0.0])
    assert spectrum.count(0.25) == 2
    assert spectrum.count(0.25, 0.5) == 3
    assert spectrum.count([0.0, 0.3], [1, 2]).tolist() == [[3, 3], [2, 1]]
    assert spectrum.count(0, [1, 0]).tolist() == [3, 4]
    assert spectrum.count([0.3, 0.6]).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("method", "arguments", "argument"),
    [
        ("entropy", {"t": -1}, "t"),
        ("entropy", {"t": []}, "t"),
        ("entropy", {"t": [1, math.nan]}, "t"),
        ("entropy", {"order": -0.5}, "order"),
        ("entropy", {"order": math.nan}, "order"),
        ("entropy", {"base": 1}, "base"),
        ("entropy", {"base": 0}, "base"),
        ("effective_rank", {"t": math.inf}, "t"),
        ("participation_ratio", {"t": -2}, "t"),
        ("count", {"threshold": -1}, "threshold"),
        ("saturation", {"order": -1}, "order"),
        ("plot", {"t": -1}, "t"),
    ],
)
def test_bad_values_are_named(method, arguments, argument):
    with pytest.raises(ValueError, match=rf"^{argument} must"):
        getattr(Spectrum([1.0, 0.5]), method)(**arguments)


@pytest.mark.parametrize("t", ["1", None, "12", True])
def test_bad_types_are_named(t):
    with pytest.raises(TypeError, match=r"^t must"):
        Spectrum([1.0, 0.5]).entropy(t)


@pytest.mark.parametrize("eigenvalues", [[], [0.0, 0.0], [1.0, math.nan], [math.inf], [[1.0]], ["a"], 3.0], ids=repr)
def test_eigenvalues_that_are_none_are_refused(eigenvalues):
    with pytest.raises(ValueError, match=r"^eigenvalues must"):
        Spectrum(eigenvalues)


def test_nothing_can_be_changed():
    spectrum = diffusion_spectrum(X, bandwidth="knn")
    for name in ["eigenvalues", "n_samples", "parameters", "fingerprint", "new"]:
        with pytest.raises(AttributeError, match=name):
            setattr(spectrum, name, 1)
        with pytest.raises(AttributeError, match=name):
            delattr(spectrum, name)
    with pytest.raises(ValueError, match="read-only"):
        spectrum.eigenvalues[0] = 2
    with pytest.raises(ValueError, match="read-only"):
        spectrum.parameters["bandwidth"][0] = 2
    with pytest.raises(TypeError):
        spectrum.parameters["bandwidth"] = 2
    given = np.array([1.0, 0.5])
    assert Spectrum(given).eigenvalues is not given


def same(one, other):
    assert np.array_equal(one.eigenvalues, other.eigenvalues)
    assert (one.n_samples, one.fingerprint) == (other.n_samples, other.fingerprint)
    assert one.parameters.keys() == other.parameters.keys()
    for name, value in one.parameters.items():
        assert np.array_equal(value, other.parameters[name])


@pytest.mark.parametrize("bandwidth", ["median", "knn", 2.0])
def test_copies_and_pickles_are_the_same(bandwidth):
    spectrum = diffusion_spectrum(X, bandwidth=bandwidth)
    for other in [copy.copy(spectrum), copy.deepcopy(spectrum), pickle.loads(pickle.dumps(spectrum))]:
        same(spectrum, other)


def test_repr_says_what_it_is():
    text = repr(diffusion_spectrum(X, bandwidth=2.5, alpha=0.5))
    for part in ["80 samples", "bits at t = 1", "bandwidth=2.5", "alpha=0.5", "operator=diffusion"]:
        assert part in text
    assert "rule=knn" in repr(diffusion_spectrum(X, bandwidth="knn"))


def test_parameters_say_how_it_was_made():
    parameters = diffusion_spectrum(X, max_samples=50, random_state=3).parameters
    assert parameters["rule"] == "median"
    assert (parameters["max_samples"], parameters["random_state"]) == (50, 3)
    assert parameters["bandwidth"] > 0
    assert "max_samples" not in diffusion_spectrum(X, max_samples=80).parameters


@readings
def test_rounding_of_eigenvalues_is_not_read_at_small_t_and_orders():
    """A spectrum that decays far below what float64 tells: entropies fall with the order, on one thread and two."""
    for threads in (1, 2):
        spectrum = diffusion_spectrum(X, bandwidth=20.0, num_threads=threads)
        assert spectrum.eigenvalues[-1] == 0
        entropy = spectrum.entropy([0.1, 0.5, 1], [0, 0.01, 0.1, 0.5, 1, 2])
        assert (np.diff(entropy, axis=1) <= 1e-12).all()
        powers = spectrum.eigenvalues**0.1
        p = powers[powers > 0] / powers.sum()
        assert spectrum.entropy(0.1) == pytest.approx(-(p * np.log2(p)).sum())
        assert spectrum.entropy(0.1, 0) == pytest.approx(math.log2(np.count_nonzero(spectrum.eigenvalues)))


def test_powers_that_under_or_overflow_add_nothing():
    assert Spectrum([1, 1, 1e-300]).entropy(t=1e307) == 1
    assert Spectrum(np.ones(8)).entropy(order=1e308) == pytest.approx(3)


def test_a_base_cancels_in_a_normalized_entropy_and_is_refused():
    spectrum = Spectrum([1.0, 0.5])
    assert spectrum.entropy(base=2, normalized=True) == spectrum.entropy() / 1.0
    with pytest.raises(ValueError, match="base must not be given where normalized is True"):
        spectrum.entropy(base=10, normalized=True)


def test_a_class_without_a_kind_has_that_of_its_base():
    class Named(Spectrum):
        __slots__ = ()

    assert Named._kind == "exact"
    assert Spectrum._kinds["exact"] is Spectrum
    assert type(copy.copy(Named([1.0, 0.5]))) is Named
