"""Estimates of rows in chunks: the numbers of one process, on any scheduler, whatever becomes of a worker."""

import os
import signal
import threading
import time
import warnings

import dask
import dask.array as da
import numpy as np
import pytest
from dsentropy import Spectrum, Stochastic, diffusion_spectrum
from dsentropy._operator import dask_affinity as on_dask
from dsentropy._spectrum.solver import resolve_solver

T = [1, 2]
SIGMA = 10.0
RNG = np.random.default_rng(0)
X = 3 * RNG.normal(size=(10, 32))[RNG.integers(0, 10, 1500)] + 0.5 * RNG.normal(size=(1500, 32))
CHUNKS = ((400, 1, 599, 500), (32,))

pytestmark = pytest.mark.filterwarnings("ignore::dsentropy.SaturationWarning")


def one_process(rows, **options):
    solver = Stochastic(t=T, storage="tiled", tol=options.pop("tol", 1e-3))
    return diffusion_spectrum(rows, bandwidth=SIGMA, solver=solver, **options)


def chunked(rows, **options):
    solver = Stochastic(t=T, tol=options.pop("tol", 1e-3))
    return diffusion_spectrum(da.from_array(rows, chunks=CHUNKS), bandwidth=SIGMA, solver=solver, **options)


def same(one, other):
    assert type(one) is type(other)
    for read in ("entropy", "standard_error", "bounds"):
        assert np.array(getattr(one, read)(T)) == pytest.approx(np.array(getattr(other, read)(T)), abs=1e-6)
    assert one.parameters.get("products") == other.parameters.get("products")


