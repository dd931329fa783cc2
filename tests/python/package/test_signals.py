"""Signals stop a long computation, or change nothing.

Whatever could hang or die runs in a process of its own, which is killed if it does not end.
"""

import textwrap

import pytest
from thread_programs import SETUP

pytestmark = pytest.mark.serial


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
