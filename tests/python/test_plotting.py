"""Pictures of plain arrays, and the methods that draw with them."""

import io
import sys

import matplotlib.figure
import matplotlib.pyplot as plt
import numpy as np
import pytest
from dsentropy import (
    EstimatedSpectrum,
    Spectrum,
    Stochastic,
    adjacency_spectrum,
    diffusion_spectrum,
    entropy_surface,
    mutual_information,
    plotting,
    subsampled_entropy,
)
from dsentropy._core import Estimate
from dsentropy._spectrum.estimated import spectral_distribution

X = np.random.default_rng(0).normal(size=(80, 4))


@pytest.fixture
def ax():
    return matplotlib.figure.Figure().add_subplot()


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


def test_a_picture_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    for draw in [diffusion_spectrum(X).plot, entropy_surface(X, [1.0]).plot]:
        with pytest.raises(ImportError, match=r"dsentropy\[plot\]"):
            draw()


@pytest.mark.parametrize(
    ("draw", "argument", "error"),
    [
        (lambda: plotting.spectrum([np.nan, 1.0]), "eigenvalues", ValueError),
        (lambda: plotting.spectrum([0.0, 0.0]), "eigenvalues", ValueError),
        (lambda: plotting.spectrum([1.0], t=-1), "t", ValueError),
        (lambda: plotting.spectrum([1.0], t="x"), "t", TypeError),
        (lambda: plotting.estimate([1.0, 2.0], [1, 2]), "eigenvalues", ValueError),
        (lambda: plotting.differences([[1.0]], [[0.0]], [[2.0]], "A - B", 1), "labels", TypeError),
        (lambda: plotting.differences([[1.0]], [[0.0]], [[2.0]], [1], 1), "labels", TypeError),
        (lambda: plotting.differences([[1.0]], [[0.0]], [[2.0]], {"A - B": 1}, 1), "labels", TypeError),
        (lambda: plotting.differences([1.0], [[0.0]], [[2.0]], ["A - B"], 1), "values", ValueError),
        (lambda: plotting.differences([[1.0]], [[0.0]], [[2.0, 3.0]], ["A - B"], 1), "high", ValueError),
        (lambda: plotting.differences([[1.0]], [[0.0]], [[2.0]], ["A - B"], -1), "t", ValueError),
        (lambda: plotting.convergence([5], [[1.0]], [[0.1]], "t = 1"), "labels", TypeError),
        (lambda: plotting.convergence([5], [[1.0]], [[0.1]], [1]), "labels", TypeError),
        (lambda: plotting.convergence([5], [[1.0]], [[0.1]], {"t = 1"}), "labels", TypeError),
        (lambda: plotting.convergence([5.5], [[1.0]], [[0.1]], ["t = 1"]), "sizes", TypeError),
        (lambda: plotting.convergence([5], [1.0], [[0.1]], ["t = 1"]), "mean", ValueError),
        (lambda: plotting.convergence([5], [[1.0]], [0.1], ["t = 1"]), "standard_deviation", ValueError),
        (lambda: plotting.convergence([5], [[1.0]], [[0.1]], ["t = 1"], ylabel=1), "ylabel", TypeError),
        (lambda: plotting.estimate([np.inf, 2.0], [1, 2]), "eigenvalues", ValueError),
        (lambda: plotting.estimate([2.0, 1.0], [1]), "counts", ValueError),
        (lambda: plotting.estimate([2.0, 1.0], [2, 1]), "counts", ValueError),
        (lambda: plotting.estimate([2.0, 1.0], [1, 2], [0, np.nan]), "standard_errors", ValueError),
        (lambda: plotting.estimate([2.0, 1.0], [1, 2], t=-1), "t", ValueError),
        (lambda: plotting.surface([[1.0]], [1.0], [[1]]), "t", TypeError),
        (lambda: plotting.surface([[1.0]], [1.0], [np.inf]), "t", ValueError),
        (lambda: plotting.surface([[1.0]], [1.0], 1, margin=0.5), "margin", ValueError),
        (lambda: plotting.surface([[1.0]], [1.0], 1, max_entropy=3, margin=2), "margin", ValueError),
        (lambda: plotting.spectrum([1.0, None]), "eigenvalues", ValueError),
        (lambda: plotting.spectrum([1.0], title=3), "title", TypeError),
        (lambda: plotting.spectrum([1.0], ax=True), "ax", TypeError),
        (lambda: Spectrum([1.0]).plot(ax="axes"), "ax", TypeError),
        (lambda: plotting.estimate([2j], [1]), "eigenvalues", TypeError),
        (lambda: plotting.estimate([2.0], ["1"]), "counts", TypeError),
        (lambda: plotting.estimate([2.0], [1], {1}), "standard_errors", TypeError),
        (lambda: plotting.surface([["a"]], [1.0], 1), "values", TypeError),
        (lambda: plotting.surface([[1.0]], 1.0, 1), "bandwidths", TypeError),
        (lambda: plotting.surface([[1.0]], [1j], 1), "bandwidths", TypeError),
        (lambda: plotting.surface([[1.0]], [1.0], 1, max_entropy="3"), "max_entropy", TypeError),
        (lambda: plotting.information([1.0, 2.0], [1.0], [1, 2]), "standard_error", ValueError),
        (lambda: plotting.information([1.0, 2.0], [1.0], 1), "value", ValueError),
        (lambda: plotting.information([1.0], [1.0], 1, null=[]), "null", ValueError),
        (lambda: plotting.information([1.0], [1.0], 1, null=[1.0]), "null", ValueError),
        (lambda: plotting.information([1.0], [1.0], 1, ceiling=-1), "ceiling", ValueError),
        (lambda: plotting.subsampled([], [[[1.0]], [[2.0]]], 1), "values", ValueError),
        (lambda: plotting.subsampled([[[1.0]]], [[1.0], [2.0]], 1), "interval", ValueError),
        (lambda: plotting.subsampled([[["a"]]], [[[1.0]], [[2.0]]], 1), "values", TypeError),
        (lambda: plotting.subsampled([[[1.0]]], [[[1.0]], [[2.0]]], -1), "t", ValueError),
        (lambda: plotting.subsampled([[[1.0]]], [[[1.0]], [[2.0]]], 1, -1), "order", ValueError),
    ],
)
def test_bad_arguments_of_pictures_are_named(draw, argument, error):
    with pytest.raises(error, match=rf"^{argument} must "):
        draw()


