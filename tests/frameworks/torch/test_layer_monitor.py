"""Sweeps: values against activations by hand, rows, labels, errors, and what a sweep leaves behind."""

import gc
import re

import numpy as np
import pytest
import torch
from dsentropy.integrations.torch import LayerMonitor
from dsentropy.monitor import Monitor, MonitorWarning
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TIMES = ("time", "seconds", "run")
"""Fields that differ between two monitors of equal numbers."""


def same(records):
    return [{name: value for name, value in record.items() if name not in TIMES} for record in records]


def images(n=40):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(n, 1, 6, 6, generator=generator), torch.arange(n) % 3


def no_hooks(model):
    return not any(module._forward_hooks for module in model.modules())


def test_values_are_those_of_activations_by_hand(models):
    model, (X, y) = models.Convolutions(), images()
    watch = LayerMonitor(model, ["stem", "blocks.*", "head"], (X, y), batch_size=16)
    records = watch.sweep(5, epoch=2)
    with torch.no_grad():
        model.eval()
        stem = model.stem(X)
        first = model.blocks[0](model.act(model.norm(stem)).mean((2, 3)))
        second = model.blocks[1](first)
        by_hand = {"stem": stem.mean((2, 3)), "blocks.0": first, "blocks.1": second, "head": model(X)}
    assert watch.layers == tuple(by_hand)
    for name, rows in watch.activations().items():
        np.testing.assert_allclose(rows, by_hand[name], rtol=0, atol=1e-6)  # rounding of float32 of numbers up to 10
    monitor = Monitor(labels=y.numpy())
    assert same(records) == same(monitor.observe(5, watch.activations(), epoch=2, digest=watch.digest))
    assert {record["measure"] for record in records} > {"dse", "dsmi"}
    assert records == watch.monitor.records


def test_a_later_operation_in_place_does_not_change_the_rows():
    model = nn.Sequential(nn.Linear(3, 3), nn.ReLU(inplace=True), nn.Linear(3, 2))
    X = torch.randn(20, 3)
    assert LayerMonitor(model, "0", X).activations()["0"].min() < 0


def test_a_model_that_overwrites_its_input_gets_the_items_at_each_sweep():
    X = torch.randn(20, 3)
    watch = LayerMonitor(nn.Sequential(nn.Identity(), nn.Hardtanh(inplace=True)), "0", X)
    first, second = (watch.activations()["0"] for _ in range(2))
    np.testing.assert_array_equal(first, X)
    np.testing.assert_array_equal(second, X)


def test_hooks_are_there_within_the_pass_only(models):
    model, (X, _) = models.Convolutions(), images()
    seen = []

    def forward(net, batch):
        seen.append(no_hooks(net))
        net(batch)

    watch = LayerMonitor(model, "stem", X, forward=forward)
    assert no_hooks(model)
    watch.sweep(0)
    assert seen == [False]
    assert no_hooks(model)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_all_is_as_before_after_an_error_in_the_model(models, error):
    model, (X, _) = models.Convolutions(), images()
    modes, fast = [module.training for module in model.modules()], torch.backends.mha.get_fastpath_enabled()
    state = torch.get_rng_state()

    def forward(net, batch):
        torch.rand(1)
        net(batch)
        raise error

    with pytest.raises(error):
        LayerMonitor(model, "**", X, forward=forward).sweep(0)
    assert no_hooks(model)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.is_grad_enabled()
    assert torch.backends.mha.get_fastpath_enabled() == fast


def test_a_layer_that_does_not_run_is_an_error_that_names_it(models):
    model, (X, _) = models.Convolutions(), images()
    model.unused = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match=r"layers must run in the pass, and 'unused' did not: .* forward= may"):
        LayerMonitor(model, ["stem", "unused"], X).sweep(0)
    functional = nn.MultiheadAttention(4, 2)
    with pytest.raises(RuntimeError, match="'out_proj' did not"):
        LayerMonitor(functional, "out_proj", torch.randn(3, 5, 4), forward=lambda m, b: m(b, b, b)).sweep(0)


