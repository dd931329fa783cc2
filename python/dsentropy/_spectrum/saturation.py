"""Saturation: entropies so near to an end of their range that they say little about the data.

An entropy lies between 0 and log2 of the number of eigenvalues. Within 2% of 0 the bandwidth is so large that all
rows look alike, or t so large that one eigenvalue is left. Within 2% of the maximum the bandwidth is so small that no
two rows look alike. See docs/choosing-a-bandwidth.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsentropy._checks.warn import warn

MARGIN = 0.02
"""Fraction of the range, at either end, in which an entropy is saturated."""


class SaturationWarning(UserWarning):
    """An entropy lies so near to its minimum or maximum that it says little about the data.

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from dsentropy import diffusion_spectrum
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     bits = diffusion_spectrum(np.eye(8), bandwidth=0.01).entropy()
    >>> round(bits, 3), caught[0].category.__name__
    (3.0, 'SaturationWarning')
    """


def saturation(bits: NDArray[np.float64], max_entropy: float) -> NDArray[np.int64]:
    """Return -1 for entropies near 0, 1 near ``max_entropy``, and 0 between."""
    return (bits >= (1 - MARGIN) * max_entropy).astype(np.int64) - (bits <= MARGIN * max_entropy)


def warn_if_saturated(
    bits: NDArray[np.float64],
    max_entropy: float,
    times: Sequence[float],
    orders: Sequence[float],
    bandwidth: float | NDArray[np.float64],
    *,
    quantity: str = "the entropy",
    subject: str | None = None,
    with_t: bool = True,
    increasing: bool = False,
    distinct_rows: int | None = None,
) -> None:
    """Warn of saturated entropies, with the direction in which to move the bandwidth.

    Parameters
    ----------
    bits : ndarray of shape (len(times), len(orders))
        Entropies. Where t or the order is 0 they do not depend on the bandwidth, and there is no warning.
    max_entropy : float
        The greatest entropy, in bits.
    times, orders : sequence of float
        Diffusion times and Renyi orders.
    bandwidth : float or ndarray
        One for all rows or one for each; all zero where no distance is positive.
    quantity : str
        Name of the entropies.
    subject : str, optional
        Name of the bandwidth and a verb, by default with its value.
    with_t : bool
        Name t in the text; False where the function that was called has no argument for it.
    increasing : bool
        Whether the entropies increase with the bandwidth; those of a spectrum decrease.
    distinct_rows : int, optional
        The number of rows that differ from each other, where these are few.
    """
    if max_entropy == 0:
        return
    signs = saturation(bits, max_entropy) * np.outer(np.array(times) > 0, np.array(orders) > 0)
    if subject is None:
        subject = "the bandwidths are" if np.ndim(bandwidth) else f"the bandwidth {bandwidth:.4g} is"
    for sign, bound in [(-1, "0"), (1, f"its maximum, {max_entropy:.4g} bits")]:
        if (signs == sign).any():
            size, remedy = ("small", "larger") if (sign == 1) != increasing else ("large", "smaller")
            t = times[int(np.argwhere(signs == sign)[0, 0])]
            at, or_t = (f" at t = {t:g}", f" (or a {remedy} t)") if with_t else ("", "")
            advice = f"{subject} too {size} to tell these data apart, use a {remedy} one{or_t}"
            if not np.any(bandwidth):
                advice = "no two rows differ by more than rounding, or each has many duplicates"
            elif distinct_rows == 1:
                advice = "all rows are equal"
            elif distinct_rows is not None and sign == -1:
                most = np.log2(distinct_rows)
                advice = f"{distinct_rows} rows are distinct, which allows at most {most:.4g} bits; {advice}"
            warn(f"{quantity}{at} is within 2% of {bound}: {advice}", SaturationWarning)