def test_probabilities_are_of_powers_of_moduli_largest_first(ax):
    """Eigenvalues below n eps of the largest are rounding and have no place."""
    plotting.spectrum([0.5, -1.0, 1e-17, 0.25], t=[1, 2], ax=ax)
    for line, powers in zip(ax.get_lines(), [np.array([1, 0.5, 0.25]), np.array([1, 0.25, 0.0625])], strict=True):
        assert line.get_xdata().tolist() == [1, 2, 3]
        np.testing.assert_allclose(line.get_ydata(), powers / powers.sum(), rtol=1e-15)


def area(ranks, heights):
    """The area under a staircase, whose upright steps have none."""
    return float((np.diff(ranks) * heights[1:]).sum())


def test_an_estimate_is_a_staircase_whose_area_is_the_probability(ax):
    plotting.estimate([1.0, 0.5, 0.25], [1.0, 3.5, 8.0], [0.0, 0.5, 0.0], t=[1, 2], ax=ax)
    for line, powers in zip(ax.get_lines(), [np.array([1, 0.5, 0.25]), np.array([1, 0.25, 0.0625])], strict=True):
        ranks, heights = line.get_data()
        assert ranks.tolist() == [0, 1, 1, 3.5, 3.5, 8]
        np.testing.assert_allclose(heights, np.repeat(powers / (powers @ [1, 2.5, 4.5]), 2), rtol=1e-15)
        assert area(ranks, heights) == pytest.approx(1)
    band = ax.collections[0].get_paths()[0].vertices[:, 0]
    assert {2.5, 4.5} <= set(band.tolist())  # two standard errors about 3.5
    plotting.estimate([1.0], [5.0], ax=ax)
    assert len(ax.collections) == 2


