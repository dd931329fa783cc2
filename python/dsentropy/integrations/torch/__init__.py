"""Layers of a PyTorch model, measured at sweeps over a fixed set of items, while the training stays as it is.

:class:`LayerMonitor` sweeps over a model that is trained. See docs/training-torch.md.
"""

from dsentropy.integrations.torch.layer_monitor import LayerMonitor

__all__ = ["LayerMonitor"]