def test_a_layer_that_runs_again_is_an_error_that_names_it():
    act = nn.ReLU()
    model = nn.Sequential(nn.Linear(3, 3), act, nn.Linear(3, 3), act)
    with pytest.raises(ValueError, match="layer '1' must run once in a pass, and ran again"):
        LayerMonitor(model, "1", torch.randn(5, 3)).sweep(0)


def test_each_batch_runs_each_layer(models):
    model, (X, _) = models.Convolutions(), images()

    def forward(net, batch):
        if len(batch) == 8:
            return net(batch)
        return net.stem(batch)

    with pytest.raises(RuntimeError, match="'head' did not"):
        LayerMonitor(model, ["stem", "head"], X[:20], batch_size=8, forward=forward).sweep(0)


def test_rows_of_another_number_than_items_are_an_error():
    lstm = nn.LSTM(3, 4)  # the first axis is time
    batches = DataLoader(TensorDataset(torch.randn(10, 5, 3), torch.arange(10)), 10)
    forward = lambda model, batch: model(batch[0].transpose(0, 1))  # noqa: E731
    with pytest.raises(ValueError, match=r"layer 'LSTM' must return one entry an item .*, 10 in this batch, got 5"):
        LayerMonitor(lstm, lstm, batches, forward=forward).sweep(0)
    watch = LayerMonitor(lstm, lstm, batches, forward=forward, pool=lambda x: x[-1])
    assert watch.activations()["LSTM"].shape == (10, 4)


def test_another_width_in_another_batch_is_an_error():
    batches = [torch.randn(4, 3, 2), torch.randn(4, 5, 2)]
    with pytest.raises(
        ValueError, match=r"layer '0' must have as many numbers a row in each batch, 6, got 10: pool="
    ):
        LayerMonitor(nn.Sequential(nn.Identity()), "0", batches, pool="flatten").sweep(0)
    assert LayerMonitor(nn.Sequential(nn.Identity()), "0", batches, pool="tokens").activations()["0"].shape == (32, 2)


@pytest.mark.parametrize("pool", ["mean", "max", "cls", "last", "tokens"])
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_padded_batch_is_its_items_alone(models, pool, side):
    model, generator = models.Tokens(), torch.Generator().manual_seed(0)
    items = [torch.randint(20, (n,), generator=generator) for n in (3, 5, 2, 4)]
    padded = nn.utils.rnn.pad_sequence(items, True, padding_side=side)
    lengths = nn.utils.rnn.pad_sequence([torch.ones(len(item)) for item in items], True, padding_side=side)
    probe = {"input_ids": padded, "attention_mask": lengths, "labels": torch.arange(4)}
    together = LayerMonitor(model, "**", probe, pool=pool)
    alone = LayerMonitor(model, "**", [item[None] for item in items], pool=pool)
    assert together.layers == ("embed", "mix")
    for name, rows in together.activations().items():
        np.testing.assert_allclose(rows, alone.activations()[name], rtol=0, atol=1e-6)  # rounding of float32


def test_masks_by_key_and_by_callable(models):
    model, ids = models.Tokens(), torch.randint(20, (6, 5), generator=torch.Generator().manual_seed(0))
    kept = torch.arange(5) < torch.tensor([[1], [2], [3], [4], [5], [5]])
    forward = lambda model, batch: model(batch["input_ids"])  # noqa: E731
    expected = LayerMonitor(model, "mix", {"input_ids": ids, "attention_mask": kept}, pool="tokens").activations()
    for mask in ["kept", lambda batch: batch["kept"]]:
        probe = {"input_ids": ids, "kept": kept}
        watch = LayerMonitor(model, "mix", probe, pool="tokens", mask=mask, forward=forward, batch_size=4)
        np.testing.assert_array_equal(watch.activations()["mix"], expected["mix"])
    without = LayerMonitor(model, "mix", {"input_ids": ids, "attention_mask": kept}, mask=lambda batch: None)
    np.testing.assert_allclose(without.activations()["mix"], LayerMonitor(model, "mix", ids).activations()["mix"])
    with pytest.raises(ValueError, match=r"mask must be a key of each batch, \['input_ids'\], got 'kept'"):
        LayerMonitor(model, "mix", {"input_ids": ids}, mask="kept").sweep(0)
    with pytest.raises(ValueError, match=r"mask must be a key of each batch, \[\], got 'kept'"):
        LayerMonitor(model, "mix", ids, mask="kept").sweep(0)
    kept[5] = False
    with pytest.raises(ValueError, match="mask must have a token of each item, got none of item 5"):
        LayerMonitor(model, "mix", {"input_ids": ids, "attention_mask": kept}, batch_size=4).sweep(0)