@pytest.mark.parametrize(
    "options",
    [{}, pytest.param({"tol": 1e-4}, marks=pytest.mark.slow), {"alpha": 1.0}, {"alpha": 0.5, "random_state": 3}],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_numbers_are_those_of_one_process(options, dtype):
    rows = X.astype(dtype)
    assert ("tol" in options) == (type(chunked(rows, **options)) is Spectrum)  # where eigenvalues cost less
    same(one_process(rows, **options), chunked(rows, **options))


def test_products_and_moments_are_those_of_the_affinity():
    """In the calling thread; of chunks that begin at multiples of 512."""
    chunks = on_dask.Chunks.of(da.from_array(X, chunks=CHUNKS), "euclidean")
    assert np.diff(chunks.bounds).tolist() == [512, 512, 476]
    options = resolve_solver("stochastic", 0)
    affinity = on_dask.ChunkedAffinity.of(chunks, SIGMA, options)
    G = np.exp(-((X[:, None] - X) ** 2).sum(axis=-1) / (2 * SIGMA**2))
    block, squares = RNG.normal(size=(1500, 3)), RNG.uniform(0.5, 1, size=1500)
    for exactly in (True, False):
        assert affinity.product(block, [0.0] * 3, exactly) == pytest.approx(G @ block, abs=1e-10)
        moments = affinity.moments(squares, exactly)
        assert moments.trace == pytest.approx(squares.sum())
        assert moments.squared_norm == pytest.approx(squares @ G**2 @ squares)


def test_double_precision_where_rows_are_many_bandwidths_away():
    chunks = on_dask.Chunks.of(da.from_array(RNG.normal(size=(8192, 2)), chunks=(4096, 2)), "euclidean")
    options = resolve_solver("stochastic", 0)
    near, far = (on_dask.ChunkedAffinity.of(chunks, sigma, options) for sigma in (1.0, 1e-3))
    assert near.rounded is not near.exact
    assert far.rounded is far.exact


def test_single_precision_from_8192_rows_on():
    rows = np.repeat(X, 6, axis=0) + 0.3 * RNG.normal(size=(9000, 32))
    options = {"bandwidth": 20.0, "solver": Stochastic(tol=3e-3, t=T)}
    same(
        diffusion_spectrum(rows, **options),
        diffusion_spectrum(da.from_array(rows, chunks=(2250, 32)), **options),
    )


def test_rows_around_their_mean():
    rows = X - X.mean(axis=0)
    same(one_process(rows), chunked(rows))


def test_cosine():
    options = {"bandwidth": 0.5, "metric": "cosine"}
    whole = diffusion_spectrum(X, **options, solver=Stochastic(t=T, storage="tiled"))
    same(whole, diffusion_spectrum(da.from_array(X, chunks=CHUNKS), **options, solver=Stochastic(t=T)))


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_schedulers_and_columns_in_chunks_change_nothing(scheduler):
    expected = chunked(X).entropy(T)
    with dask.config.set(scheduler=scheduler):
        rows = da.from_array(X, chunks=((400, 1, 599, 500), (20, 12)))
        found = diffusion_spectrum(rows, bandwidth=SIGMA, solver=Stochastic(t=T))
    assert np.array_equal(found.entropy(T), expected)


def test_data_that_are_computed_by_tasks():
    rows = da.from_array(X, chunks=CHUNKS) * 2
    found = diffusion_spectrum(rows, bandwidth=2 * SIGMA, solver=Stochastic(t=T))
    assert found.entropy(T) == pytest.approx(chunked(X).entropy(T), abs=1e-6)


def test_empty_chunks_are_none():
    rows = da.concatenate([da.from_array(X[:700]), da.zeros((0, 32)), da.from_array(X[700:])])
    found = diffusion_spectrum(rows, bandwidth=SIGMA, solver=Stochastic(t=T))
    assert found.entropy(T) == pytest.approx(chunked(X).entropy(T), abs=1e-6)


@pytest.mark.changes_process  # starts workers, kills one
@pytest.mark.serial
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_time_only(tmp_path):
    distributed = pytest.importorskip("distributed")
    expected = one_process(X)
    killed = []

    def slowly(block):  # pickled by value: workers need not find the tests
        time.sleep(0.02)  # so that there is something to lose
        return block

    def kill(client):
        time.sleep(0.5)
        pids = client.run(os.getpid)
        victim = next(iter(pids.values()))
        killed.append(victim)
        os.kill(victim, signal.SIGKILL)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of distributed, about ports and lost workers
        with (
            dask.config.set({"temporary-directory": str(tmp_path)}),
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            rows = da.from_array(X, chunks=CHUNKS)
            delayed = rows.map_blocks(slowly, dtype=rows.dtype)
            killer = threading.Thread(target=kill, args=(client,))
            killer.start()
            found = diffusion_spectrum(delayed, bandwidth=SIGMA, solver=Stochastic(t=T))
            assert killed  # before the result
            killer.join()
            still = set(client.run(os.getpid).values())
    assert killed[0] not in still
    same(expected, found)


def test_it_can_be_interrupted():
    def interrupt():
        if not over.wait(0.5):
            signal.raise_signal(signal.SIGINT)

    rows = da.from_array(X, chunks=CHUNKS)
    endless = Stochastic(tol=1e-6, max_products=10**9, memory_limit=30_000_000)
    found = signal.signal(signal.SIGINT, signal.default_int_handler)
    over, thread = threading.Event(), threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            diffusion_spectrum(rows, bandwidth=SIGMA, solver=endless)
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGINT, found)


@pytest.mark.parametrize(
    ("rows", "options", "error", "text"),
    [
        (da.zeros((5, 2, 2)), {}, TypeError, "X must be a dask.array of two dimensions"),
        (da.zeros((5, 2), dtype=complex), {}, TypeError, "X must hold real numbers"),
        (da.zeros((5, 0)), {}, ValueError, "X must have at least one row"),
        (da.from_array(np.full((5, 2), np.nan)), {}, ValueError, "X must be finite"),
        (da.zeros((5, 2)), {"metric": "cosine"}, ValueError, "no zero row"),
        (da.zeros((5, 2)), {"bandwidth": 0}, ValueError, "bandwidth must be"),
        (da.zeros((5, 2)), {"bandwidth": [1.0] * 5}, TypeError, "bandwidth must be"),
        (da.zeros((5, 2)), {"alpha": 2}, ValueError, "alpha must be"),
        (da.zeros((5, 2)), {"n_neighbors": 3}, ValueError, "n_neighbors must not be given"),
        (da.zeros((5, 2)), {"precision": "single"}, ValueError, "precision must be"),
        (da.zeros((5, 2)), {"solver": Stochastic(storage="tiled")}, ValueError, "storage must be 'auto'"),
    ],
)
def test_bad_requests_are_named(rows, options, error, text):
    with pytest.raises(error, match=text):
        diffusion_spectrum(rows, **{"bandwidth": 1.0, "solver": "stochastic", **options})


def test_chunks_of_unknown_size_are_named():
    rows = da.from_array(X, chunks=CHUNKS)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        diffusion_spectrum(rows[rows[:, 0] > 0], bandwidth=1.0, solver="stochastic")


@pytest.mark.parametrize(
    "options", [{"graph": "knn"}, {"max_samples": 10}, {"metric": "precomputed"}, {"bandwidth": "median"}]
)
def test_what_needs_all_rows_is_refused(options):
    with pytest.raises(ValueError, match=r"X as a dask\.array needs"):
        diffusion_spectrum(da.from_array(X), solver="stochastic", **{"bandwidth": 1.0, **options})


def test_without_an_estimate_it_is_an_array_like_any_other():
    few = X[:100]
    assert diffusion_spectrum(da.from_array(few), bandwidth=SIGMA).entropy() == pytest.approx(
        diffusion_spectrum(few, bandwidth=SIGMA).entropy()
    )


def test_eigenvalues_of_chunks_need_the_array_in_one_process():
    few = da.from_array(X[:100])
    with pytest.raises(ValueError, match=r"^solver must be 'stochastic'"):
        on_dask.ChunkedDiffusion(on_dask.Chunks.of(few, "euclidean"), SIGMA, 0.0).eigenvalues(None)
