"""Training in two processes: the records of one, weights as without a monitor, and no process that waits in vain."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from dsentropy.monitor import read_log

PROGRAM = """
import os, sys, time
rank, world, folder, kind, watched = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5] == "1"
import torch
import torch.distributed as dist
from torch import nn
from dsentropy.integrations.torch import LayerMonitor
from dsentropy.monitor import MonitorWarning, Records

torch.set_num_threads(1)
torch.manual_seed(0)
if world > 1:
    dist.init_process_group("gloo", init_method=f"file://{folder}/{kind}{watched}", rank=rank, world_size=world)
net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
model = net
if world > 1 and kind == "ddp":
    model = nn.parallel.DistributedDataParallel(net)
elif world > 1:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    fully_shard(net, mesh=init_device_mesh("cpu", (world,)))
X, y = torch.randn(96, 4), torch.arange(96) % 3
descent = torch.optim.SGD(model.parameters(), lr=0.1)

def slow_and_failing(records):
    time.sleep(0.1)
    raise RuntimeError("a tracker that is not there")

import warnings
warnings.simplefilter("ignore", MonitorWarning)
options = {"log": f"{folder}/{kind}{world}.jsonl", "sinks": slow_and_failing, "num_threads": 1, "t": [1, 2]}
watch = LayerMonitor(model, ["0", "1", "3"], (X, y), batch_size=32, monitor=options)
for step in range(6):
    if watched and step % 2 == 0:
        records = watch.sweep(step)
        assert type(records) is Records and bool(records) == (rank == 0), records
        assert (watch.monitor is None) == (rank > 0)
    part = slice(step * 16, step * 16 + 16)  # the same one in each process: means of equal gradients are exact
    nn.functional.cross_entropy(model(X[part]), y[part]).backward()
    descent.step()
    descent.zero_grad()
watch.close()
state = {name: one.full_tensor() if hasattr(one, "full_tensor") else one for name, one in net.state_dict().items()}
torch.save(state, f"{folder}/{kind}{world}{rank}{watched}.pt")
if world > 1:
    dist.barrier()
    dist.destroy_process_group()
"""


def run(run_python, folder, world, kind, watched):
    with ThreadPoolExecutor(world) as pool:
        runs = [pool.submit(run_python, PROGRAM, rank, world, folder, kind, int(watched)) for rank in range(world)]
        for one in runs:
            one.result()
    return [torch.load(folder / f"{kind}{world}{rank}{watched}.pt") for rank in range(world)]


def numbers(path):
    left = ("run", "time", "seconds")
    return [{name: value for name, value in record.items() if name not in left} for record in read_log(path)]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ddp", "fsdp"])
def test_two_processes_give_the_records_of_one(run_python, tmp_path, kind):
    (alone,) = run(run_python, tmp_path, 1, kind, True)
    both = run(run_python, tmp_path, 2, kind, True)
    unwatched = run(run_python, tmp_path, 2, kind, False)
    for states in [both, unwatched]:
        for state in states:
            assert state.keys() == alone.keys()
            assert all(torch.equal(state[name], one) for name, one in alone.items())
    records = numbers(tmp_path / f"{kind}2.jsonl")
    assert len(records) == 3 * 3 * 7  # steps, layers, readings: written by one process
    assert records == numbers(tmp_path / f"{kind}1.jsonl")
