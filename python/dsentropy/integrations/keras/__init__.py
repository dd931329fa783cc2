"""Layers of a Keras model, measured during ``fit``: a callback that adds scalars to its logs.

It needs Keras 3 with the torch or the jax backend.
"""

from dsentropy.integrations.keras.callback import RepresentationMonitor

__all__ = ["RepresentationMonitor"]
