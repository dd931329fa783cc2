"""Probes of Keras: arrays, several inputs, data sets; their labels and digests."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from dsentropy.integrations.keras.generators import kept_generators
from dsentropy.integrations.keras.probe import Probe

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 3)).astype("float32")
Y = RNG.integers(0, 3, 10)


def items_of(probe: Probe) -> np.ndarray[Any, Any]:
    return np.concatenate([batch for batch, _ in probe.batches()])


class Batches(keras.utils.PyDataset):
    def __init__(self, num_batches: int | None = 4) -> None:
        super().__init__()
        self._number = num_batches

    @property
    def num_batches(self) -> int | None:
        return self._number

    def __getitem__(self, i: int) -> Any:
        np.random.random(3)
        return X[3 * i : 3 * i + 3], Y[3 * i : 3 * i + 3]


@pytest.mark.parametrize(
    "given",
    [
        X,
        X.tolist(),
        (X,),
        (X, Y),
        (X, Y, np.ones(10)),
        (keras.ops.convert_to_tensor(X), keras.ops.convert_to_tensor(Y)),
        Batches(),
        ((X[i : i + 4], Y[i : i + 4]) for i in (0, 4, 8)),
        [X],
    ],
)
def test_items_and_digest_do_not_depend_on_the_form(given: Any) -> None:
    state = np.random.get_state()[1].copy()
    probe = Probe(given, 4)
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    found = np.concatenate([np.concatenate(keras.tree.flatten(batch)) for batch, _ in probe.batches()])
    np.testing.assert_array_equal(found, X)
    assert {size for _, size in probe.batches()} <= {4, 3, 2, 1}
    np.testing.assert_array_equal(found.dtype, probe._batches[0][0][0].dtype)
    digests = {Probe(X, size).digest for size in (1, 3, 10)}
    assert len(digests) == 1
    assert (probe.digest in digests) == (found.dtype == np.float32)
    assert Probe(X[::-1], 4).digest not in digests
    assert Probe(X.reshape(10, 3, 1), 4).digest not in digests


def test_several_inputs() -> None:
    pair, named = Probe([X, X[:, :1]], 4), Probe({"a": X, "b": X[:, :1]}, 4)
    first, size = next(pair.batches())
    np.testing.assert_array_equal(first[1], X[:4, :1])
    assert size == 4
    np.testing.assert_array_equal(next(named.batches())[0]["b"], X[:4, :1])
    assert pair.digest == named.digest
    assert pair.labels is None


def test_the_probe_is_a_copy() -> None:
    given = X.copy()
    probe = Probe(given, 4)
    given += 1
    next(probe.batches())[0][:] = 7  # what a model writes stays in its batch
    np.testing.assert_array_equal(items_of(probe), X)


ONE_HOT = np.eye(3)[Y]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (Y, Y),
        (Y[:, None], Y),
        (Y.astype("float32"), Y),
        (ONE_HOT, Y),
        (ONE_HOT.astype(int), Y),
        (Y == 1, Y == 1),
        (Y.astype(str), Y.astype(str)),
        (Y.tolist(), Y),
        (X[:, 0], None),
        (X, None),
        (np.stack([Y, Y], axis=1), None),
        (np.ones((10, 3, 2)), None),
        ({"a": Y}, None),
        ([Y, Y], None),
        (None, None),
    ],
)
def test_labels_are_classes_one_an_item(labels: Any, expected: Any) -> None:
    found = Probe((X, labels), 4).labels
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_array_equal(found, expected)


def test_batches_without_labels_have_none() -> None:
    assert Probe(iter([(X, Y), (X, None)]), 4).labels is None
    np.testing.assert_array_equal(Probe(Batches(), 4).labels, Y)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (3, "probe must be arrays, a tuple"),
        (X[:0], "probe must have at least one item, got none"),
        (iter([]), "probe must have at least one item, got none"),
        (np.float32(3), "probe must have an axis of items"),
        ([X, X[:4]], r"probe must have as many items in each input, got \[10, 4\]"),
        ((X, Y[:4]), "probe must have a label of each item, 10, got 4"),
        (Batches(None), "probe must have an end, got a PyDataset whose num_batches is None"),
    ],
)
def test_errors(given: Any, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        Probe(given, 4)


def test_a_loader_of_pytorch_leaves_the_order_of_the_training() -> None:
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    data = torch.utils.data.TensorDataset(torch.as_tensor(X), torch.as_tensor(Y))
    loader = torch.utils.data.DataLoader(data, batch_size=3, shuffle=True, generator=generator)
    state = generator.get_state()
    probe = Probe(loader, 4)
    assert torch.equal(generator.get_state(), state)
    order = [np.flatnonzero((row == X).all(axis=1))[0] for row in items_of(probe)]
    assert sorted(order) == [*range(10)]
    np.testing.assert_array_equal(probe.labels, Y[order])


def test_generators_without_pytorch(monkeypatch) -> None:
    """Where PyTorch is not loaded, those of Python and NumPy are put back."""
    import random
    import sys

    states = random.getstate(), np.random.get_state()[1].copy()
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with kept_generators():
        random.random()
        np.random.random()
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])


def test_a_list_of_batches_is_refused() -> None:
    batches = [(np.ones((3, 2)), np.zeros(3)), (np.ones((2, 2)), np.zeros(2))]
    with pytest.raises(ValueError, match="got a list of batches"):
        Probe(batches, 8)
    assert len(list(Probe(iter(batches), 8).batches())) == 2
