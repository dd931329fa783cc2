"""The probe: which items it has, their labels, their digest, and what it leaves as it was."""

import hashlib
import random
from collections import UserDict, namedtuple

import numpy as np
import pytest
import torch
from dsentropy.integrations.torch.probe import require_probe, take_probe
from dsentropy.integrations.torch.structure import leaves, on_device, run
from dsentropy.monitor import MonitorWarning
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

X = torch.arange(20.0).reshape(10, 2)
Y = torch.arange(10) % 3


def taken(probe, batch_size=4, seed=0):
    require_probe(probe)
    return take_probe(probe, batch_size, seed)


def inputs(probe):
    return torch.cat(
        [batch.content if isinstance(batch.content, torch.Tensor) else batch.content[0] for batch in probe.batches]
    )


class Augmenting(Dataset):
    """Adds numbers of all generators, and of one of its own."""

    def __init__(self):
        self.rng = np.random.default_rng()

    def __len__(self):
        return len(X)

    def __getitem__(self, i):
        noise = torch.rand(2) + random.random() + np.random.rand() + float(self.rng.random())
        return X[i] + noise, int(Y[i])


@pytest.mark.parametrize(
    "probe",
    [
        X,
        X.numpy(),
        (X, Y),
        (X.numpy(), Y.numpy()),
        [X[:7], X[7:]],
        [(X[:3], Y[:3]), (X[3:], Y[3:])],
        (batch for batch in [X[:1], X[1:]]),
        DataLoader(TensorDataset(X, Y), 3),
        TensorDataset(X, Y),
        TensorDataset(X),
    ],
)
def test_items_of_all_kinds_of_probes(probe):
    found = taken(probe)
    assert torch.equal(inputs(found), X)
    assert [batch.first for batch in found.batches] == np.cumsum(
        [0, *[b.n_items for b in found.batches[:-1]]]
    ).tolist()
    assert found.n_items == 10
    assert found.digest == taken(X).digest  # of the inputs alone, whatever the batches


def test_batches_are_of_the_size_that_is_asked_for():
    assert [batch.n_items for batch in taken(X, 4).batches] == [4, 4, 2]
    assert [batch.n_items for batch in taken(TensorDataset(X), 6).batches] == [6, 4]


def test_a_mapping_is_cut_with_its_entries():
    found = taken({"a": X, "b": Y}, 6)
    assert [list(batch.content) for batch in found.batches] == [["a", "b"]] * 2
    assert torch.equal(found.batches[1].content["b"], Y[6:])
    assert taken({"a": X, "b": Y}, 3).digest == found.digest
    assert taken({"b": X, "a": Y}, 3).digest != found.digest


def test_the_digest_is_of_types_shapes_and_bytes():
    digest = taken(X).digest
    assert digest == hashlib.sha256(b"[('', ('torch.float32', '(2,)'))]" + X.numpy().tobytes()).hexdigest()[:16]
    changed = X.clone()
    changed[9, 1] = -0.0
    others = [changed, X.double(), X.reshape(10, 1, 2), X.reshape(5, 4), X[:9], X.flip(0), X.view(torch.int32)]
    assert len({digest, *(taken(other).digest for other in others)}) == 8
    assert taken((X, Y)).digest == taken((X, 1 - Y)).digest == digest  # labels are no inputs
    for kind in (torch.bool, torch.bfloat16, torch.complex64):
        assert taken(X.to(kind)).digest != digest


def test_batches_of_unknown_sizes_have_a_digest():
    batches = [{"a": X, "n": 3}, {"a": X[:4], "b": torch.tensor(2.0), "c": X[:3].to_sparse(), "text": "x"}]
    found = taken(batches)
    assert [batch.n_items for batch in found.batches] == [10, None]
    assert (found.n_items, found.labels) == (None, None)
    assert taken(batches[1:]).digest != taken([{**batches[1], "text": "y"}]).digest != taken(batches).digest


def test_labels_come_with_the_items():
    loader = DataLoader(TensorDataset(X, Y), 3, shuffle=True)
    found = taken(loader)
    order = (inputs(found)[:, 0] / 2).long()
    assert order.tolist() != list(range(10))
    assert torch.equal(torch.from_numpy(found.labels), Y[order])


@pytest.mark.parametrize(
    ("probe", "expected"),
    [
        (X, None),
        ((X, Y), Y),
        ((X, Y, Y), None),
        ((X, X), None),
        ((X, X[:, 0]), None),
        ([(X, ["a"] * 10)], ["a"] * 10),
        ([(X, [object()] * 10)], None),
        ([(X, Y[:9])], None),
        ([(X, Y), X], None),
        ((X, np.array(list("abcdefghij"))), list("abcdefghij")),
        ({"x": X, "labels": Y}, Y),
        ({"x": X, "label": Y == 1}, Y == 1),
        ({"x": X, "labels": X}, None),
        ([({"x": X}, Y)], Y),
    ],
)
def test_labels_are_classes_of_items(probe, expected):
    found = taken(probe).labels
    assert (found is None) if expected is None else found.tolist() == np.asarray(expected).tolist()