ROWS = np.random.default_rng(0).normal(size=(1500, 6))


def test_an_estimated_spectrum_draws_the_ranks_of_the_exact_one(ax):
    """The largest eigenvalues are held by the Krylov space, each by a node of its own."""
    estimate = diffusion_spectrum(ROWS, bandwidth=2.0, solver=Stochastic(tol=1e-2))
    exact = diffusion_spectrum(ROWS, bandwidth=2.0)
    assert isinstance(estimate, EstimatedSpectrum)
    assert estimate.plot([1, 2], ax=ax) is ax
    assert ax.get_xlabel() == "estimated rank"
    ranks, heights = ax.get_lines()[0].get_data()
    assert ranks[-1] <= 1500 * (1 + 1e-12)
    assert area(ranks, heights) == pytest.approx(1)
    assert len(ax.collections) == 2
    p = exact.eigenvalues / exact.eigenvalues.sum()
    drawn = np.searchsorted(ranks, np.arange(20) + 0.5)
    np.testing.assert_allclose(heights[drawn], p[:20], rtol=1e-2)  # the tolerance of the estimate


def test_an_estimate_without_probes_has_no_standard_error():
    """All eigenvalues are held by the Krylov space."""
    found = diffusion_spectrum(ROWS, bandwidth=2.0, solver=Stochastic(tol=1e-2))._estimate
    arrays = found.to_arrays()
    alone = Estimate.from_arrays(found.info, arrays.known, arrays.deflated, arrays.probes[:0], arrays.steps[:1])
    moduli, ranks, errors = spectral_distribution(alone)
    assert not errors.any()
    assert ranks[-1] == pytest.approx(arrays.deflated[1][np.abs(arrays.deflated[0]) >= moduli[-1]].sum())


def test_probes_that_the_deflated_eigenvectors_span_count_nothing():
    """Of two rows, a random sign vector is one of the two eigenvectors, up to scale."""
    estimated = adjacency_spectrum([[0.0, 0.0], [1.0, 2.0]], bandwidth=5.3, solver="stochastic")
    assert isinstance(estimated, EstimatedSpectrum)
    _, ranks, errors = spectral_distribution(estimated._estimate)
    assert ranks.tolist() == [1.0, 2.0]
    assert errors.tolist() == [0.0, 0.0]


def test_a_spectrum_draws_what_its_array_draws(ax):
    spectrum = diffusion_spectrum(X)
    spectrum.plot([1, 2], ax=ax)
    other = matplotlib.figure.Figure().add_subplot()
    plotting.spectrum(spectrum.eigenvalues, [1, 2], title="spectrum of 80 samples", ax=other)
    for one, two in zip(ax.get_lines(), other.get_lines(), strict=True):
        assert np.array_equal(one.get_xydata(), two.get_xydata())
    assert ax.get_title() == other.get_title()


@pytest.mark.parametrize("eigenvalues", [[], [[1.0, 0.5]], 3.0])
def test_eigenvalues_that_are_no_vector_are_refused(eigenvalues, ax):
    with pytest.raises(ValueError, match="eigenvalues must be a vector"):
        plotting.spectrum(eigenvalues, ax=ax)


def test_lines_of_a_surface_run_in_order_of_the_bandwidth(ax):
    plotting.surface([[2.0], [3.0], [1.0]], [1.0, 0.1, 10.0], 1, max_entropy=3, title="entropies", ax=ax)
    line, _ = ax.get_lines()  # the other one is at log2 N
    assert line.get_xydata().tolist() == [[0.1, 3.0], [1.0, 2.0], [10.0, 1.0]]
    assert (ax.get_xscale(), ax.get_title(), ax.get_legend()) == ("log", "entropies", None)
    shaded = sorted(patch.get_y() for patch in ax.patches)
    assert shaded == pytest.approx([-0.15, 0.98 * 3])


