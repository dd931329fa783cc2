"""Each argument of each public function, with values that few of them take: an error names the argument.

The arguments are those of ``inspect.signature``, so a new one is tested without a line here; a new function fails the
test until it has a call below.
"""

import inspect
import itertools
import random
import re
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import dsentropy
import numpy as np
import pytest
from dsentropy import Spectrum, Stochastic, diffusion_spectrum, entropy_surface, plotting
from matplotlib.figure import Figure

FILE = Path(__file__).parent.parent / "io" / "data" / "spectrum-format-1.npz"
X = np.random.default_rng(0).normal(size=(12, 2))
LABELS = np.repeat([0, 1], 6)
SPECTRUM = Spectrum([1.0, 0.5, 0.25])
ESTIMATE = diffusion_spectrum(np.random.default_rng(0).normal(size=(600, 3)), bandwidth=0.5, solver="stochastic")
SURFACE = entropy_surface(X, [1.0, 2.0])


def fail(*arguments, **named):
    raise ZeroDivisionError("broken")


METHODS = [
    "__array__",
    "__bool__",
    "__eq__",
    "__float__",
    "__fspath__",
    "__getitem__",
    "__index__",
    "__iter__",
    "__len__",
]
METHODS += ["__complex__", "__int__", "__repr__", "__str__", "dtype", "ndim", "shape", "detach"]


def broken(*methods):
    """Make an object whose methods, or properties, raise what no caller expects."""
    names = {name: fail if name.startswith("__") else property(fail) for name in methods}
    return type("Broken", (), {"__hash__": None, **names})()


CALLS = {
    "Spectrum": (Spectrum, {"eigenvalues": [1.0, 0.5]}),
    "Stochastic": (Stochastic, {}),
    "adjacency_spectral_entropy": (dsentropy.adjacency_spectral_entropy, {"embedding_vectors": X}),
    "adjacency_spectral_mutual_information": (
        dsentropy.adjacency_spectral_mutual_information,
        {"embedding_vectors": X, "reference_vectors": X[:, 0], "precomputed_clusters": LABELS},
    ),
    "adjacency_spectrum": (dsentropy.adjacency_spectrum, {"X": X}),
    "compare": (dsentropy.compare, {"A": X, "B": X, "n_samples": 6}),
    "convergence": (dsentropy.convergence, {"X": X, "sizes": [4, 6]}),
    "conditional_mutual_information": (
        dsentropy.conditional_mutual_information,
        {"X": X, "target": LABELS, "given": LABELS},
    ),
    "covariance_spectrum": (dsentropy.covariance_spectrum, {"X": X}),
    "diffusion_spectral_entropy": (dsentropy.diffusion_spectral_entropy, {"embedding_vectors": X}),
    "diffusion_spectral_mutual_information": (
        dsentropy.diffusion_spectral_mutual_information,
        {"embedding_vectors": X, "reference_vectors": X[:, 0], "precomputed_clusters": LABELS},
    ),
    "diffusion_spectrum": (diffusion_spectrum, {"X": X}),
    "entropy_surface": (entropy_surface, {"X": X, "bandwidths": [1.0]}),
    "estimate_bandwidth": (dsentropy.estimate_bandwidth, {"X": X}),
    "kernel_spectrum": (dsentropy.kernel_spectrum, {"K": np.eye(4)}),
    "layer_entropies": (dsentropy.layer_entropies, {"layers": {"a": X}}),
    "mutual_information": (dsentropy.mutual_information, {"X": X, "target": LABELS}),
    "nearest_neighbors": (dsentropy.nearest_neighbors, {"X": X, "n_neighbors": 2}),
    "null_baseline": (dsentropy.null_baseline, {"X": X}),
    "population_interval": (dsentropy.population_interval, {"X": X, "n_repeats": 2}),
    "suggest_bandwidth": (dsentropy.suggest_bandwidth, {"X": X, "n_draws": 2}),
    "subsampled_entropy": (dsentropy.subsampled_entropy, {"X": X, "n_samples": 6}),
    "plotting.spectrum": (plotting.spectrum, {"eigenvalues": [1.0, 0.5]}),
    "plotting.estimate": (plotting.estimate, {"eigenvalues": [1.0, 0.5], "counts": [1.0, 2.0]}),
    "plotting.layers": (plotting.layers, {"values": [[1.0]], "names": ["a"], "t": 1}),
    "plotting.null_baseline": (plotting.null_baseline, {"values": [[1.0]], "null": [[[0.0]], [[2.0]]], "t": 1}),
    "plotting.information": (plotting.information, {"value": [1.0], "standard_error": [0.1], "t": 1}),
    "plotting.structure": (plotting.structure, {"structures": [[1.0]], "spreads": [[0.1]], "multiples": [1.0]}),
    "plotting.subsampled": (plotting.subsampled, {"values": [[[1.0]]], "interval": [[[0.0]], [[2.0]]], "t": 1}),
    "plotting.convergence": (
        plotting.convergence,
        {"sizes": [4], "mean": [[1.0]], "standard_deviation": [[0.1]], "labels": ["t = 1"]},
    ),
    "plotting.differences": (
        plotting.differences,
        {"values": [[1.0]], "low": [[0.5]], "high": [[2.0]], "labels": ["A - B"], "t": 1},
    ),
    "plotting.clusters": (plotting.clusters, {"values": [[1.0]], "names": ["a"], "t": 1}),
    "plotting.profile": (plotting.profile, {"layers": ["a"], "values": [[1.0]], "steps": [0]}),
    "plotting.training": (plotting.training, {"steps": [0], "values": [[1.0]], "layers": ["a"]}),
    "plotting.training_map": (plotting.training_map, {"steps": [0], "values": [[1.0]], "layers": ["a"]}),
    "plotting.surface_map": (
        plotting.surface_map,
        {"values": [[1.0]], "bandwidths": [1.0], "t": 1, "max_entropy": 2.0},
    ),
    "plotting.surface": (plotting.surface, {"values": [[1.0]], "bandwidths": [1.0], "t": 1, "max_entropy": 2.0}),
}
for of in (SPECTRUM, ESTIMATE, SURFACE):
    for method in (
        "bounds",
        "count",
        "effective_rank",
        "entropy",
        "participation_ratio",
        "plot",
        "saturation",
        "to_dict",
        "to_pandas",
    ):
        if hasattr(of, method):
            needed = {"threshold": 0.5} if method == "count" else {}
            CALLS[f"{type(of).__name__}.{method}"] = (getattr(of, method), needed)
