"""The most that counts may be, each with its reason.

What a count costs in memory is compared with what the process can have before any work
(:func:`dsentropy._checks.memory.require_bytes`), so most machines refuse less than these numbers.
"""

from __future__ import annotations

MAX_COUNT = 2**63 - 1
"""The most of a count that costs nothing by itself: the largest integer of 64 bits with a sign."""

MAX_BYTES = 2**64 - 1
"""The most bytes of ``memory_limit``: the largest address of 64 bits."""

MAX_DRAWS = 10**7
"""The most random subsets and permutations: Python draws a row in about a microsecond, so more take hours of drawing
alone, and a Monte Carlo error falls by their root only."""

MAX_PRODUCTS = 10**12
"""The most matrix-vector products of an estimate: each takes a microsecond or more, so that many take weeks."""

MAX_CLUSTERS = 2**24
"""The most bins or clusters of a target: float32 tells 2^24 equal-width bins apart."""

MAX_NUMBERS = 10**6
"""The most numbers in a sequence, such as diffusion times: each costs a pass over all eigenvalues."""

MAX_SEED_BITS = 1024
"""The most bits of a seed: longer integers are beyond float64, and Python does not print those of 4300 digits."""
