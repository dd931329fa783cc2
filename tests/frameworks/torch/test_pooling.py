"""Outputs of layers to rows, against formulas in NumPy."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from dsentropy.integrations.torch import as_pool, pooled

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3))
MASK = np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0]])
"""Padding on the right, on the left, none, and in between."""

EXPECTED = {
    "mean": lambda item: item.mean(axis=0),
    "max": lambda item: item.max(axis=0),
    "cls": lambda item: item[0],
    "last": lambda item: item[-1],
}


def rows(output, pool, mask=None):
    return pooled(output, pool, mask, "layer")


@pytest.mark.parametrize("pool", EXPECTED)
@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.float32])
def test_tokens_that_are_padding_are_left_out(pool, kind):
    padded = torch.from_numpy(np.where(MASK[:, :, None] == 1, X, np.nan))  # nan must reach nothing
    expected = [EXPECTED[pool](item[kept == 1]) for item, kept in zip(X, MASK, strict=True)]
    np.testing.assert_allclose(rows(padded, pool, torch.from_numpy(MASK).to(kind)), expected, rtol=1e-14)


@pytest.mark.parametrize("pool", EXPECTED)
def test_all_tokens_count_without_a_mask(pool):
    expected = [EXPECTED[pool](item) for item in X]
    np.testing.assert_allclose(rows(torch.from_numpy(X), pool), expected, rtol=1e-14)


def test_each_token_that_is_no_padding_is_a_row():
    np.testing.assert_array_equal(rows(torch.from_numpy(X), "tokens"), X.reshape(20, 3))
    np.testing.assert_array_equal(rows(torch.from_numpy(X), "tokens", torch.from_numpy(MASK)), X[MASK == 1])


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 2, 4, 5)])
def test_positions_in_space_are_tokens(shape):
    images = RNG.normal(size=shape)
    tokens = images.reshape(2, 3, -1).transpose(0, 2, 1)
    given = torch.from_numpy(images)
    np.testing.assert_array_equal(rows(given, "tokens"), tokens.reshape(-1, 3))
    np.testing.assert_allclose(rows(given, "mean"), tokens.mean(axis=1), rtol=1e-14)
    np.testing.assert_array_equal(rows(given, "max"), tokens.max(axis=1))
    np.testing.assert_array_equal(rows(given, "cls"), tokens[:, 0])
    np.testing.assert_array_equal(rows(given, "last"), tokens[:, -1])
    np.testing.assert_array_equal(rows(given, "flatten"), images.reshape(2, -1))


@pytest.mark.parametrize("pool", [*EXPECTED, "tokens", "flatten"])
def test_rows_are_taken_as_they_are(pool):
    np.testing.assert_array_equal(rows(torch.from_numpy(X[:, 0]), pool, torch.from_numpy(MASK)), X[:, 0])
    np.testing.assert_array_equal(rows(torch.arange(3), pool), [[0], [1], [2]])


def test_flatten_keeps_the_order_and_refuses_padding():
    given = torch.from_numpy(X)
    np.testing.assert_array_equal(rows(given, "flatten", torch.ones(4, 5)), X.reshape(4, 15))
    with pytest.raises(ValueError, match="pool must not be 'flatten' where a mask has padding, of layer 'layer'"):
        rows(given, "flatten", torch.from_numpy(MASK))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("mask", [None, torch.tensor([[1, 1, 0]] * 2)])
def test_means_of_narrow_types_do_not_overflow(dtype, mask):
    output = torch.full((2, 3, 2), 6e4, dtype=dtype)
    found = rows(output, "mean", mask)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, output[:, 0].float().numpy())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float8_e4m3fn])
@pytest.mark.parametrize("pool", ["tokens", "flatten", "last"])
def test_narrow_types_become_float32(dtype, pool):
    output = torch.tensor([[[1.5, -2.0]]]).to(dtype)
    found = rows(output, pool)
    assert found.dtype == np.float32
    assert found.tolist() == [[1.5, -2.0]]


@pytest.mark.parametrize(("dtype", "kind"), [(torch.int8, np.int8), (torch.bool, np.bool_), (torch.float64, float)])
def test_the_maximum_of_other_types_keeps_them(dtype, kind):
    values = torch.tensor([[[0, 0], [0, 0], [1, 1]]]).to(dtype)
    found = rows(values, "max", torch.tensor([[1, 1, 0]]))
    assert found.dtype == kind
    assert found.tolist() == [[0, 0]]
    assert rows(values, "mean").dtype in (np.float32, np.float64)


def test_rows_are_a_copy():
    output = torch.ones(2, 3)
    found = rows(output, "mean")
    output.zero_()
    assert found.all()


def test_no_items_are_no_rows():
    assert rows(torch.ones(0, 4, 3), "tokens").shape == (0, 3)


def test_the_tensor_of_an_output():
    states, other = torch.ones(2, 3), torch.zeros(2, 3)
    for output in [
        states,
        (states, other),
        [None, (states, other)],
        {"logits": states},
        {"loss": None, "logits": (states,)},
        {"logits": other, "last_hidden_state": states},
    ]:
        assert rows(output, "mean").all()
    for output, kind in [(None, "None"), ([], "list"), (SimpleNamespace(x=states), "SimpleNamespace")]:
        with pytest.raises(TypeError, match=f"layer 'layer' must return a tensor, or .* got .*{kind}"):
            rows(output, "mean")
    with pytest.raises(ValueError, match="layer 'layer' must return a tensor with an axis of items"):
        rows(torch.tensor(1.0), "mean")


def test_a_callable_gets_the_output_and_the_mask_where_it_takes_one():
    output, mask = torch.from_numpy(X), torch.from_numpy(MASK)
    np.testing.assert_array_equal(rows(output, lambda x: x[:, 1], mask), X[:, 1])
    np.testing.assert_array_equal(rows(output, lambda x, kept: x[kept == 1], mask), X[MASK == 1])
    np.testing.assert_array_equal(rows(output, lambda x, mask=None: x[mask == 1], mask), X[MASK == 1])
    np.testing.assert_array_equal(rows(output, lambda x, dim=1: x.amax(dim), mask), X.max(axis=1))
    np.testing.assert_array_equal(rows(output, torch.flatten, mask), X.reshape(-1, 1))
    np.testing.assert_array_equal(rows(output, torch.nn.Flatten(), mask), X.reshape(4, 15))
    for bad in [lambda x: x.sum(), lambda x: x.numpy()]:
        with pytest.raises(TypeError, match="pool must return a tensor with one row or more, of layer 'layer'"):
            rows(output, bad)


def test_outputs_that_are_no_dense_real_numbers_are_refused():
    output = torch.ones(2, 3, dtype=torch.complex64)
    with pytest.raises(TypeError, match=r"layer 'layer' must return real numbers, got torch\.complex64"):
        rows(output, "mean")
    assert rows(output, torch.view_as_real).tolist() == [[1, 0] * 3] * 2  # the way out that the error names
    with pytest.raises(TypeError, match="layer 'layer' must return a dense tensor, got layout"):
        rows(torch.eye(3).to_sparse(), "mean")
    assert rows(torch.eye(3).to_sparse(), torch.Tensor.to_dense).tolist() == np.eye(3).tolist()
    conjugate = torch.ones(2, 3, dtype=torch.complex64).conj().imag  # numbers whose sign is still to be turned
    assert rows(conjugate, "mean").tolist() == [[0.0] * 3] * 2


def test_masks_are_checked():
    output = torch.from_numpy(X)
    with pytest.raises(ValueError, match=r"mask must have the shape .* of layer 'layer', \(4, 5\), got \(4, 6\)"):
        rows(output, "mean", torch.ones(4, 6))
    with pytest.raises(TypeError, match="mask must be a tensor"):
        rows(output, "mean", MASK)
    empty = torch.from_numpy(MASK.copy())
    empty[2] = 0
    with pytest.raises(ValueError, match="mask must have a token of each item, got none of item 12"):
        pooled(output, "tokens", empty, "layer", first=10)


@pytest.mark.parametrize(("pool", "error"), [("median", ValueError), (3, TypeError), (None, TypeError)])
def test_other_pools_are_refused(pool, error):
    with pytest.raises(error, match="pool must be"):
        as_pool(pool)