@pytest.mark.parametrize(("workers", "persistent"), [(0, False), (1, False), (1, True)])
def test_a_loader_gives_the_items_of_the_seed_and_no_generator_moves(workers, persistent):
    data, generator = Augmenting(), torch.Generator()
    loader = DataLoader(
        data, 4, shuffle=True, num_workers=workers, generator=generator, persistent_workers=persistent
    )
    generators = [generator.get_state(), torch.get_rng_state(), random.getstate()]
    arrays = [str(data.rng.bit_generator.state), str(np.random.get_state())]
    first = taken(loader)
    assert all(
        torch.equal(*states) if isinstance(states[0], torch.Tensor) else states[0] == states[1]
        for states in zip(generators, [generator.get_state(), torch.get_rng_state(), random.getstate()], strict=True)
    )
    assert arrays == [str(data.rng.bit_generator.state), str(np.random.get_state())]
    torch.rand(3, generator=generator)
    torch.rand(3)
    assert taken(loader).digest == first.digest
    assert taken(loader, seed=1).digest != first.digest


def test_persistent_workers_of_an_epoch_in_progress_go_on():
    def batches(is_probed):
        loader = DataLoader(TensorDataset(X), 2, num_workers=1, persistent_workers=True)
        for i, (batch,) in enumerate(loader):
            if is_probed and i == 1:
                taken(loader)
            yield batch

    assert torch.equal(torch.cat(list(batches(True))), X)


def test_items_are_copies():
    given = X.clone()
    found = taken([given])
    given.zero_()
    assert torch.equal(inputs(found), X)
    moved = on_device(found.batches[0].content, "cpu")
    moved.zero_()
    assert torch.equal(inputs(found), X)


def test_structures_of_a_batch_keep_their_classes():
    pair = namedtuple("Pair", "x y")
    packed = pack_sequence([X[:, 0], X[:5, 0]])
    other = UserDict(a=X)
    copied = on_device({"pair": pair(X, "text"), "packed": packed, "other": other, "list": [X, 3]}, "cpu")
    assert isinstance(copied["pair"], pair)
    assert copied["pair"].y == "text"
    assert isinstance(copied["packed"], type(packed))
    assert isinstance(copied["other"], UserDict)
    assert copied["other"]["a"] is not other["a"]
    assert [path for path, _ in leaves(copied)] == [".pair.0", ".pair.1", ".packed", ".other.a", ".list.0", ".list.1"]
    assert taken([packed]).n_items is None


def test_how_a_batch_is_given_to_a_model():
    def model(*args, **kwargs):
        return args, kwargs

    assert run(model, 1) == ((1,), {})
    assert run(model, (1, 2)) == ((1,), {})
    assert run(model, [(1, 3), 2]) == ((1, 3), {})
    assert run(model, {"x": 1, "labels": 2, "label_ids": 3}) == ((), {"x": 1})
    assert run(model, ({"x": 1, "label": 2}, 2)) == ((), {"x": 1})
    assert run(model, []) == ((), {})


class Nothing(IterableDataset):
    def __iter__(self):
        return iter(())


@pytest.mark.parametrize("probe", [[], X[:0], DataLoader(Nothing()), (batch for batch in ())])
def test_no_items_are_refused(probe):
    with pytest.raises(ValueError, match="probe must have one item or more, got none"):
        taken(probe)


@pytest.mark.parametrize(
    ("probe", "error", "text"),
    [
        ("text", TypeError, "probe must be a DataLoader, batches, or tensors, got 'text'"),
        (3, TypeError, "probe must be a DataLoader, batches, or tensors, got 3"),
        (torch.tensor(1.0), TypeError, "probe must have tensors with an axis of items, got"),
        ((X, 3), TypeError, "probe must have tensors with an axis of items, got 3"),
        ((X, Y[:9]), ValueError, r"probe must have tensors of one length, got \[9, 10\]: a list stands for batches"),
        ({}, ValueError, r"probe must have tensors of one length, got \[\]"),
    ],
)
def test_other_probes_are_refused(probe, error, text):
    with pytest.raises(error, match=text):
        taken(probe)


@pytest.mark.parametrize("label", [1, "a", torch.tensor(1)])
def test_items_in_place_of_batches_are_a_warning(label):
    items = [(torch.ones(4), label), (torch.zeros(4), label)]
    for probe in (items, [{"x": x, "label": y} for x, y in items]):
        with pytest.warns(MonitorWarning, match="probe must have batches, got entries with a single label each"):
            take_probe(probe, 8, 0)
