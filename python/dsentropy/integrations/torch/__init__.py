"""Layers of a PyTorch model, measured at sweeps over a fixed set of items, while the training stays as it is.

:class:`LayerMonitor` sweeps over a model that is trained, :func:`track` over saved models. Other adapters build on
:func:`untouched`, a block that leaves a model and the process as they were, and on :func:`pooled`, the output of a
layer as rows. See docs/training-torch.md.
"""

from dsentropy.integrations.pool import as_pool
from dsentropy.integrations.torch.layer_monitor import LayerMonitor
from dsentropy.integrations.torch.pooling import pooled
from dsentropy.integrations.torch.track import track
from dsentropy.integrations.torch.untouched import untouched

__all__ = ["LayerMonitor", "as_pool", "pooled", "track", "untouched"]