def test_without_a_maximum_nothing_is_shaded(ax):
    plotting.surface([[2.0, 1.0]], [1.0], [1, 2], ax=ax)
    assert (len(ax.get_lines()), len(ax.patches)) == (2, 0)
    assert len(ax.get_legend().get_texts()) == 2


def test_bandwidths_with_names_are_levels(ax):
    """A bandwidth that differs from row to row has no place among numbers."""
    plotting.surface([[2.0], [1.0], [3.0], [2.5]], [5.0, "knn", "adaptive 2", 1.0], 1, ax=ax)
    line, *levels = ax.get_lines()
    assert line.get_xydata().tolist() == [[1, 2.5], [5, 2]]
    assert [(level.get_label(), *level.get_ydata()) for level in levels] == [("knn", 1, 1), ("adaptive 2", 3, 3)]
    assert levels[0].get_linestyle() != levels[1].get_linestyle()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["t = 1", "knn", "adaptive 2"]
    assert ax.get_xscale() == "log"


def test_bandwidths_none_of_which_is_a_number_are_points_in_the_order_given(ax):
    null = np.array([[[1.0], [2.0], [0.0]], [[3.0], [2.0], [0.0]]])
    plotting.surface([[2.0], [1.0], [3.0]], ["adaptive 1", "knn", 0.0], 1, null=null, ax=ax)
    line = ax.get_lines()[0]
    assert line.get_xydata().tolist() == [[0, 2], [1, 1], [2, 3]]
    assert line.get_linestyle() == "None"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["adaptive 1", "knn", "0"]
    (bars,) = ax.containers
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    np.testing.assert_allclose(ends, [[2 - 8**0.5, 2 + 8**0.5], [2, 2], [0, 0]], atol=1e-15)


def test_the_null_of_a_level_is_a_band_across_all_bandwidths(ax):
    null = np.array([[[1.0], [2.0]], [[3.0], [2.2]]])
    plotting.surface([[2.0], [1.0]], ["knn", 1.0], 1, null=null, ax=ax)
    (band,) = ax.patches
    assert (band.get_y(), band.get_height()) == pytest.approx((2 - 8**0.5, 2 * 8**0.5))


def test_of_labels_that_would_overlap_the_first_is_shown(ax):
    plotting.surface([[1.0]] * 4, [1.0, 1.01, 100.0, 10.0], 1, ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "", "100", "10"]


def test_values_of_another_shape_are_refused(ax):
    with pytest.raises(ValueError, match=r"values must have the shape \(2, 1\), got \(1, 2\)"):
        plotting.surface([[1.0, 2.0]], [1.0, 2.0], 1, ax=ax)


def test_many_bandwidths_are_not_labelled_one_by_one(ax):
    plotting.surface(np.zeros((13, 1)), np.geomspace(1, 100, 13), 1, ax=ax)
    assert len(ax.get_xticks(minor=True)) > 0


def test_values_beyond_float64_are_gaps(ax):
    plotting.surface(np.full((1, 1), np.longdouble("1e4000")), [1.0], 1, ax=ax)
    assert np.isnan(ax.get_lines()[0].get_ydata()).all()


