"""Thumbnails of spectra in notebooks, and colours of what a notebook shows."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from dsentropy import (
    Spectrum,
    Stochastic,
    compare,
    convergence,
    diffusion_spectrum,
    entropy_surface,
    layer_entropies,
    mutual_information,
    null_baseline,
    population_interval,
    subsampled_entropy,
    suggest_bandwidth,
)
from dsentropy._results.thumbnail import thumbnail
from dsentropy.monitor import Monitor

X = np.random.default_rng(0).normal(size=(40, 3))
SVG = "{http://www.w3.org/2000/svg}"


def corners(svg):
    """The corners of the staircase: where each step is, and where it ends."""
    path = ElementTree.fromstring(svg).find("path").get("d")
    start, *steps = re.findall(r"M1 (\d+)|V(\d+)H(\d+)", path)
    return int(start[0]), np.array([[int(down), int(right)] for _, down, right in steps])


def test_a_step_has_the_logarithm_of_its_eigenvalue_as_height():
    """Of 48 pixels 46 are from the largest to the smallest one: 3 decades. Of 160, 158 are the 4 ranks."""
    start, steps = corners(thumbnail(np.array([1.0, 0.1, 1e-3, 1e-17]), np.arange(1.0, 5), 1e-15))
    assert start == 1
    assert steps[:, 0].tolist() == [1, 1 + round(46 / 3), 47]
    assert steps[:, 1].tolist() == [1 + round(158 / 3), 1 + round(2 * 158 / 3), 159]


def test_a_flat_spectrum_is_a_flat_line():
    for n in (1, 5, 1000):
        _, steps = corners(Spectrum(np.ones(n))._picture())
        assert set(steps[:, 0]) == {1}
        assert steps[-1, 1] == 159


@pytest.mark.parametrize("n", [39, 40, 41, 3000])
def test_many_eigenvalues_are_a_line_of_few_hundred_bytes_through_all_ranks(n):
    svg = Spectrum(np.geomspace(1, 1e-9, n))._picture()
    assert len(svg) < 700
    _, steps = corners(svg)
    assert len(steps) <= 40
    # the logarithm falls evenly with the rank, up to the rounding to pixels and one rank
    np.testing.assert_allclose((steps[:, 0] - 1) / 46, (steps[:, 1] - 1) / 158, atol=1 / 46 + 1 / n)


def test_the_title_has_the_numbers_at_both_ends():
    svg = Spectrum([0.75, 0.25])._picture()
    assert "p on a logarithmic scale, 0.75 to 0.25, by rank, 1 to 2" in svg


def test_an_estimate_is_drawn_from_its_nodes():
    rows = np.random.default_rng(0).normal(size=(1500, 6))
    estimate = diffusion_spectrum(rows, bandwidth=2.0, solver=Stochastic(tol=1e-2), num_threads=1)
    exact = diffusion_spectrum(rows, bandwidth=2.0)
    assert estimate.parameters["solver"] == "stochastic"
    largest = [re.search(r"scale, (\S+) to", one._picture()).group(1) for one in (estimate, exact)]
    assert largest[0] == largest[1]
    assert "by rank, 1 to 1500" in estimate._picture()


def results():
    with Monitor(num_threads=1) as monitor:
        monitor.observe(0, {"<b>layer</b>": X})
    labels = np.arange(40) % 2
    yield diffusion_spectrum(X)
    yield diffusion_spectrum(X, solver="stochastic")
    yield entropy_surface(X, [1.0, 2.0])
    yield mutual_information(X, labels, n_repeats=2, bandwidth=1.0)
    yield subsampled_entropy(X, n_samples=20, n_repeats=2, bandwidth=1.0)
    yield compare(X, X[::-1], n_samples=20, n_repeats=3)
    yield convergence(X, sizes=[10, 20], n_repeats=2)
    yield layer_entropies({"a": X})
    yield null_baseline(X, n_draws=2)
    yield population_interval(X, n_repeats=3)
    yield suggest_bandwidth(X, n_draws=2)
    yield monitor.records
    yield monitor.curves("dse")
    yield monitor.profile("dse")


@pytest.mark.filterwarnings("ignore::UserWarning")  # of samples this small; not what is tested
def test_each_result_has_html_that_leaves_colours_to_the_notebook():
    """What has no colour of its own is read on light and on dark pages."""
    shown = [result._repr_html_() for result in results()]
    assert len(shown) == 14
    for text in shown:
        ElementTree.fromstring(text)  # each tag is closed
        assert set(re.findall(r'(?:stroke|fill|color|background)[\w-]*[:=]"?([\w#]+)', text)) <= {
            "none",
            "currentColor",
        }
    assert ["<svg" in text for text in shown] == [True] * 2 + [False] * 12
    assert "&lt;b&gt;layer&lt;/b&gt;" in shown[11]
