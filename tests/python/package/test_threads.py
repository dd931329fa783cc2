"""Threads, forks, interrupts: nothing of them shows in a value, and nothing is left behind.

Whatever could hang or die runs in a process of its own, which is killed if it does not end.
"""

import concurrent.futures
import json
import math
import os
import textwrap
import threading

import dsentropy
import numpy as np
import pytest
from dsentropy import (
    _core,
    adjacency_spectral_entropy,
    adjacency_spectral_mutual_information,
    diffusion_spectral_entropy,
    diffusion_spectral_mutual_information,
)
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

SETUP = """
    import linecache, os, signal, sys, threading, time
    import numpy as np
    import dsentropy
    from dsentropy import (
        adjacency_spectral_entropy as ase,
        adjacency_spectral_mutual_information as asmi,
        diffusion_spectral_entropy as dse,
        diffusion_spectral_mutual_information as dsmi,
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a shell has none
    rng = np.random.default_rng(0)
    X = rng.normal(scale=5, size=(650, 6))
    small, labels = X[:200], np.arange(200) % 3

    def values(threads=2):
        return [
            dse(X, num_threads=threads),
            dsmi(small, labels, num_threads=threads)[0],
            ase(small, use_knn=True, num_threads=threads),
            asmi(small, labels, num_threads=threads)[0],
            dse(small, num_threads=1),
        ]

    def send(number):
        # Once the main thread has been in the core for a while.

        def wait_and_send():
            line = ""
            while "_core." not in line:
                time.sleep(0.01)
                frame = sys._current_frames()[threading.main_thread().ident]
                line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
            time.sleep(1)
            sent.append(time.monotonic())
            os.kill(os.getpid(), number)

        threading.Thread(target=wait_and_send, daemon=True).start()

    sent = []
"""


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


def test_interpreter_is_free_during_a_call():
    """Another thread runs Python in the meantime; it would stand still if the call kept the lock."""
    data = np.random.default_rng(0).normal(size=(1500, 20))
    ticks = []
    started, stop = threading.Event(), threading.Event()

    def tick():
        started.set()
        while not stop.wait(0.001):
            ticks.append(None)

    ticker = threading.Thread(target=tick, daemon=True)
    ticker.start()
    started.wait()
    operator = _core.OperatorSpec.diffusion(10.0, 0.0, "double")
    before = len(ticks)
    _core.eigenvalues(data, "euclidean", operator, 1)  # the core alone, one call
    during = len(ticks) - before
    stop.set()
    ticker.join()
    assert during >= 5


# ---- processes


@pytest.mark.parametrize("function", [name for name in dsentropy.__all__ if name.islower() and name[0] != "_"])
def test_functions_can_be_sent_to_processes(function, run_python):
    program = """
        import concurrent.futures, functools, multiprocessing, sys
        import numpy as np
        import dsentropy
        function = getattr(dsentropy, sys.argv[1])
        X = np.random.default_rng(0).normal(size=(60, 3))
        arguments = {"information": [X, np.arange(60) % 2], "neighbors": [X, 3]}.get(sys.argv[1].split("_")[-1], [X])
        arguments = {"kernel_spectrum": [X @ X.T], "entropy_surface": [X, [1.0]]}.get(sys.argv[1], arguments)
        if sys.argv[1] == "subsampled_entropy":
            function = functools.partial(function, n_samples=30)
        context = multiprocessing.get_context("spawn")
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            results = [pool.submit(function, *arguments, num_threads=1) for _ in range(4)]
            values = [result.result() for result in results]
        own = function(*arguments, num_threads=1)
        assert {str(value) for value in values} == {str(own)}
    """
    run_python(program, function)