@pytest.mark.parametrize(("t", "order"), [(1, 1), ([1, 2, 3], [1, 2]), (2, [0.5, 1, 2])])
def test_subsets_are_drawn_with_the_interval_of_their_mean(ax, t, order):
    found = subsampled_entropy(X, n_samples=30, n_repeats=5, bandwidth=1.0, t=t, order=order)
    assert found.plot(ax=ax) is ax
    low, high = np.reshape(found.interval, (2, len(found.t), len(found.order)))
    for place, bars in enumerate(ax.containers):
        _, _, (reach,) = bars
        ends = np.array([segment[:, 1] for segment in reach.get_segments()])
        np.testing.assert_allclose(ends, np.stack([low, high], axis=-1)[:, place], rtol=1e-14)
        assert bars.get_label() == f"order {found.order[place]:g}"
    assert len(ax.containers) == len(found.order)
    dots = [line.get_ydata() for line in ax.get_lines() if line.get_marker() == "."]
    assert np.sort(np.ravel(dots)).tolist() == np.sort(found.values, axis=None).tolist()
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{each:g}" for each in found.t]


def test_of_many_times_some_have_a_tick(ax):
    plotting.subsampled(np.ones((2, 100, 1)), np.ones((2, 100, 1)), np.arange(100), ax=ax)
    assert len(ax.get_xticks()) == 12


@pytest.mark.parametrize("t", [1, [1, 2, 3]])
@pytest.mark.parametrize(("n_repeats", "n_permutations"), [(20, 0), (20, 39), (1, 0)])
def test_information_is_drawn_beside_that_of_permutations(ax, t, n_repeats, n_permutations):
    labels = np.arange(80) % 2
    found = mutual_information(
        X + 2 * labels[:, None], labels, t=t, n_repeats=n_repeats, n_permutations=n_permutations, bandwidth=1.0
    )
    assert found.plot(ax=ax) is ax
    (bars,) = [one for one in ax.containers if one.get_label() == "information, standard error"]
    value, error = np.ravel(found.value), np.nan_to_num(np.ravel(found.standard_error))
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    np.testing.assert_allclose(ends, np.stack([value - error, value + error], axis=1), rtol=1e-14)
    assert bars[0].get_ydata().tolist() == value.tolist()
    ranges = [(patch.get_y(), patch.get_y() + patch.get_height()) for patch in ax.patches]
    if not n_permutations:
        assert ranges == []
    else:
        expected = np.quantile(found.null.reshape(39, -1), [0.025, 0.975], axis=0).T
        np.testing.assert_allclose(ranges, expected, rtol=1e-12)
    assert "ceiling" in [text.get_text() for text in ax.get_legend().get_texts()]
    plotting.information([1.0], [0.1], 1, ax=(bare := matplotlib.figure.Figure().add_subplot()))
    assert "ceiling" not in [text.get_text() for text in bare.get_legend().get_texts()]


def test_many_lines_and_sizes_have_ticks_and_colours_of_matplotlib(ax):
    """Beyond 10 times colours are those of the cycle; beyond 12 sizes ticks are powers of 2."""
    times = np.arange(1.0, 13.0)
    plotting.differences([times], [times - 1], [times + 1], ["A - B"], times, ax=ax)
    assert len([line for line in ax.get_lines() if line.get_label().startswith("t = ")]) == 12
    sizes = range(1, 14)
    axes = plotting.convergence(
        sizes, np.ones((13, 1)), np.ones((13, 1)), ["t = 1"], ax=matplotlib.figure.Figure().add_subplot()
    )
    assert len(axes.get_xticks()) != 13


def test_layers_need_arrays_of_one_shape_and_both_numbers_of_a_null():
    with pytest.raises(ValueError, match=r"values must have the shape \(2, 1\), got \(1, 1\)"):
        plotting.layers([[1.0]], ["a", "b"], 1)
    with pytest.raises(ValueError, match="null_standard_deviation must be given where null_mean is"):
        plotting.layers([[1.0]], ["a"], 1, null_mean=[[1.0]])
    with pytest.raises(ValueError, match="null_mean must be given where null_standard_deviation is"):
        plotting.layers([[1.0]], ["a"], 1, null_standard_deviation=[[1.0]])
    with pytest.raises(TypeError, match="names must be a sequence of strings"):
        plotting.layers([[1.0]], [1], 1)
    with pytest.raises(TypeError, match="ylabel must be a string"):
        plotting.layers([[1.0]], ["a"], 1, ylabel=1)