@pytest.mark.parametrize("pool", ["mean", "tokens"])
def test_at_most_max_rows_are_taken_the_same_ones_at_each_sweep(models, pool):
    model, X = models.Convolutions(), images(60)[0]
    n = 60 if pool == "mean" else 60 * 16
    every = LayerMonitor(model, ["stem", "norm", "head"], X, pool=pool, batch_size=7).activations()
    watch = LayerMonitor(model, ["stem", "norm", "head"], X, pool=pool, batch_size=7, max_rows=25)
    first, second = watch.activations(), watch.activations()
    places = {}
    for name in ("stem", "norm"):
        assert first[name].shape == (25, 4)
        np.testing.assert_array_equal(first[name], second[name])
        places[name] = [np.flatnonzero((every[name] == row).all(axis=1))[0] for row in first[name]]
        assert len(every[name]) == n
    assert places["stem"] == places["norm"] == sorted(set(places["stem"]))
    assert min(places["stem"]) < n // 5 < 4 * n // 5 < max(places["stem"])
    assert len(first["head"]) == 25
    other = LayerMonitor(model, "stem", X, pool=pool, max_rows=25, random_state=1)
    assert not np.array_equal(other.activations()["stem"], first["stem"])
    assert other.digest != watch.digest != LayerMonitor(model, "stem", X).digest


def test_few_rows_more_than_max_rows_are_copied(models, monkeypatch):
    """Before their number is known, about k (1 + ln(N / k)) of N rows, and k afterwards."""
    from dsentropy.integrations.torch import hooks

    copied = []
    counted = hooks.as_numpy
    monkeypatch.setattr(hooks, "as_numpy", lambda rows: copied.append(len(rows)) or counted(rows))
    watch = LayerMonitor(nn.Sequential(nn.Identity()), "0", torch.randn(2000, 2), max_rows=50, batch_size=10)
    watch.activations()
    # The numbers that enter are independent with means k / n: their variance is below their mean.
    mean = 50 * (1 + np.log(2000 / 50))
    assert abs(sum(copied) - mean) < 5 * np.sqrt(mean) + 10
    copied.clear()
    watch.activations()
    assert sum(copied) == 50


def test_the_labels_of_a_loader_are_those_of_its_order(models):
    model, (X, y) = models.Convolutions(), images()
    loader = DataLoader(TensorDataset(X, y), 16, shuffle=True)
    seen = []
    watch = LayerMonitor(model, "stem", loader, forward=lambda net, batch: seen.append(batch[0]) or net(batch[0]))
    watch.activations()
    order = [int(np.flatnonzero((item == X).all(dim=(1, 2, 3)))[0]) for item in torch.cat(seen)]
    assert sorted(order) == [*range(40)] != order
    assert watch.labels.tolist() == y[order].tolist()
    expected = Monitor(labels=y[order].numpy()).observe(0, watch.activations(), digest=watch.digest)
    assert same(watch.sweep(0)) == same(expected)


@pytest.mark.parametrize(
    ("monitor", "pool", "measures"),
    [
        (None, "mean", {"dse", "dsmi"}),
        ({"t": 2}, "mean", {"dse", "dsmi"}),
        ({"measures": ["dsmi"]}, "mean", {"dsmi"}),
        ({"measures": frozenset(["dsmi"])}, "mean", {"dsmi"}),
        ({"measures": iter(["dse", "dsmi"])}, "mean", {"dse", "dsmi"}),
        ({"measures": "dse"}, "mean", {"dse"}),
        ({"labels": None}, "mean", {"dse"}),
        ({"inputs": np.arange(40.0)}, "mean", {"dse", "dsmi", "dsmi_inputs"}),
        (None, "tokens", {"dse"}),
    ],
)
def test_labels_of_the_probe_are_used_where_none_are_given(models, monitor, pool, measures):
    model, data = models.Convolutions(), images()
    records = LayerMonitor(model, "stem", data, monitor=monitor, pool=pool).sweep(0)
    always = {"mean_resultant", "spread", "effective_rank"}
    assert {record["measure"] for record in records} - always == measures
    assert not [record["reason"] for record in records if record["reason"]]


