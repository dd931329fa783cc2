"""A Spectrum: what is read off it, what it says when it is saturated, its file, and that it cannot be changed."""

import copy
import io
import json
import math
import os
import pickle
import random
import sys
import warnings

import dsentropy
import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from dsentropy import (
    SaturationWarning,
    Spectrum,
    covariance_spectrum,
    diffusion_spectral_entropy,
    diffusion_spectrum,
    entropy_surface,
    estimate_bandwidth,
    kernel_spectrum,
)
from dsentropy._operator import bandwidth as _bandwidth

X = np.random.default_rng(0).normal(size=(80, 4))

readings = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


# ---- what is read off


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
def test_entropy_is_that_of_the_familiar_function_up_to_its_shift():
    spectrum = diffusion_spectrum(X, bandwidth=2.0)
    for t in [0, 0.5, 1, 2, 7.5]:
        # The shift adds eps to each of 80 p: at most 80 eps (log2(1 / eps) + 2).
        familiar = diffusion_spectral_entropy(X, 2.0, t)
        assert spectrum.entropy(t) == pytest.approx(familiar, abs=80 * 54 * np.finfo(float).eps)


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


# ---- saturation


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"bandwidth": 1e-3}, "the bandwidth 0.001 is too small .* use a larger one"),
        ({"bandwidth": 1e6}, r"the bandwidth 1e\+06 is too large .* use a smaller one"),
        ({"bandwidth": np.full(80, 1e6)}, "the bandwidths are too large"),
    ],
)
def test_a_saturated_entropy_says_which_way_to_move(arguments, text):
    spectrum = diffusion_spectrum(X, **arguments)
    for read in [spectrum.entropy, spectrum.effective_rank]:
        with pytest.warns(SaturationWarning, match=text) as caught:
            read()
        assert caught[0].filename == __file__


@pytest.mark.parametrize("bandwidth", ["median", "knn"])
def test_a_collapsed_layer_has_no_entropy_and_says_so(bandwidth):
    for scale in [0.0, 1.0, 1e-300, 1e300]:
        spectrum = diffusion_spectrum(np.full((50, 3), scale), bandwidth=bandwidth)
        with pytest.warns(SaturationWarning, match="no two rows differ"):
            assert spectrum.entropy() == pytest.approx(0, abs=1e-12)


def test_nothing_is_said_where_the_bandwidth_plays_no_part():
    diffusion_spectrum(X, bandwidth=1e-3).entropy(t=0)
    diffusion_spectrum(X).entropy(order=0)
    diffusion_spectrum(X[:1], bandwidth=1.0).entropy()
    kernel_spectrum(np.eye(5)).entropy()
    covariance_spectrum(X).entropy()
    diffusion_spectrum(np.eye(5), metric="affinity").entropy()
    repr(diffusion_spectrum(X, bandwidth=1e-3))


def test_the_familiar_functions_do_not_warn():
    diffusion_spectral_entropy(np.ones((20, 2)))
    diffusion_spectral_entropy(X, 1e-3)


def test_saturation_has_a_sign():
    assert diffusion_spectrum(X, bandwidth=1e-3).saturation() == 1
    assert diffusion_spectrum(X, bandwidth=1e6).saturation() == -1
    assert diffusion_spectrum(X).saturation([1, 2], [1, 2]).shape == (2, 2)
    assert diffusion_spectrum(X).saturation() == 0


# ---- immutable, copied, printed


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


# ---- its file


@pytest.mark.parametrize("arguments", [{}, {"bandwidth": "knn"}, {"max_samples": 40}, {"metric": "cosine"}], ids=str)
def test_a_file_brings_everything_back(tmp_path, arguments):
    spectrum = diffusion_spectrum(X, **arguments)
    spectrum.save(tmp_path / "folder" / "spectrum")
    assert os.listdir(tmp_path / "folder") == ["spectrum"]
    same(spectrum, Spectrum.load(tmp_path / "folder" / "spectrum", X=X))
    same(spectrum, Spectrum.load(os.fsencode(tmp_path / "folder" / "spectrum"), X=X.tolist()))


def test_kernels_and_covariances_have_files_too(tmp_path):
    K = X @ X.T
    kernel_spectrum(K).save(tmp_path / "kernel")
    covariance_spectrum(X).save(tmp_path / "covariance")
    same(kernel_spectrum(K), Spectrum.load(tmp_path / "kernel", X=K))
    same(covariance_spectrum(X), Spectrum.load(tmp_path / "covariance", X=X))


def test_a_file_of_other_data_is_refused(tmp_path):
    diffusion_spectrum(X).save(tmp_path / "spectrum")
    with pytest.raises(ValueError, match="was made from other data"):
        Spectrum.load(tmp_path / "spectrum", X=X + 1)
    Spectrum([1.0, 0.5]).save(tmp_path / "unknown")
    with pytest.raises(ValueError, match="was made from other data"):
        Spectrum.load(tmp_path / "unknown", X=X)