NULL = np.ones((3, 2, 1))


@pytest.mark.parametrize(
    ("draw", "text"),
    [
        (lambda ax: plotting.null_baseline([[1.0]], NULL, [1, 2], ax=ax), r"values must have the shape \(2, 1\)"),
        (lambda ax: plotting.null_baseline([[1.0], [2.0]], NULL[:1], [1, 2], ax=ax), "null must have the shape"),
        (lambda ax: plotting.null_baseline([[1.0], [2.0]], NULL[0], [1, 2], ax=ax), "null must have the shape"),
        (
            lambda ax: plotting.surface([[1.0], [2.0]], [1.0, 2.0], 1, null=NULL[:1], ax=ax),
            "null must have the shape",
        ),
        (lambda ax: plotting.structure([[1.0]], [[1.0]], [0.0], ax=ax), "multiples must be positive"),
        (lambda ax: plotting.structure([[1.0]], [[1.0]], [[1.0]], ax=ax), "multiples must be positive"),
        (lambda ax: plotting.structure([1.0], [[1.0]], [1.0], ax=ax), "structures must have the shape"),
        (lambda ax: plotting.structure([[1.0]], [[1.0, 2.0]], [1.0], ax=ax), "spreads must have the shape"),
        (lambda ax: plotting.structure([[1.0]], [[1.0]], [1.0], labels=["a", "b"], ax=ax), "labels must have one"),
    ],
)
def test_pictures_of_nulls_refuse_other_shapes(ax, draw, text):
    with pytest.raises(ValueError, match=text):
        draw(ax)


def test_names_of_layers_are_strings(ax):
    for labels in ["ab", [1]]:
        with pytest.raises(TypeError, match="labels must be a sequence of strings"):
            plotting.structure([[1.0]], [[1.0]], [1.0], labels=labels, ax=ax)


def test_a_structure_is_drawn_without_a_suggestion(ax):
    plotting.structure([[1.0, 2.0]], [[1.0, 1.0]], [1.0, 2.0], ax=ax)
    assert len(ax.get_lines()) == 2
    assert ax.get_legend() is None


def test_a_maximum_of_the_entropy_is_at_most_that_of_all_floats():
    values = [[1.0], [2.0]]
    with pytest.raises(ValueError, match=r"^max_entropy must be at most 1024 bits, got 1e\+308$"):
        plotting.surface(values, [1.0, 2.0], 1, max_entropy=1e308)
    with pytest.raises(ValueError, match=r"^ceiling must be at most 1024 bits, got 2000$"):
        plotting.information([1.0], [0.1], 1, ceiling=2000)


@pytest.mark.parametrize("name", ["values", "null"])
def test_readings_that_are_drawn_do_not_overflow(name):
    """Numbers near the largest one overflow in standard deviations and in matplotlib; infinite ones are gaps."""
    arrays = {"values": np.ones((2, 1)), "null": np.arange(6.0).reshape(3, 2, 1)}
    with pytest.raises(ValueError, match=rf"^{name} must be at most 1e\+150 in modulus, to be drawn$"):
        plotting.null_baseline(**{**arrays, name: arrays[name] + 1e300}, t=[1, 2])
    axes = plotting.null_baseline(**{**arrays, name: arrays[name] * [[1], [np.inf]]}, t=[1, 2])
    assert any(np.isnan(line.get_ydata()).any() for line in axes.get_lines())


@pytest.mark.parametrize("arguments", [{"multiples": [0.1, 1e200]}, {"suggested": 1e308}])
def test_bandwidths_that_are_drawn_do_not_overflow(arguments):
    given = {"structures": np.ones((1, 2)), "spreads": np.ones((1, 2)), "multiples": [0.1, 1.0], **arguments}
    with pytest.raises(ValueError, match=rf"^{next(iter(arguments))} must be at most 1e\+150 in modulus"):
        plotting.structure(**given)
