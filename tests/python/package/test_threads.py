"""Threads do not show in a value, and leave nothing behind.

Whatever could hang or die runs in a process of its own, which is killed if it does not end.
"""

import concurrent.futures
import json
import math
import os
import threading

import numpy as np
import pytest
from dsentropy import (
    _core,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
    diffusion_spectrum,
)
from thread_programs import SETUP
from threadpoolctl import ThreadpoolController, threadpool_limits

pytestmark = pytest.mark.serial

RNG = np.random.default_rng(0)
X = RNG.normal(scale=5, size=(650, 6))  # from 600 rows on one problem is worth several threads
SMALL = X[:260]
LABELS = RNG.integers(0, 4, size=len(SMALL))

CALLS = {
    "DSE": lambda n: diffusion_spectral_entropy(X, num_threads=n),
    "DSE float32": lambda n: diffusion_spectral_entropy(X.astype(np.float32), t=3, num_threads=n),
    "entries": lambda n: diffusion_spectral_entropy(X, matrix_entry_entropy=True, num_threads=n),
    "bins": lambda n: diffusion_spectral_entropy(X, classic_shannon_entropy=True, num_threads=n),
    "ASE": lambda n: adjacency_spectral_entropy(X, num_threads=n),
    "kNN": lambda n: adjacency_spectral_entropy(SMALL, use_knn=True, num_threads=n),
    "large kNN": lambda n: adjacency_spectral_entropy(X, use_knn=True, num_threads=n),
    "DSMI": lambda n: diffusion_spectral_mutual_information(SMALL, LABELS, num_threads=n)[0],
    "DSMI of a number": lambda n: diffusion_spectral_mutual_information(SMALL, SMALL[:, 0], num_threads=n)[0],
    "ASMI": lambda n: adjacency_spectral_mutual_information(SMALL, LABELS, num_threads=n)[0],
    "ASMI kNN": lambda n: adjacency_spectral_mutual_information(SMALL, LABELS, use_knn=True, num_threads=n)[0],
}
every_call = pytest.mark.parametrize("call", CALLS)


# ---- the same values


@every_call
@pytest.mark.parametrize("threads", [1, 2])
def test_a_number_of_threads_gives_the_same_bits_each_time(call, threads):
    assert len({CALLS[call](threads) for _ in range(4)}) == 1


def rounding(call):
    """Which LAPACK's rounding may change: relative in double precision, the bound of single precision else."""
    return {"rel": 0, "abs": 1e-6 * math.sqrt(len(X))} if "float32" in call else {"rel": 1e-12}


@every_call
def test_values_do_not_depend_on_the_number_of_threads(call):
    assert CALLS[call](2) == pytest.approx(CALLS[call](1), **rounding(call))


@every_call
def test_more_threads_than_cores(call):
    """BLAS's own spin while they wait: with more of them than cores this would take minutes."""
    assert CALLS[call](100) == pytest.approx(CALLS[call](1), **rounding(call))


def test_many_callers_at_once_get_the_serial_values():
    jobs = [(name, threads) for name in CALLS for threads in (1, 2)] * 3
    serial = {job: CALLS[job[0]](job[1]) for job in set(jobs)}
    shuffled = [jobs[i] for i in np.random.default_rng(0).permutation(len(jobs))]
    start = threading.Barrier(8)
    with concurrent.futures.ThreadPoolExecutor(8, initializer=start.wait) as pool:
        for job, value in zip(shuffled, pool.map(lambda job: CALLS[job[0]](job[1]), shuffled), strict=True):
            assert value == serial[job], job


def test_input_is_not_changed():
    copy, labels = X.copy(), LABELS.copy()
    numbers = X[:, 0].copy()
    for call in CALLS.values():
        call(2)
    diffusion_spectral_mutual_information(X, numbers)
    diffusion_spectral_mutual_information(X, X[:, :2], n_clusters=3)
    diffusion_spectral_mutual_information(X, None, precomputed_clusters=numbers > 0)
    assert np.array_equal(X, copy)
    assert np.array_equal(LABELS, labels)
    assert np.array_equal(numbers, copy[:, 0])


def test_two_callers_of_one_array_do_not_exclude_each_other():
    """As borrows of the array would; a view that cannot be written is as good."""
    read_only = X.view()
    read_only.flags.writeable = False
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        values = list(pool.map(lambda _: diffusion_spectral_entropy(read_only, num_threads=1), range(16)))
    assert set(values) == {diffusion_spectral_entropy(X, num_threads=1)}


# ---- how many threads


@pytest.fixture
def default_threads(run_python):
    def ask(before="", **env):
        return int(
            run_python(f"import os\n{before}\nfrom dsentropy import _core\nprint(_core.default_threads())", **env)
        )

    return ask


