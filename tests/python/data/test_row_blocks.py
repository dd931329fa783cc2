"""Blocks of rows, and what is none."""

import numpy as np
from dsentropy._data.row_blocks import are_blocks


class Indexed:
    """An object with items that is no sequence, as a map of names to arrays may be."""

    def __getitem__(self, place):
        return np.eye(2)

    def __iter__(self):
        return iter([np.eye(2)])


def test_iterables_without_items_and_sequences_of_matrices_are_blocks():
    blocks = [np.eye(2), np.ones((3, 2))]
    assert are_blocks(iter(blocks))
    assert are_blocks(blocks)
    assert not are_blocks([[1.0, 2.0], [3.0, 4.0]])
    assert not are_blocks([])
    assert not are_blocks(Indexed())
    assert not are_blocks({"one": np.eye(2)})