def test_labels_and_inputs_are_drawn_with_max_rows(models):
    model, (X, y) = models.Convolutions(), images()
    given = {"labels": y.tolist(), "inputs": X.flatten(1)[:, :2].numpy()}
    watches = [LayerMonitor(model, "stem", (X, y), max_rows=30, monitor=m) for m in (None, given)]
    found = [watch.sweep(0).select("dsmi") for watch in watches]
    assert same(found[0]) == same(found[1])
    assert found[0][0]["n"] == 30
    rows = watches[0].activations()["stem"]
    of_rows = LayerMonitor(model, "stem", (X, y)).activations()["stem"]
    chosen = [int(np.flatnonzero((of_rows == row).all(axis=1))[0]) for row in rows]
    assert watches[0].labels.tolist() == y[chosen].tolist()
    with pytest.raises(ValueError, match="labels must"):
        LayerMonitor(model, "stem", (X, y), max_rows=30, monitor={"labels": 3}).sweep(0)


def test_a_monitor_that_was_given_is_left_open(models, tmp_path):
    model, data = models.Convolutions(), images()
    with Monitor(log=tmp_path / "a.jsonl") as monitor:
        with LayerMonitor(model, "stem", data, monitor=monitor) as watch:
            watch.sweep(0)
            assert watch.monitor is monitor
        watch.sweep(1)
    with LayerMonitor(model, "stem", data, monitor={"log": tmp_path / "b.jsonl"}) as watch:
        assert not (tmp_path / "b.jsonl").exists()
        watch.sweep(0)
        made = watch.monitor
    with pytest.raises(RuntimeError, match="closed"):
        made.flush() or made.resume(0)
    LayerMonitor(model, "stem", data).close()  # nothing was made


def test_another_probe_than_that_of_the_run_is_a_warning(models, tmp_path):
    model, (X, y) = models.Convolutions(), images()
    for probe, warns in [((X, y), False), ((X, y), False), ((X + 1, y), True)]:
        with LayerMonitor(model, "stem", probe, monitor={"log": tmp_path / "a.jsonl"}) as watch:
            if warns:
                with pytest.warns(MonitorWarning, match="probe must be that of the earlier records of run"):
                    watch.sweep(2)
            else:
                watch.sweep(0)
            watch.sweep(3)


@pytest.mark.parametrize("is_made", [False, True])
@pytest.mark.parametrize(
    ("kind", "shuffle", "warns"),
    [
        ("of the data", True, "labels"),
        ("of the data", False, None),
        ("of the loader", True, None),
        ("renamed", True, None),
        ("fewer", True, "labels"),
        ("inputs", True, "inputs"),
        ("inputs", False, None),
        ("none", True, None),
    ],
)
def test_labels_in_another_order_than_a_loader_draws_are_a_warning(models, is_made, kind, shuffle, warns):
    model, (X, y) = models.Convolutions(), images()
    loader = DataLoader(TensorDataset(X, y), 16, shuffle=shuffle)
    of_loader = LayerMonitor(model, "stem", loader).labels
    given = {
        "of the data": {"labels": y.numpy()},
        "of the loader": {"labels": of_loader},
        "renamed": {"labels": np.array(["b", "c", "a"])[of_loader]},
        "fewer": {"labels": of_loader // 2},
        "inputs": {"inputs": X.flatten(1)[:, :2].numpy()},
        "none": {},
    }[kind]
    options = {"num_threads": 1, "n_repeats": 2, "max_samples": 30, **given}
    watch = LayerMonitor(model, "stem", loader, monitor=Monitor(**options) if is_made else options)
    if warns is None:
        watch.sweep(0)
    else:
        with pytest.warns(MonitorWarning, match=f"monitor must have {warns} in the order of the probe"):
            watch.sweep(0)
    watch.sweep(1)


def test_labels_of_a_shuffling_loader_without_any_are_a_warning(models):
    model, (X, y) = models.Convolutions(), images()
    loader = DataLoader(TensorDataset(X), 16, shuffle=True)
    watch = LayerMonitor(model, "stem", loader, monitor={"labels": y.numpy(), "num_threads": 1})
    with pytest.warns(MonitorWarning, match="monitor must have labels in the order of the probe"):
        watch.sweep(0)


def test_narrow_and_autocast_activations():
    model, X = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)), torch.randn(10, 3)
    watch = LayerMonitor(model, "0", X)
    full = watch.activations()["0"]
    with torch.autocast("cpu", torch.bfloat16):
        found = watch.activations()["0"]
        expected = model[0](X).float().detach().numpy()
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    assert not np.array_equal(found, full)
    model.to(torch.bfloat16)
    np.testing.assert_array_equal(LayerMonitor(model, "0", X.bfloat16()).activations()["0"], expected)


