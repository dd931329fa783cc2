"""Hidden states of a model of transformers, measured during its training by ``Trainer``.

It needs transformers with accelerate, and PyTorch.
"""

from dsentropy.integrations.transformers.callback import RepresentationMonitor

__all__ = ["RepresentationMonitor"]
