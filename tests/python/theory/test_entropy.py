"""Statements about the diffusion spectral entropy S, in bits, on random clouds: what holds, and what does not.

K = D^(-1/2) G D^(-1/2) with eigenvalues lambda, T = tr K^t, p_i = lambda_i^t / T. h is the entropy of a coin in
bits. Unless a test says otherwise, its tolerance is rounding: N eigenvalues with errors of some 1e-15, each times
|log2 p| < 60, make at most 1e-11 for the N of these clouds.
"""

import numpy as np
import pytest
from dsentropy import diffusion_spectrum, kernel_spectrum
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

ROUNDING = 1e-9
SOME = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**32 - 1)
TIMES = st.floats(0.5, 50)
RATIOS = st.floats(0.1, 10)
"""Bandwidths, in units of the root mean square distance."""


def cloud(seed):
    """Rows of one of four kinds: normal, heavy tails, blobs, a spiral with noise; some with duplicates."""
    rng = np.random.default_rng(seed)
    n, d = int(rng.integers(4, 60)), int(rng.integers(1, 8))
    rows = rng.normal(size=(n, d)) * rng.exponential(size=d)
    kind = rng.integers(4)
    if kind == 1:
        rows = rng.standard_t(2, size=(n, d))
    elif kind == 2:
        rows += 6 * rng.normal(size=(3, d))[rng.integers(3, size=n)]
    elif kind == 3:
        turn = rng.uniform(0, 9, size=n)
        rows[:, 0] += turn * np.cos(turn)
        rows[:, -1] += turn * np.sin(turn)
    if rng.random() < 0.3:
        rows = rows[rng.integers(n, size=n)]
    return rows


def scale(rows):
    """Return the root mean square distance of two rows, 1 where all are equal."""
    return np.sqrt(2 * rows.var(axis=0, ddof=1).sum()) or 1.0


def entropy(rows, sigma, t=1.0, order=1.0):
    return float(diffusion_spectrum(rows, bandwidth=sigma, num_threads=1).bits([t], [order])[0, 0])


def spectrum(rows, sigma, t):
    """Return the eigenvalues, their powers' trace T, and the probabilities."""
    eigenvalues = np.abs(diffusion_spectrum(rows, bandwidth=sigma, num_threads=1).eigenvalues)
    powers = eigenvalues**t
    return eigenvalues, powers.sum(), powers / powers.sum()


def coin(q):
    """Return the entropy of a coin, in bits."""
    q = np.clip(q, 1e-300, 1)
    return -q * np.log2(q) - (1 - q) * np.log2(np.clip(1 - q, 1e-300, 1))


@given(SEEDS, RATIOS, TIMES)
@SOME
def test_entropy_is_between_zero_and_the_logarithm_of_the_rows(seed, ratio, t):
    rows = cloud(seed)
    assert -ROUNDING <= entropy(rows, ratio * scale(rows), t) <= np.log2(len(rows)) + ROUNDING


@given(SEEDS, RATIOS, TIMES, st.floats(1.01, 3), st.floats(0.1, 3))
@SOME
def test_entropy_falls_with_time_and_with_order(seed, ratio, t, factor, order):
    rows = cloud(seed)
    of = diffusion_spectrum(rows, bandwidth=ratio * scale(rows), num_threads=1)
    at = of.bits([t, factor * t], [order, factor * order])
    assert (np.diff(at, axis=0) <= ROUNDING).all()
    assert (np.diff(at, axis=1) <= ROUNDING).all()


@given(SEEDS, RATIOS, st.floats(1, 10))
@SOME
def test_the_slope_over_time_is_the_variance_of_the_logarithms(seed, ratio, t):
    """dS/dt = -t Var_p(ln lambda), in nats; a central difference of step h is off by h^2 S''' and by rounding / h."""
    rows = cloud(seed)
    sigma, h = ratio * scale(rows), 1e-4
    eigenvalues, _, p = spectrum(rows, sigma, t)
    logarithms = np.log(np.maximum(eigenvalues, 1e-300))
    mean = p @ logarithms
    slope = -t * (p @ (logarithms - mean) ** 2) / np.log(2)
    difference = (entropy(rows, sigma, t + h) - entropy(rows, sigma, t - h)) / (2 * h)
    assert difference == pytest.approx(slope, rel=1e-4, abs=1e-6)


