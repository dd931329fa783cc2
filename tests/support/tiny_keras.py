"""Tiny Keras models on either backend, and random images with classes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(size=(100, 8, 8, 1)).astype("float32")
CLASSES = RNG.integers(0, 3, 100)
PROBE = RNG.normal(size=(60, 8, 8, 1)).astype("float32")
OF_PROBE = RNG.integers(0, 3, 60)


def compiled(model: Any, **options: Any) -> Any:
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    jit = keras.backend.backend() == "jax"  # PyTorch has a compiler that takes minutes
    model.compile(**{"optimizer": "adam", "loss": loss, "metrics": ["accuracy"], "jit_compile": jit, **options})
    return model


def convolutions(**options: Any) -> Any:
    """Images to classes: dropout, batch norm, a regularizer of activations, a layer that is frozen."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(4, 3, name="conv", activation="relu")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dropout(0.3, name="drop")(x)
    x = keras.layers.Dense(16, activation="relu", name="dense", activity_regularizer="l2")(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="out")(x))
    model.get_layer("conv").trainable = False
    return compiled(model, **options)


def fit(model: Any, *callbacks: Any, epochs: int = 2, **options: Any) -> Any:
    """Trains 10 steps an epoch on shuffled items, and returns the history."""
    given = {"batch_size": 10, "verbose": 0, **options}
    return model.fit(IMAGES, CLASSES, epochs=epochs, callbacks=list(callbacks), **given).history


def numbers(values: Any) -> list[np.ndarray[Any, Any]]:
    return [np.array(keras.ops.convert_to_numpy(getattr(value, "value", value))) for value in values]