RAYON, OPENBLAS, OMP = "RAYON_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({RAYON: "3"}, 3),
        ({OPENBLAS: "4"}, 4),
        ({OMP: "5"}, 5),
        ({RAYON: "3", OPENBLAS: "4", OMP: "5"}, 3),
        ({OPENBLAS: "4", OMP: "5"}, 4),
        ({RAYON: "many", OPENBLAS: "4"}, 4),
        ({RAYON: "", OPENBLAS: "0", OMP: "5"}, 5),
        ({RAYON: "-1", OPENBLAS: "2.5", OMP: " 6 "}, 6),
        ({RAYON: "99999999999999999999999999", OMP: "5"}, 5),
        ({OMP: "4,2"}, 4),
        ({OMP: " 3 , 2"}, 3),
        ({OMP: ",2", OPENBLAS: "7"}, 7),
    ],
    ids=str,
)
def test_environment_sets_the_number_of_threads(env, expected, default_threads):
    assert default_threads(**env) == expected


@pytest.mark.linux
@pytest.mark.parametrize("env", [{}, {RAYON: "many", OPENBLAS: "0", OMP: ","}, {RAYON: "0"}], ids=str)
def test_without_a_setting_all_cores_of_the_process_are_used(env, default_threads):
    assert default_threads(**env) == len(os.sched_getaffinity(0))


@pytest.mark.linux
@pytest.mark.parametrize("when", ["before", "after"])
def test_affinity_limits_the_number_of_threads(when, default_threads):
    limit = "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})"
    assert default_threads(limit if when == "before" else f"import dsentropy; {limit}") == 1
    assert default_threads(limit, OMP_NUM_THREADS="3") == 3


def test_environment_is_read_at_each_call(monkeypatch):
    for threads in (2, 5):
        monkeypatch.setenv(RAYON, str(threads))
        assert _core.default_threads() == threads


@pytest.mark.linux
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_as_many_threads_work_as_were_asked_for(threads, run_python):
    program = (
        SETUP
        + """
    dsmi(small, labels, num_threads=int(sys.argv[1]))
    names = [open(f"/proc/self/task/{task}/comm").read().strip() for task in os.listdir("/proc/self/task")]
    import json
    print(json.dumps(sorted(name for name in names if name.startswith("dsentropy-"))))
    """
    )
    assert json.loads(run_python(program, threads)) == [f"dsentropy-{i}" for i in range(threads)]


# ---- what is left behind


@every_call
@pytest.mark.parametrize("found", [1, 2])
def test_other_libraries_keep_their_threads(call, found):
    """And so does our own OpenBLAS, which the process can see."""
    libraries = ThreadpoolController()
    assert any("dsentropy" in library["filepath"] for library in libraries.info())
    with threadpool_limits(found):
        before = libraries.info()
        for threads in (1, 2):
            CALLS[call](threads)
            assert libraries.info() == before


def test_libraries_keep_their_threads_after_an_error_and_many_callers():
    libraries = ThreadpoolController()
    before = libraries.info()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(CALLS["DSE"], threads) for threads in [1, 2] * 8]:
            future.result()
        with pytest.raises(MemoryError):
            pool.submit(diffusion_spectral_entropy, np.zeros((200_000, 1)), max_N=None).result()
    assert libraries.info() == before


def _free_during(call):
    """Call, and return how many times another thread ran Python in the meantime."""
    ticks = []
    started, stop = threading.Event(), threading.Event()

    def tick():
        started.set()
        while not stop.wait(0.001):
            ticks.append(None)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    started.wait()
    before = len(ticks)
    call()  # the core alone, one call
    during = len(ticks) - before
    stop.set()
    ticker.join()
    return during


def test_interpreter_is_free_during_a_call():
    """Another thread runs Python in the meantime; it would stand still if the call kept the lock."""
    data = np.random.default_rng(0).normal(size=(1500, 20))
    operator = _core.OperatorSpec.diffusion(10.0, 0.0, "double")
    assert _free_during(lambda: _core.eigenvalues(data, "euclidean", operator, 1)) >= 5


def test_interpreter_is_free_while_many_entropies_are_read():
    spectrum = diffusion_spectrum(np.random.default_rng(0).normal(size=(400, 3)), bandwidth=1.0, solver="stochastic")
    times = np.linspace(1, 9, 2000).tolist()
    assert _free_during(lambda: spectrum.bits(times, [1.0])) >= 5
    assert _free_during(lambda: _core.renyi_entropies(np.arange(1.0, 100_001), times[:100], [1.0, 2.0])) >= 5