@given(SEEDS)
@SOME
def test_a_connected_walk_has_no_entropy_in_the_end(seed):
    rows = cloud(seed)
    eigenvalues, _, _ = spectrum(rows, scale(rows), 1)
    gap = -np.log(np.sort(eigenvalues)[-2])
    assert entropy(rows, scale(rows), 100 / max(gap, 1e-12)) <= len(rows) * 150 * np.exp(-99)


@given(SEEDS, st.lists(st.integers(1, 20), min_size=1, max_size=5))
@SOME
def test_separate_components_count_in_the_end_whatever_their_sizes(seed, sizes):
    rng = np.random.default_rng(seed)
    rows = rng.uniform(size=(sum(sizes), 2))
    rows[:, 0] += 1000 * np.repeat(np.arange(len(sizes)), sizes)
    assert entropy(rows, 1.0, 1e5) == pytest.approx(np.log2(len(sizes)), abs=ROUNDING)


@given(SEEDS)
@SOME
def test_a_small_bandwidth_counts_distinct_rows_and_a_large_one_sees_one(seed):
    rows = np.random.default_rng(seed).integers(0, 3, size=(30, 2)).astype(float)
    distinct = len(np.unique(rows, axis=0))
    assert entropy(rows, 1e-3) == pytest.approx(np.log2(distinct), abs=ROUNDING)
    # Affinities of 1 - u with u <= 8e-12 / 2: the trace beyond the first eigenvalue is at most N u.
    assert entropy(rows, 1e6) <= 1e-8


@given(SEEDS, RATIOS, TIMES, st.floats(1.01, 5))
@SOME
def test_entropy_does_not_rise_with_the_bandwidth(seed, ratio, t, factor):
    """A theorem of the kernel itself (Bapat & Sunder 1985); a conjecture of the diffusion operator, not refuted."""
    rows = cloud(seed)
    sigma = ratio * scale(rows)
    assert entropy(rows, factor * sigma, t) <= entropy(rows, sigma, t) + ROUNDING
    squares = ((rows[:, None] - rows) ** 2).sum(axis=2)
    small, large = (
        float(kernel_spectrum(np.exp(-squares / (2 * s**2)), num_threads=1).bits([1], [1])[0, 0])
        for s in (sigma, factor * sigma)
    )
    assert large <= small + ROUNDING


@given(SEEDS, RATIOS, TIMES)
@SOME
def test_entropy_does_not_depend_on_place_direction_order_or_unit(seed, ratio, t):
    rng, rows = np.random.default_rng(seed), cloud(seed)
    n, d = rows.shape
    sigma = ratio * scale(rows)
    expected = entropy(rows, sigma, t)
    turned = rows @ ortho_group.rvs(d, random_state=rng) if d > 1 else -rows
    for changed, bandwidth in [
        (turned, sigma),
        (rows + scale(rows) * rng.normal(size=d), sigma),
        (rows[rng.permutation(n)], sigma),
        (np.column_stack([rows, np.full(n, 3.0)]), sigma),
        (7.3 * rows, 7.3 * sigma),
        (np.repeat(rows, 3, axis=0), sigma),  # also where every row is there three times
    ]:
        assert entropy(changed, bandwidth, t) == pytest.approx(expected, abs=ROUNDING)


@given(SEEDS, RATIOS, TIMES, st.integers(2, 4))
@SOME
def test_far_copies_add_the_logarithm_of_their_number(seed, ratio, t, k):
    rows = cloud(seed)
    sigma, far = ratio * scale(rows), 1e3 * (np.ptp(rows, axis=0).max() + ratio * scale(rows))
    copies = np.concatenate([rows + far * number for number in range(k)])
    assert entropy(copies, sigma, t) == pytest.approx(entropy(rows, sigma, t) + np.log2(k), abs=ROUNDING)


@given(SEEDS, TIMES)
@SOME
def test_far_groups_weigh_as_much_as_their_trace_not_their_rows(seed, t):
    first, second = cloud(seed), cloud(seed + 1)
    second = np.resize(second, (len(second), first.shape[1]))
    sigma = scale(first)
    far = 1e3 * (np.abs(first).max() + np.abs(second).max() + sigma)
    both = np.concatenate([first, second + far])
    traces = np.array([spectrum(rows, sigma, t)[1] for rows in (first, second)])
    weights = traces / traces.sum()
    entropies = np.array([entropy(rows, sigma, t) for rows in (first, second)])
    expected = coin(weights[0]) + weights @ entropies
    assert entropy(both, sigma, t) == pytest.approx(expected, abs=ROUNDING)


