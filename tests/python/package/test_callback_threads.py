"""Callbacks run on the thread that called, and the end of the process waits for them.

Whatever could hang or die runs in a process of its own, which is killed if it does not end.
"""

import contextvars
import threading

import numpy as np
import pytest
from dsentropy import Stochastic, diffusion_spectrum, kernel_spectrum

OPERATOR = """
    import threading, time
    import numpy as np
    from dsentropy import diffusion_spectrum, kernel_spectrum

    class Operator:
        shape, dtype = (60, 60), np.dtype(float)

        def matmat(self, V):
            return 2 * V
"""


class Recorder:
    """An operator whose products record the thread and the state of it that they see."""

    shape, dtype = (40, 40), np.dtype(float)

    def __init__(self):
        self.threads, self.contexts, self.errors = set(), set(), set()

    def matmat(self, vectors):
        self.threads.add(threading.current_thread())
        self.contexts.add(CONTEXT.get())
        self.errors.add(np.geterr()["divide"])
        return 2 * vectors


CONTEXT = contextvars.ContextVar("CONTEXT", default="default")


@pytest.mark.parametrize("solver", ["exact", Stochastic(tol=1e-2)])
def test_products_see_the_state_of_the_thread_that_called(solver):
    def compute():
        token = CONTEXT.set(name := threading.current_thread().name)
        operator = Recorder()
        with np.errstate(divide="raise"):
            kernel_spectrum(operator, solver=solver)
        CONTEXT.reset(token)
        seen[name] = operator

    seen = {}
    threads = [threading.Thread(target=compute, name=f"caller {i}") for i in range(3)]
    for thread in threads:
        thread.start()
    compute()
    for thread in threads:
        thread.join()
    for thread in [*threads, threading.current_thread()]:
        operator = seen[thread.name]
        assert operator.threads == {thread}
        assert operator.contexts == {thread.name}
        assert operator.errors == {"raise"}


def test_an_exception_of_a_product_comes_from_the_thread_that_called():
    class Failing(Recorder):
        def matmat(self, vectors):
            raise LookupError(threading.current_thread().name)

    with pytest.raises(LookupError, match=threading.current_thread().name):
        kernel_spectrum(Failing())


def test_a_product_may_call_the_package():
    class Nested(Recorder):
        def matmat(self, vectors):
            return kernel_spectrum(Recorder()).eigenvalues[0] * vectors

    assert np.allclose(kernel_spectrum(Nested()).eigenvalues, 2)


@pytest.mark.parametrize("main", [True, False])
def test_dask_starts_one_pool_for_all_calls_of_a_thread(main):
    da = pytest.importorskip("dask.array")
    X = da.from_array(np.random.default_rng(0).normal(size=(300, 4)), chunks=(256, 4))

    def compute():
        for _ in range(5):
            diffusion_spectrum(X, bandwidth=2.0, solver="stochastic", random_state=0)
            counts.append(threading.active_count())

    counts = []
    if main:
        compute()
    else:
        caller = threading.Thread(target=compute)
        caller.start()
        caller.join()
    assert counts[1:] == counts[:-1]


@pytest.mark.linux
@pytest.mark.slow
@pytest.mark.serial
def test_process_ends_while_daemon_threads_run_callbacks(run_python):
    program = (
        OPERATOR
        + """
    def loop():
        while True:
            kernel_spectrum(Operator())

    for _ in range(4):
        threading.Thread(target=loop, daemon=True).start()
    time.sleep(0.2)
    """
    )
    for _ in range(16):
        run_python(program)


@pytest.mark.linux
def test_threads_that_end_at_exit_can_be_joined_there(run_python):
    """Functions registered before the core's own are called after it."""
    program = (
        OPERATOR
        + """
    import atexit
    errors = []

    def loop():
        while True:
            try:
                kernel_spectrum(Operator())
            except RuntimeError as error:
                errors.append(str(error))
                return

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(3)]

    def stop():
        for thread in threads:
            thread.join()
        print(*errors, sep="\\n")

    atexit.register(stop)
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    """
    )
    lines = run_python(program).splitlines()
    assert len(lines) == 3
    assert all("the interpreter is shutting down" in line for line in lines)


@pytest.mark.linux
def test_a_callback_that_does_not_end_does_not_keep_the_process(run_python):
    program = (
        OPERATOR
        + """
    started = threading.Event()

    class Endless(Operator):
        def matmat(self, V):
            started.set()
            while True:
                V = V * 1.0

    threading.Thread(target=kernel_spectrum, args=[Endless()], daemon=True).start()
    started.wait()
    """
    )
    run_python(program)
