"""What an import does, and what it offers."""

import ast
import importlib.metadata
import inspect
import json
import sys
from pathlib import Path

import dse_dsmi
import dsentropy
import numpy as np
import pytest
from dsentropy import _core

FUNCTIONS = [
    "adjacency_spectral_entropy",
    "adjacency_spectral_mutual_information",
    "diffusion_spectral_entropy",
    "diffusion_spectral_mutual_information",
]

NEW_FUNCTIONS = [
    "adjacency_spectrum",
    "compare",
    "convergence",
    "conditional_mutual_information",
    "covariance_spectrum",
    "diffusion_spectrum",
    "entropy_surface",
    "estimate_bandwidth",
    "kernel_spectrum",
    "layer_entropies",
    "mutual_information",
    "nearest_neighbors",
    "null_baseline",
    "population_interval",
    "subsampled_entropy",
    "suggest_bandwidth",
]


@pytest.fixture
def import_changes(run_python):
    """Evaluates an expression before and after `import dsentropy`, in a process that has NumPy and `modules`."""

    def evaluate(expression, modules="sys"):
        program = f"""
            import sys
            import {modules}
            import numpy as np
            observe = lambda: {expression}
            before = observe()
            import dsentropy
            after = observe()
            import json
            print(json.dumps([before, after]))
        """
        return json.loads(run_python(program))

    return evaluate


def test_import_loads_no_package_but_numpy(import_changes):
    before, after = import_changes("list(sys.modules)")
    packages = {name.split(".")[0] for name in set(after) - set(before)}
    assert "dsentropy" in packages
    assert "dsentropy.monitor" not in after
    assert packages - sys.stdlib_module_names <= {"dsentropy", "numpy"}


def test_modules_are_loaded_when_a_name_is_first_used(run_python):
    program = """
        import sys
        import dsentropy
        print("numpy" in sys.modules, "dsentropy._core" in sys.modules)
        for name in dsentropy.__all__:
            assert name in dir(dsentropy)
            assert getattr(dsentropy, name) is vars(dsentropy)[name]
        print(callable(dsentropy.io.read_embeddings), callable(dsentropy.plotting.layers), dsentropy._checks.__name__)
        try:
            dsentropy.none
        except AttributeError as error:
            print(error)
    """
    lines = run_python(program)
    assert lines.splitlines() == [
        "False True",
        "True True dsentropy._checks",
        "module 'dsentropy' has no attribute 'none'",
    ]


def test_type_checkers_see_the_names_that_are_loaded_later():
    source = ast.parse(Path(dsentropy.__file__).read_text(encoding="utf-8"))
    seen = {
        alias.name: node.module.removeprefix("dsentropy.")
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.module != "importlib"
        for alias in node.names
    }
    assert seen == {**dsentropy._MODULES, "__version__": "_core"}
    assert sorted(seen) == dsentropy.__all__
    assert dsentropy.__getattr__("compare") is dsentropy.compare
    assert dsentropy.__getattr__("io") is dsentropy.io
    assert not hasattr(dsentropy, "none")


def test_import_loads_few_modules_of_the_standard_library(import_changes):
    before, after = import_changes("list(sys.modules)")
    heavy = {"asyncio", "concurrent", "ctypes", "logging", "multiprocessing", "random", "zipfile"}
    assert not {name.split(".")[0] for name in set(after) - set(before)} & heavy


@pytest.mark.parametrize(
    ("modules", "expression"),
    [
        ("warnings", "list(map(str, warnings.filters))"),
        ("random", "random.getstate()"),
        ("sys", "[int(part) for part in np.random.get_state()[1]]"),
        ("os", "dict(os.environ)"),
        ("sys", "dict(np.geterr())"),
        ("sys", "[str(sys.excepthook), str(sys.displayhook), sys.getrecursionlimit()]"),
        ("signal", "[str(signal.getsignal(number)) for number in signal.valid_signals()]"),
        ("logging", "[len(logging.root.handlers), list(logging.root.manager.loggerDict)]"),
    ],
)
def test_import_changes_nothing_else(import_changes, modules, expression):
    before, after = import_changes(expression, modules)
    assert before == after


def test_import_prints_nothing(run_python):
    assert run_python("import dsentropy") == ""