@given(SEEDS, RATIOS, TIMES, st.integers(1, 4))
@SOME
def test_entropy_is_between_bounds_of_its_traces(seed, ratio, t, k):
    """With k eigenvalues 1 and trace T: log2 T^2 / tr K^2t <= S <= h(k/T) + k/T log2 k + (1 - k/T) log2(N - k)."""
    rows = cloud(seed)
    far = 1e3 * (np.abs(rows).max() + ratio * scale(rows))
    groups = np.concatenate([rows + far * number for number in range(k)])
    sigma = ratio * scale(rows)
    eigenvalues, trace, _ = spectrum(groups, sigma, t)
    found, n = entropy(groups, sigma, t), len(groups)
    assert np.log2(trace) <= found + ROUNDING
    assert np.log2(trace**2 / (eigenvalues ** (2 * t)).sum()) <= found + ROUNDING
    share = k / trace
    upper = coin(share) + share * np.log2(k) + (1 - share) * np.log2(n - k)
    assert found <= upper + ROUNDING


def test_one_blob_that_becomes_several_gains_entropy():
    """The upper bound of the expected entropy rises with the number of blobs, and so does the entropy.

    With the standard deviation of each blob held. With the total variance held it falls: blobs shrink as they part.
    """
    rng = np.random.default_rng(0)
    noise, directions = rng.normal(size=(600, 10)), rng.normal(size=(10, 10))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found, bounds = [], []
    for k in (1, 2, 3, 5, 10):
        rows = noise + 36 * directions[np.arange(600) % k]
        _, trace, _ = spectrum(rows, 3.0, 1)
        found.append(entropy(rows, 3.0))
        bounds.append(coin(k / trace) + k / trace * np.log2(k) + (1 - k / trace) * np.log2(600 - k))
    assert (np.diff(found) > 0.3).all()
    assert (np.diff(bounds) > 0).all()
    parted = noise + 36 * directions[np.arange(600) % 3]
    held = parted * np.sqrt(noise.var(axis=0).sum() / parted.var(axis=0).sum())
    assert entropy(held, 1.0) < entropy(noise, 1.0) - 1


@pytest.mark.parametrize(
    ("deviations", "sigma", "t", "blobs"),
    [([1.0], 1.0, 1, 1), ([1.0], 2.0, 1, 3), ([1.0, 2.0, 0.5], 2.0, 2, 1), ([1.0] * 5, 4.0, 1, 1)],
)
def test_normal_data_have_the_entropy_of_a_closed_form(deviations, sigma, t, blobs):
    """From x the walk goes to N(r x, r sigma^2) with r = s^2 / (s^2 + sigma^2), so its eigenvalues are powers of r.

    With many columns they are prod r_i^n_i, n_i = 0, 1, ..., and S = sum_i h(q_i) / (1 - q_i) with q_i = r_i^t. That
    is the limit of many rows. Of 20 data sets of 1000 the mean must be within four standard errors and a bias of 1%.
    """
    squares = np.square(deviations)
    q = (squares / (squares + sigma**2)) ** t
    closed = (coin(q) / (1 - q)).sum() + np.log2(blobs)
    found = []
    for seed in range(20):
        rows = np.random.default_rng(seed).normal(size=(1000, len(deviations))) * deviations
        rows[:, 0] += 1e4 * (np.arange(1000) % blobs)
        found.append(entropy(rows, sigma, t))
    error = np.std(found, ddof=1) / np.sqrt(20)
    assert abs(np.mean(found) - closed) <= 4 * error + 0.01 * closed


def test_noise_or_one_more_row_may_lower_the_entropy():
    """Counter-examples to a tempting statement: that a row more, or noise, never lowers the entropy."""
    two = np.array([[-1.0], [1.0]])
    between = np.vstack([two, np.zeros((1, 1))])  # joins the two rows, which were nearly apart
    assert entropy(between, 0.7, t=8) < entropy(two, 0.7, t=8) - 0.1
    lowered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(30, 3)) + 4 * rng.normal(size=(3, 3))[rng.integers(3, size=30)]
        lowered += entropy(rows + 0.3 * rng.normal(size=rows.shape), 2.0) < entropy(rows, 2.0) - ROUNDING
    assert 0 < lowered < 100