@pytest.mark.linux
@pytest.mark.parametrize("used", [True, False])
def test_forked_child_computes(used, run_python):
    """After its parent has used threads, or before; the parent's values, and the parent goes on."""
    program = (
        SETUP
        + """
    if sys.argv[1] == "True":
        values()
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:
            signal.alarm(20)
            os.write(1, repr(values()).encode() + b"\\n")
            os._exit(0)
        children.append(child)
        expected = values()
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 4
    print(expected, flush=True)
    """
    )
    lines = run_python(program, used).splitlines()
    assert len(lines) == 5
    assert len(set(lines)) == 1


@pytest.mark.linux
def test_grandchildren_compute(run_python):
    program = (
        SETUP
        + """
    expected = values()
    for generation in range(4):
        child = os.fork()
        if child:
            status = os.waitpid(child, 0)[1]
            os._exit(0 if status == 0 and values() == expected else 1)
        signal.alarm(20)
        assert values() == expected
    """
    )
    run_python(program)


@pytest.mark.linux
def test_child_forked_by_a_thread_computes(run_python):
    program = (
        SETUP
        + """
    expected = values()
    statuses = []

    def fork():
        child = os.fork()
        if not child:
            signal.alarm(20)
            os._exit(0 if values() == expected else 1)
        statuses.append(os.waitpid(child, 0)[1])

    threads = [threading.Thread(target=fork) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [0] * 4, statuses
    """
    )
    run_python(program)


@pytest.mark.linux
def test_pool_of_forked_workers(run_python):
    program = (
        SETUP
        + """
    import multiprocessing
    expected = values()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        assert pool.map(values, [2] * 6) == [expected] * 6
    assert values() == expected
    """
    )
    run_python(program)


WORK = {
    "one large problem": "dse(Y, num_threads=2)",
    "one thread": "dse(Y, num_threads=1)",
    "many small problems": "dsmi(Y, np.arange(len(Y)) % 4, num_threads=2)",
    "a graph": "ase(Y[:200], use_knn=True, num_threads=2)",
    "entries": "dse(Y, matrix_entry_entropy=True, num_threads=2)",
    "bins": "dse(Y, classic_shannon_entropy=True, num_threads=2)",
}


@pytest.mark.linux
@pytest.mark.parametrize("work", WORK)
def test_child_forked_during_a_computation_computes(work, run_python):
    """And the computation of the parent goes on."""
    program = (
        SETUP
        + """
    Y = rng.normal(scale=5, size=(650, 30))
    expected = values()
    rounds, stop = [], threading.Event()

    def work():
        while not stop.is_set():
            eval(sys.argv[1])
            rounds.append(None)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    for _ in range(10):
        time.sleep(rng.uniform(0, 0.02))
        child = os.fork()
        if not child:
            signal.alarm(20)
            os._exit(0 if values() == expected else 1)
        status = os.waitpid(child, 0)[1]
        assert status == 0, f"the child ended with {status}"
        before = len(rounds)
        deadline = time.monotonic() + 20
        while len(rounds) == before:
            assert time.monotonic() < deadline, "the parent stands still"
            time.sleep(0.001)
    stop.set()
    worker.join()
    """
    )
    run_python(program, WORK[work])


@pytest.mark.linux
def test_fork_does_not_wait_for_a_long_computation(run_python):
    """A fork holds the interpreter: whoever made it wait for all of a mutual information would stop every thread."""
    program = (
        SETUP
        + """
    finished = []

    def work():
        Y = rng.normal(size=(6000, 5))
        dsmi(Y, np.repeat(np.arange(4), [1400, 1450, 1550, 1600]), num_repetitions=20, num_threads=2)
        finished.append(None)

    expected = values()
    threading.Thread(target=work, daemon=True).start()
    time.sleep(1)
    child = os.fork()
    if not child:
        signal.alarm(20)
        os._exit(0 if values() == expected else 1)
    time.sleep(1)
    assert not finished
    assert os.waitpid(child, 0)[1] == 0
    os._exit(0)
    """
    )
    run_python(program)


