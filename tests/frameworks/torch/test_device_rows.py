"""Rows on a device: checked there, with the values, subsets and fingerprints that they have on the processor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dsentropy._checks import devices
from dsentropy._data import device_rows
from dsentropy._data.data import Data
from dsentropy._data.device_rows import DeviceRows
from torch import nn

NORMAL = np.random.default_rng(0).normal(size=(40, 3))


def on_device(X, metric="euclidean"):
    return DeviceRows.of(X, metric, "cpu")


@pytest.fixture
def without_float64(monkeypatch):
    """Takes the processor for a device that has no float64."""
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("cpu",))


def views(double):
    """Rows in several dtypes and layouts, each with the array that has its values."""
    single, half = double.astype(np.float32), torch.tensor(double, dtype=torch.bfloat16)
    yield torch.tensor(double), double
    yield torch.tensor(single), single
    yield half, half.float().numpy()
    yield torch.tensor(double, dtype=torch.float16), double.astype(np.float16)
    yield torch.tensor(double.T.copy()).T, double
    yield torch.tensor(np.repeat(double, 2, axis=0))[::2], double
    yield torch.tensor(double, requires_grad=True) * 1, double
    yield nn.Parameter(torch.tensor(single)), single
    yield torch.complex(torch.tensor(double), torch.tensor(-double)).conj().imag, double
    with torch.inference_mode():
        yield torch.tensor(double), double
    integers = (10 * double).astype(np.int64)
    yield torch.tensor(integers), integers
    yield torch.tensor(integers > 0), integers > 0
    yield torch.tensor(integers.astype(np.uint8)), integers.astype(np.uint8)


@pytest.mark.parametrize("number", range(13))
def test_tensors_have_the_values_and_fingerprints_of_arrays(number):
    tensor, array = list(views(NORMAL))[number]
    rows, data = on_device(tensor), Data.of(array)
    assert rows.tensor.dtype in (torch.float32, torch.float64)
    assert not rows.tensor.requires_grad
    assert not rows.tensor.is_neg()
    assert type(rows.tensor) is torch.Tensor
    np.testing.assert_array_equal(rows.rows, data.rows)
    assert rows.fingerprint() == data.fingerprint()
    assert rows.unit_roundoff == Data.of(tensor).unit_roundoff


def test_rows_that_need_no_conversion_are_not_copied():
    X = torch.tensor(NORMAL)
    assert on_device(X).tensor.data_ptr() == X.data_ptr()


@pytest.mark.parametrize("X", [NORMAL, NORMAL.tolist(), NORMAL.astype(np.float32), NORMAL[::-1]])
def test_other_data_are_checked_on_the_processor(X):
    rows = on_device(X)
    np.testing.assert_array_equal(rows.tensor.numpy(), Data.of(X).rows)
    assert rows.fingerprint() == Data.of(X).fingerprint()


def test_an_array_that_cannot_be_written_is_copied():
    X = np.random.default_rng(0).normal(size=(5, 2))
    X.setflags(write=False)
    np.testing.assert_array_equal(on_device(X).tensor.numpy(), X)


def test_directions_are_those_of_the_core():
    X = torch.tensor(np.concatenate([NORMAL, 3 * NORMAL]))
    rows, data = on_device(X, "cosine"), Data.of(X, "cosine")
    np.testing.assert_array_equal(rows.tensor.numpy(), data.rows)
    np.testing.assert_array_equal(rows.rows, data.rows)
    assert rows.fingerprint() == data.fingerprint()
    assert len(np.unique(rows.rows, axis=0)) == 40


@pytest.mark.parametrize("X", [torch.tensor(NORMAL), NORMAL])
def test_subsets_are_those_of_the_processor(X):
    rows, data = on_device(X).limited(7, 3), Data.of(X).limited(7, 3)
    np.testing.assert_array_equal(rows.tensor.numpy(), data.rows)
    np.testing.assert_array_equal(rows.chosen, data.chosen)
    assert rows.fingerprint() == data.fingerprint()
    assert rows.n_samples == 7
    whole = on_device(X)
    assert whole.limited(40, 3) is whole
    assert whole.limited(None, 3) is whole


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_distinct_rows_are_counted_where_they_are_few(monkeypatch, dtype):
    monkeypatch.setattr(device_rows, "PIECE", 32)
    few = np.repeat([[0.0, 1.0], [-0.0, 1.0], [2.0, 5.0]], 10, axis=0).astype(dtype)
    for X in (few, NORMAL.astype(dtype), few[:1], np.arange(32.0, dtype=dtype).reshape(16, 2)):
        assert on_device(torch.tensor(X)).few_distinct() == Data.of(X).few_distinct() == on_device(X).few_distinct()
    assert on_device(torch.tensor(few)).few_distinct() == 2


def test_codes_of_integers_differ():
    """Integers have zeros in the low half of their bits."""
    X = np.stack(np.meshgrid(np.arange(200.0), np.arange(200.0)), axis=-1).reshape(-1, 2)
    assert len(np.unique(device_rows._row_codes(torch.tensor(X)))) == len(X)


@pytest.mark.parametrize(
    ("X", "error", "text"),
    [
        (torch.zeros(3), ValueError, r"two dimensions \[N, D\], got shape \(3,\): X\.reshape\(-1, 1\) makes"),
        (torch.zeros(2, 3, 4), ValueError, r"got shape \(2, 3, 4\): X\.flatten\(1\) flattens each row"),
        (torch.tensor(1.0), ValueError, r"got shape \(\)$"),
        (torch.zeros(0, 4), ValueError, r"at least one row and one column, got shape \(0, 4\)"),
        (torch.zeros(4, 0), ValueError, r"at least one row and one column, got shape \(4, 0\)"),
        (torch.zeros(2, 2, dtype=torch.complex64), TypeError, r"dtype torch\.complex64: torch\.abs\(X\)"),
        (torch.eye(3).to_sparse(), TypeError, r"a dense tensor, got the layout torch\.sparse_coo: X\.to_dense\(\)"),
    ],
)
def test_tensors_that_are_no_rows_are_refused(X, error, text):
    with pytest.raises(error, match=text):
        on_device(X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_named_by_their_place(monkeypatch, value):
    monkeypatch.setattr(device_rows, "PIECE", 32)
    X = torch.tensor(NORMAL)
    X[25, 1] = value
    with pytest.raises(ValueError, match=f"^X must be finite, got {value} in row 25, column 1$"):
        on_device(X)


@pytest.mark.parametrize("metric", ["precomputed", "affinity"])
def test_pairs_are_left_to_the_core(metric):
    with pytest.raises(ValueError, match=f"metric must be 'euclidean' or 'cosine' where device is 'cpu', .*{metric}"):
        on_device(torch.eye(3), metric)


def test_a_device_without_float64_takes_what_float32_holds(without_float64):
    integers = np.arange(12).reshape(4, 3)
    single = NORMAL.astype(np.float32)
    for X in (torch.tensor(integers), integers, single.astype(np.float64), torch.tensor(single)):
        rows = on_device(X)
        assert rows.tensor.dtype == torch.float32
        np.testing.assert_array_equal(rows.tensor.numpy(), np.asarray(X))
        assert rows.fingerprint() == Data.of(X).fingerprint()


@pytest.mark.parametrize("X", [NORMAL, NORMAL * 1e200, torch.tensor([[2**24 + 1]])])
def test_a_device_without_float64_refuses_what_float32_rounds(without_float64, X):
    with pytest.raises(ValueError, match="where device is 'cpu', which has no float64: numbers rounded to float32"):
        on_device(X)


def test_a_device_without_float64_rounds_directions(without_float64):
    rows = on_device(NORMAL, "cosine")
    np.testing.assert_array_equal(rows.tensor.numpy(), Data.of(NORMAL, "cosine").rows.astype(np.float32))