def test_import_with_warnings_as_errors(run_python):
    assert run_python("import warnings; warnings.simplefilter('error'); import dsentropy; print('done')") == "done\n"


def test_import_without_docstrings_and_assertions(run_python):
    """As with `python -OO`."""
    run_python(
        "import subprocess, sys; subprocess.run([sys.executable, '-OO', '-c', 'import dsentropy'], check=True)"
    )


@pytest.mark.linux
def test_import_starts_no_thread_of_ours(import_changes):
    threads = "[open(path).read().strip() for path in glob.glob('/proc/self/task/*/comm')]"
    _, after = import_changes(threads, "glob")
    assert after
    assert not [name for name in after if name.startswith("dsentropy")]


def test_public_names_are_listed_in_order():
    names = dsentropy.__all__
    assert names == sorted(names)
    assert len(set(names)) == len(names)
    modules = {"cli", "io", "monitor", "plotting"}  # from when they are imported
    assert {name for name in dir(dsentropy) if not name.startswith("_")} - modules == set(names) - {"__version__"}
    classes = [
        "BandwidthSuggestion",
        "EntropySurface",
        "EstimatedSpectrum",
        "LayerEntropies",
        "MutualInformation",
        "NullBaseline",
        "Spectrum",
        "SubsampledEntropy",
    ]
    classes += [
        "Comparison",
        "ConditionalMutualInformation",
        "PopulationInterval",
        "Convergence",
        "BandwidthWarning",
        "NeighborWarning",
        "SaturationWarning",
        "Stochastic",
        "SubsetWarning",
        "TargetWarning",
        "ToleranceWarning",
    ]
    assert set(names) == {"__version__", *FUNCTIONS, *NEW_FUNCTIONS, *classes}


def test_star_import_gives_the_public_names():
    names = {}
    exec("from dsentropy import *", names)
    assert set(names) - {"__builtins__"} == set(dsentropy.__all__)


def test_version_is_that_of_the_distribution():
    assert dsentropy.__version__ == importlib.metadata.version("dsentropy") == _core.__version__


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_begin_with_those_of_the_reference(name):
    theirs = list(inspect.signature(getattr(dse_dsmi, name)).parameters.values())
    ours = list(inspect.signature(getattr(dsentropy, name)).parameters.values())

    def shared(parameters):
        return [(parameter.name, parameter.default, parameter.kind) for parameter in parameters]

    assert shared(ours[: len(theirs)]) == shared(theirs)
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in ours[len(theirs) :])
    assert all(parameter.default is not parameter.empty for parameter in ours[len(theirs) :])


@pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")  # of zeros and ones at the default bandwidth
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8, bool])
def test_entropies_are_floats(dtype):
    X = np.random.default_rng(0).integers(0, 2, size=(30, 3)).astype(dtype)
    for flags in [{}, {"classic_shannon_entropy": True}, {"matrix_entry_entropy": True}]:
        assert type(dsentropy.diffusion_spectral_entropy(X, **flags)) is float
    for flags in [{}, {"anisotropic": True}, {"use_knn": True}]:
        assert type(dsentropy.adjacency_spectral_entropy(X, **flags)) is float


def test_entropies_of_files_are_floats(tmp_path):
    X = np.random.default_rng(0).normal(size=(30, 3))
    path = tmp_path / "eigenvalues"
    assert type(dsentropy.diffusion_spectral_entropy(X, eigval_save_path=path)) is float
    assert type(dsentropy.diffusion_spectral_entropy(X, eigval_save_path=path)) is float


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.endswith("information")])
@pytest.mark.parametrize("kind", ["labels", "list", "strings", "numbers", "vectors", "precomputed"])
def test_informations_are_pairs_of_a_float_and_an_array(name, kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    labels = rng.integers(0, 2, size=40)
    arguments = {
        "labels": [labels],
        "list": [labels.tolist()],
        "strings": [labels.astype(str).tolist()],
        "numbers": [X[:, 0].tolist(), None, 10],
        "vectors": [X.tolist()],
        "precomputed": [None],
    }[kind]
    options = {"precomputed_clusters": labels.tolist()} if kind == "precomputed" else {"n_clusters": 2}
    result = getattr(dsentropy, name)(X, *arguments, **options)
    assert type(result) is tuple
    assert list(map(type, result)) == [float, np.ndarray]