CALLS["Spectrum.standard_error"] = (SPECTRUM.standard_error, {})
CALLS["Spectrum.save"] = (SPECTRUM.save, {"path": "/nowhere/else"})
CALLS["Spectrum.load"] = (Spectrum.load, {"path": FILE})

VALUES = {
    "object": object(),
    "broken": broken(*METHODS[:13]),
    **{f"broken {method}": broken(method) for method in METHODS},
    "text": "no such value",
    "False": "False",
    "bytes": b"\xff",
    "negative": -1,
    "negative fraction": -0.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "complex": 1j,
    "long": 10**5000,
    "long and negative": -(10**5000),
    "long fraction": Fraction(10**5000, 3),
    "signalling NaN": Decimal("sNaN"),
    "array of bools": np.array([True, False]),
    "matrix": np.array([[[1.0, 2.0]]]),
    "long integers": [10**5000, 1],
    "objects": [object(), broken(*METHODS)],
    "broken entry": [1.0, broken(*METHODS)],
    "empty": [],
    "mapping": {"a": 1},
    "masked": np.ma.masked,
    "None": None,
    "two": 2,
    "generator": "a generator",
    "endless": "an endless iterator",
}


def value_of(kind):
    if kind == "generator":
        return (1 / number for number in (1, 0))
    return itertools.count(1) if kind == "endless" else VALUES[kind]


def test_each_public_function_has_a_call():
    classes = {
        "ConditionalMutualInformation",
        "BandwidthSuggestion",
        "BandwidthWarning",
        "Comparison",
        "Convergence",
        "PopulationInterval",
        "EntropySurface",
        "EstimatedSpectrum",
        "LayerEntropies",
        "MutualInformation",
        "NullBaseline",
        "SubsampledEntropy",
        "__version__",
    }
    warned = {name for name in dsentropy.__all__ if name.endswith("Warning")}
    assert set(dsentropy.__all__) - classes - warned <= set(CALLS)


def annotation_of(name, argument):
    return inspect.signature(CALLS[name][0]).parameters[argument].annotation


PAIRS = [(name, argument) for name, (f, _) in CALLS.items() for argument in inspect.signature(f).parameters]


def error_of(function, given):
    """Return the exception of a call, None where there is none; Python's global generator is put back."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            function(**given)
    except Exception as error:
        return error
    finally:
        random.setstate(state)
    return None


@pytest.mark.parametrize(("name", "argument"), PAIRS, ids=[".".join(pair) for pair in PAIRS])
def test_an_error_names_the_argument(name, argument, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # some values are names of files
    function, needed = CALLS[name]
    for kind in VALUES:
        given = {**needed, argument: value_of(kind)}
        if "ax" in inspect.signature(function).parameters and argument != "ax":
            given["ax"] = Figure().add_subplot()
        error = error_of(function, given)
        if isinstance(error, OSError):
            assert argument in ("path", "eigval_save_path"), kind
        elif error is not None:
            assert isinstance(error, (TypeError, ValueError, MemoryError)), f"{kind}: {error!r}"
            assert re.search(rf"\b{argument}\b", str(error)), f"{kind}: {error!r}"
            assert len(str(error)) < 5000, kind


FLAGS = [pair for pair in PAIRS if str(annotation_of(*pair)) in ("bool", "bool | None")]


@pytest.mark.parametrize(("name", "argument"), FLAGS, ids=[".".join(pair) for pair in FLAGS])
def test_a_flag_that_is_no_bool_is_refused(name, argument):
    function, needed = CALLS[name]
    for value in ("False", "", 0, 1, [], np.array(True), np.array([True, False]), object(), broken(*METHODS)):
        with pytest.raises(TypeError, match=rf"^{argument} must be True(, False or None| or False), got "):
            function(**{**needed, argument: value})