def test_a_model_that_draws_in_evaluation_draws_the_same_each_time():
    class Sampling(nn.Module):
        def forward(self, x):
            return x + torch.randn_like(x)

    watch = LayerMonitor(nn.Sequential(Sampling()), "0", torch.zeros(10, 3))
    first = watch.activations()["0"]
    torch.rand(5)
    np.testing.assert_array_equal(watch.activations()["0"], first)
    assert first.std() > 0.5


def test_the_fast_path_of_transformers_does_not_pack_tokens():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model, X = nn.TransformerEncoder(layer, 2), torch.randn(6, 5, 8)
    padding = torch.arange(5) >= torch.tensor([[3], [5], [2], [5], [4], [5]])
    watch = LayerMonitor(
        model,
        "layers",
        {"src": X, "src_key_padding_mask": padding},
        mask=lambda batch: ~batch["src_key_padding_mask"],
        pool="tokens",
    )
    assert {name: rows.shape for name, rows in watch.activations().items()} == {
        "layers.0": (24, 8),
        "layers.1": (24, 8),
    }


def test_a_model_without_parameters_runs_on_the_cpu():
    assert LayerMonitor(nn.Sequential(nn.Identity()), "0", torch.randn(4, 2)).activations()["0"].shape == (4, 2)


def test_what_it_says_of_itself(models):
    watch = LayerMonitor(models.Convolutions(), "blocks", images())
    assert repr(watch) == "<LayerMonitor of Convolutions: 2 layers>"
    assert re.fullmatch("[0-9a-f]{16}", watch.digest)
    assert watch.digest == watch.sweep(0)[0]["digest"]


def test_a_seed_of_any_size_and_none(models):
    for state in (2**70, None, np.random.default_rng(0)):
        LayerMonitor(models.Convolutions(), "stem", images(), random_state=state, max_rows=5).sweep(0)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"model": 3}, TypeError, r"model must be a torch\.nn\.Module, got 3"),
        ({"probe": 3}, TypeError, "probe must be"),
        ({"pool": "median"}, ValueError, "pool must be"),
        ({"mask": 3}, TypeError, "mask must be a key of a batch, a callable of it, or None, got 3"),
        ({"forward": 3}, TypeError, "forward must be a callable of a model and a batch, or None, got 3"),
        ({"max_rows": 0}, ValueError, "max_rows must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be"),
        ({"random_state": "0"}, TypeError, "random_state must"),
        ({"monitor": 3}, TypeError, "monitor must be a Monitor, a mapping of arguments of Monitor, or None, got 3"),
        ({"monitor": {"lag": 1}}, ValueError, "monitor must be a mapping of arguments of Monitor, .*, got 'lag'"),
        ({"layers": "stm"}, ValueError, "layers must be names .*, got 'stm': near ones are 'stem'"),
    ],
)
def test_wrong_arguments_are_errors_at_once(models, arguments, error, text):
    given = {"model": models.Convolutions(), "layers": "stem", "probe": images(), **arguments}
    with pytest.raises(error, match=text):
        LayerMonitor(given.pop("model"), given.pop("layers"), given.pop("probe"), **given)


def test_no_tensor_is_kept_by_a_sweep(models):
    watch = LayerMonitor(models.Convolutions(), "**", images())
    watch.sweep(0)
    counts = []
    for step in (1, 2):
        watch.sweep(step)
        gc.collect()
        counts.append(sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects()))
    assert counts[0] == counts[1]