@pytest.mark.linux
@pytest.mark.parametrize("work", ["one large problem", "many small problems"])
def test_process_ends_while_a_daemon_thread_computes(run_python, work):
    """OpenBLAS gives back the memory that its calls work in when the process ends."""
    program = (
        SETUP
        + """
    Y = rng.normal(size=(3000, 5))
    threading.Thread(target=lambda: eval(sys.argv[1]), daemon=True).start()
    time.sleep(float(sys.argv[2]))
    """
    )
    for delay in np.linspace(0.3, 0.32, 6):
        run_python(program, WORK[work], delay)


# ---- signals

LONG = {
    "DSMI": """
        sizes = [1100, 1150, 1200, 1250, 1300, 1350]
        Y = rng.normal(size=(sum(sizes), 5))
        B = np.repeat(np.arange(6), sizes)
        long = lambda: dsmi(Y, B, num_repetitions=100)
    """,
    "distances of a graph": """
        Y = rng.random((8000, 8000), dtype=np.float32)
        long = lambda: ase(Y, use_knn=True, num_threads=1)
    """,
    "distances of a kernel": """
        Y = rng.random((8000, 8000), dtype=np.float32)
        long = lambda: dse(Y, matrix_entry_entropy=True, num_threads=1)
    """,
}
"""Half a minute of work each, in loops of ours: LAPACK cannot be stopped."""


@pytest.mark.linux
@pytest.mark.parametrize("work", LONG)
def test_interrupt_stops_a_long_computation(work, run_python):
    """And the process goes on as if nothing had been."""
    program = (
        SETUP
        + textwrap.indent(textwrap.dedent(LONG[work]), "    ")
        + """
    import traceback
    from threadpoolctl import threadpool_info
    expected, libraries = values(), threadpool_info()
    send(signal.SIGINT)
    try:
        long()
    except KeyboardInterrupt as interrupted:
        waited = time.monotonic() - sent[0]
        assert waited < 15, waited
        assert "_core." in traceback.extract_tb(interrupted.__traceback__)[-1].line
    else:
        raise AssertionError("not stopped")
    assert values() == expected
    assert threadpool_info() == libraries
    """
    )
    run_python(program)


@pytest.mark.linux
def test_exception_of_a_handler_comes_through(run_python):
    program = (
        SETUP
        + LONG["DSMI"].replace("        ", "    ")
        + """
    class Stop(Exception):
        pass

    def stop(number, frame):
        raise Stop(number)

    signal.signal(signal.SIGUSR1, stop)
    expected = values()
    send(signal.SIGUSR1)
    try:
        long()
    except Stop as stopped:
        assert stopped.args == (signal.SIGUSR1,)
    else:
        raise AssertionError("not stopped")
    assert values() == expected
    """
    )
    run_python(program)


@pytest.mark.linux
def test_handlers_that_return_change_nothing(run_python):
    """Even one that computes, with another number of threads, in the middle of a computation."""
    program = (
        SETUP
        + """
    Y = rng.normal(scale=5, size=(1200, 10))
    expected, large = values(), dse(Y, num_threads=2)
    seen = []

    def handle(number, frame):
        seen.append(values())

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    while not seen:
        assert dse(Y, num_threads=2) == large
    assert seen == [expected]
    """
    )
    run_python(program)


@pytest.mark.linux
def test_interrupt_stops_the_main_thread_alone(run_python):
    """As in any program: signals are the main thread's."""
    program = (
        SETUP
        + LONG["DSMI"].replace("        ", "    ")
        + """
    results = []
    Z = rng.normal(scale=5, size=(1500, 10))
    expected = dse(Z, num_threads=1)
    other = threading.Thread(target=lambda: results.extend(dse(Z, num_threads=1) for _ in range(4)))
    other.start()
    send(signal.SIGINT)
    try:
        long()
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("not stopped")
    other.join()
    assert results == [expected] * 4
    """
    )
    run_python(program)
