"""Measurements on a thread beside the training."""

import threading

import numpy as np
import pytest
from dsentropy.monitor import Monitor, MonitorWarning, read_log
from dsentropy.monitor.background import Background

X = np.random.default_rng(0).normal(size=(20, 3))


def values(records):
    return [(record["step"], record["layer"], record["measure"], record["value"]) for record in records]


def test_the_records_are_those_of_the_foreground(tmp_path):
    found = []
    for background in (False, True):
        with Monitor(
            log=tmp_path / f"{background}.jsonl", labels=np.arange(20) % 2, background=background
        ) as monitor:
            array = X.copy()
            for step in range(6):
                made = monitor.observe(step, {"a": array, "b": array**2})
                assert bool(made) is not background
                array *= -1  # in place: rows were copied
                array[0] += 1
        assert read_log(tmp_path / f"{background}.jsonl") == monitor.records
        found.append(values(monitor.records))
    assert found[0] == found[1]


def test_flush_waits_and_the_thread_ends():
    monitor = Monitor(background=True)
    monitor.observe(0, {"a": X})
    monitor.flush()
    assert monitor.last_step == 0
    for thread in threading.enumerate():
        if thread.name == "dsentropy-monitor":
            thread.join(30)
            assert not thread.is_alive()
    monitor.observe(1, {"a": X})
    monitor.resume(0)
    assert [record["step"] for record in monitor.records] == [0] * 4
    monitor.close()
    with pytest.raises(RuntimeError, match="closed"):
        monitor.observe(2, {"a": X})
    with pytest.raises(RuntimeError, match="closed"):
        monitor.resume(2)


def test_a_full_queue_makes_the_caller_wait():
    queue, gate, done = Background(2), threading.Event(), []
    for number in range(2):
        queue.submit(lambda number=number: (gate.wait(), done.append(number)))
    third = threading.Thread(target=lambda: queue.submit(lambda: done.append(2)))
    third.start()
    third.join(0.2)
    assert third.is_alive()
    gate.set()
    third.join(30)
    queue.wait()
    assert done == [0, 1, 2]


def test_an_error_on_the_thread_is_raised_where_it_is_waited_for():
    queue = Background(2)
    queue.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        queue.wait()
    queue.wait()


def test_an_error_of_an_earlier_call_is_raised_by_the_next_one():
    queue, done = Background(1), []
    queue.submit(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        queue.submit(lambda: done.append(1))  # after a wait for its place
    queue.submit(lambda: done.append(2))
    queue.wait()
    assert done == [2]


def test_a_sink_that_fails_is_a_warning_of_the_thread_that_trains():
    def sink(records):
        raise OSError("no network")

    gate = threading.Event()
    monitor = Monitor(background=True, sinks=[lambda records: gate.wait(), sink])
    monitor.observe(0, {"a": X})
    gate.set()
    with pytest.warns(MonitorWarning, match=r"sink .* failed: OSError: no network"):
        monitor.close()
    assert monitor.last_step == 0


@pytest.mark.linux
def test_the_end_of_a_program_waits_for_the_records(tmp_path, run_python):
    path = tmp_path / "log.jsonl"
    run_python(
        f"""
        import numpy as np
        from dsentropy.monitor import Monitor
        monitor = Monitor(log={str(path)!r}, background=True)
        for step in range(3):
            monitor.observe(step, {{"a": np.random.default_rng(step).normal(size=(300, 3))}})
        """
    )
    assert [record["step"] for record in read_log(path).select("dse")] == [0, 1, 2]


@pytest.mark.parametrize("method", ["flush", "close", "state_dict"])
def test_a_sink_that_would_wait_for_itself_fails(method):
    monitor = Monitor(sinks=lambda _: getattr(monitor, method)(), background=True)
    monitor.observe(0, {"a": X})
    with pytest.warns(MonitorWarning, match="must not wait for its own Monitor"):
        monitor.flush()
    monitor.observe(1, {"a": X})
    with pytest.warns(MonitorWarning):
        monitor.flush()
    assert monitor.last_step == 1
    monitor.close()
