"""Functions work in other processes, spawned or forked, whatever threads their parents used.

Whatever could hang or die runs in a process of its own, which is killed if it does not end.
"""

import dsentropy
import numpy as np
import pytest
from thread_programs import SETUP

pytestmark = pytest.mark.serial


@pytest.mark.parametrize("function", [name for name in dsentropy.__all__ if name.islower() and name[0] != "_"])
def test_functions_can_be_sent_to_processes(function, run_python):
    program = """
        import concurrent.futures, functools, multiprocessing, sys
        import numpy as np
        import dsentropy
        function = getattr(dsentropy, sys.argv[1])
        X = np.random.default_rng(0).normal(size=(60, 3))
        arguments = {"information": [X, np.arange(60) % 2], "neighbors": [X, 3]}.get(sys.argv[1].split("_")[-1], [X])
        arguments = {
            "kernel_spectrum": [X @ X.T],
            "entropy_surface": [X, [1.0]],
            "compare": [X, X**2],
            "conditional_mutual_information": [X, np.arange(60) % 2, np.arange(60) // 30],
            "layer_entropies": [{"one": X, "other": X**2}],
        }.get(sys.argv[1], arguments)
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


@pytest.mark.linux
def test_a_child_with_the_number_of_its_parent_computes(run_python):
    """Processes of two namespaces have the same number, 1, as in containers."""
    program = (
        SETUP
        + """
    import ctypes
    CLONE_NEWUSER, CLONE_NEWPID = 0x10000000, 0x20000000

    def fork_into_new_namespace():
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWPID) and libc.unshare(CLONE_NEWUSER | CLONE_NEWPID):
            print("refused", os.strerror(ctypes.get_errno()), flush=True)
            os._exit(0)
        return os.fork()

    expected = values()
    for generation in range(3):
        if child := fork_into_new_namespace():
            os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        assert os.getpid() == 1
        threading.Thread(target=lambda: (time.sleep(30), os._exit(3)), daemon=True).start()
        assert values() == expected
    print("computed", flush=True)
    os._exit(0)
    """
    )
    printed = run_python(program)
    if "refused" in printed:
        pytest.skip(printed)
    assert "computed" in printed


@pytest.mark.linux
@pytest.mark.slow
def test_a_fork_waits_for_a_panel_and_not_for_a_decomposition(run_python):
    """Most of the forks happen while the core computes, and it goes on after them."""
    program = (
        SETUP
        + """
    Y = rng.normal(size=(2500, 5))
    expected = dse(Y, num_threads=2)
    results = []
    thread = threading.Thread(target=lambda: results.append(dse(Y, num_threads=2)))
    thread.start()
    forks = 0
    while thread.is_alive():
        time.sleep(0.02)
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        forks += thread.is_alive()
    assert results == [expected]
    print(forks)
    """
    )
    assert int(run_python(program)) >= 10
