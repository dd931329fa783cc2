"""A callback of Lightning that measures layers during ``fit``. See docs/training-lightning.md."""

from dsentropy.integrations.lightning.callback import RepresentationMonitor

__all__ = ["RepresentationMonitor"]
