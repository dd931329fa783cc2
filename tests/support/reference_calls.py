"""Calls of the four functions of the reference with small data, and of calls that must be refused."""

import re

import dsentropy
import numpy as np
import pytest

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
LABELS = np.repeat([0, 1], N // 2)
ENTROPIES = ["diffusion_spectral_entropy", "adjacency_spectral_entropy"]
INFORMATIONS = ["diffusion_spectral_mutual_information", "adjacency_spectral_mutual_information"]
DSE, ASE, DSMI, ASMI = *ENTROPIES, *INFORMATIONS

every_function = pytest.mark.parametrize("function", [*ENTROPIES, *INFORMATIONS])
every_entropy = pytest.mark.parametrize("function", ENTROPIES)
every_information = pytest.mark.parametrize("function", INFORMATIONS)


def arguments_of(function):
    return {"reference_vectors": LABELS} if function in INFORMATIONS else {}


def call(function, embedding_vectors=X, **arguments):
    return getattr(dsentropy, function)(embedding_vectors, **{**arguments_of(function), **arguments})


def value_of(function, *data, **arguments):
    """The number, without the clusters."""
    result = call(function, *data, **arguments)
    return result[0] if function in INFORMATIONS else result


def refused(error, argument, function, *data, **arguments):
    """The call fails with just this exception, whose text names the argument; returns the text."""
    with pytest.raises(error) as caught:
        call(function, *data, **arguments)
    assert caught.type is error
    assert re.search(rf"\b{argument}\b", str(caught.value))
    return str(caught.value)


def with_entry(value):
    changed = X.copy()
    changed[7, 2] = value
    return changed