def test_a_torn_or_foreign_file_is_refused(tmp_path):
    path = tmp_path / "spectrum"
    diffusion_spectrum(X).save(path)
    whole = path.read_bytes()
    for length in [0, 1, 100, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is not a whole file of a Spectrum"):
            Spectrum.load(path)
    with pytest.raises(FileNotFoundError):
        Spectrum.load(tmp_path / "none")
    diffusion_spectral_entropy(X, eigval_save_path=tmp_path / "eigenvalues")
    with pytest.raises(ValueError, match="is not a whole file of a Spectrum"):
        Spectrum.load(tmp_path / "eigenvalues")
    about = {"format": 99}
    with open(tmp_path / "later", "wb") as file:
        np.savez(file, eigenvalues=np.ones(2), about=np.array(json.dumps(about)))
    with pytest.raises(ValueError, match="format is 99"):
        Spectrum.load(tmp_path / "later")


def test_a_failed_write_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "spectrum"
    first = diffusion_spectrum(X)
    first.save(path)

    def fails(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fails)
    with pytest.raises(OSError, match="disk full"):
        diffusion_spectrum(2 * X, bandwidth=1.0).save(path)
    assert os.listdir(tmp_path) == ["spectrum"]
    same(first, Spectrum.load(path))


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_bad_path_is_named(path):
    for use in [Spectrum([1.0, 0.5]).save, Spectrum.load]:
        with pytest.raises(ValueError, match=r"^path must"):
            use(path)
    with pytest.raises(TypeError, match=r"^path must"):
        Spectrum.load(3)


# ---- its picture


def test_a_picture_has_a_line_for_each_t():
    axes = matplotlib.figure.Figure().add_subplot()
    assert diffusion_spectrum(X).plot([1, 2, 5], ax=axes) is axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["t = 1", "t = 2", "t = 5"]
    lines = [line.get_ydata() for line in axes.get_lines()]
    assert lines[0].sum() == pytest.approx(1)
    assert axes.get_yscale() == "log"


def test_a_picture_makes_its_own_axes():
    matplotlib.use("agg")
    for axes in [Spectrum([1.0, 0.5]).plot(), entropy_surface(X, [1, 2]).plot()]:
        axes.figure.savefig(io.BytesIO())
        plt.close(axes.figure)


def test_without_its_extra_a_picture_or_a_bar_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"dsentropy\[plot\]"):
        diffusion_spectrum(X).plot()
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"dsentropy\[progress\]"):
        diffusion_spectrum(X, progress=True)


def test_saturation_warning_is_a_user_warning_that_can_be_silenced():
    assert issubclass(dsentropy.SaturationWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)
        diffusion_spectrum(X, bandwidth=1e-3).entropy()


# ---- rounding


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


# ---- parameters


def test_parameters_are_what_a_file_can_hold(tmp_path):
    given = {"a": np.int64(3), "b": [1.0, 2.0], "c": None, "d": np.float32(0.5), "e": np.arange(3)}
    spectrum = Spectrum([1.0, 0.5], parameters=given)
    given["b"].append(3.0)
    assert spectrum.parameters["b"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="cannot set WRITEABLE"):
        spectrum.eigenvalues.setflags(write=True)
    spectrum.save(tmp_path / "spectrum")
    same(spectrum, Spectrum.load(tmp_path / "spectrum"))
    for bad in [{"a": {}}, {"a": np.array(["x"])}, {"a": np.array([])}, 5]:
        with pytest.raises(TypeError, match=r"^parameters must"):
            Spectrum([1.0], parameters=bad)


@pytest.mark.changes_process  # Python's global generator, when the rows are drawn
def test_rows_that_were_drawn_without_a_seed_cannot_be_checked(tmp_path):
    diffusion_spectrum(X, max_samples=50, random_state=None).save(tmp_path / "spectrum")
    state = random.getstate()
    with pytest.raises(ValueError, match="X cannot be checked"):
        Spectrum.load(tmp_path / "spectrum", X=X)
    assert random.getstate() == state


# ---- data that are nearly collapsed


def test_directions_that_differ_by_rounding_are_collapsed():
    lengths = np.random.default_rng(0).uniform(1, 9, 50)
    for dtype in [np.float32, np.float64]:
        rows = np.outer(lengths, [1, 2, 3.3]).astype(dtype)
        with pytest.warns(SaturationWarning, match="no two rows differ by more than rounding"):
            assert diffusion_spectrum(rows, metric="cosine").entropy() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_median_is_found_where_nearly_all_rows_are_equal(metric, scale):
    """None of the three others is among the 4000 that are drawn; their distances to the rest are 1, 2 and 3."""
    rows = np.zeros((4200, 1), dtype=np.float32)
    others = sorted(set(range(4200)) - set(random.Random(0).sample(range(4200), k=4000)))[:3]
    rows[others, 0] = scale * np.array([1.0, 2.0, 3.0])
    data = rows if metric == "euclidean" else np.abs(rows - rows.T)
    assert estimate_bandwidth(data, metric=metric) == pytest.approx(2 * scale)


def test_median_of_equal_rows_is_zero():
    for data, metric in [(np.ones((4001, 1)), "euclidean"), (np.zeros((4001, 4001), np.float32), "precomputed")]:
        assert estimate_bandwidth(data, metric=metric) == 0


def test_median_of_many_distinct_rows_is_that_of_some(monkeypatch):
    """Of 60 equal rows and 6 others; 3 are drawn, which are equal, and then 3 of the distinct ones."""
    monkeypatch.setattr(_bandwidth, "MEDIAN_ROWS", 3)
    drawn = random.Random(0).sample(range(66), k=3)
    rows = np.zeros((66, 1))
    rows[[i for i in range(66) if i not in drawn][:6], 0] = 10.0 ** np.arange(6)
    distinct = np.concatenate([[0.0], 10.0 ** np.arange(6)])[random.Random(0).sample(range(7), k=3)]
    assert estimate_bandwidth(rows) in np.abs(np.subtract.outer(distinct, distinct))[np.triu_indices(3, 1)]
