"""An estimated entropy against the reference's exact one, in one run: times, their ratio, and the uncertainty.

    python benches/estimates.py            N = 10,000, D = 512, ten blobs; the reference takes minutes
    python benches/estimates.py 100000 64  only the estimate, without a stored affinity

Each is a process of its own. Nothing else should run on the machine meanwhile. Needs `pip install "dsentropy[test]"`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

import numpy as np

SIGMA = 10.0
TOL = 1e-3


def blobs(n: int, d: int) -> np.ndarray:
    """Ten groups of rows."""
    rng = np.random.default_rng(0)
    centres = 3 * rng.normal(size=(10, d))
    return centres[rng.integers(0, 10, n)] + 0.5 * rng.normal(size=(n, d))


def measure(what: str, n: int, d: int) -> None:
    """Print what one of them needs, as JSON."""
    import resource

    X = blobs(n, d)
    result: dict[str, object] = {}
    start = time.perf_counter()
    if what == "reference":
        import dse_dsmi

        result["entropy"] = float(dse_dsmi.diffusion_spectral_entropy(X, SIGMA, max_N=n))
    else:
        from dsentropy import Stochastic, diffusion_spectrum

        spectrum = diffusion_spectrum(X, bandwidth=SIGMA, solver=Stochastic(tol=TOL), random_state=int(what))
        result["entropy"] = spectrum.entropy()
        result["standard error"] = spectrum.standard_error()
        result["bounds"] = spectrum.bounds()
        result["products"] = spectrum.parameters["products"]
    result["seconds"] = time.perf_counter() - start
    result["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)
    print(json.dumps(result))


def run(what: str, n: int, d: int) -> dict[str, float]:
    """Run `measure` in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, str(n), str(d), "--measure", what]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found: dict[str, float] = json.loads(lines[-1])
    return found


def main() -> None:
    """Print the estimates of two seeds, and the reference's value up to 20,000 rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("n", nargs="?", type=int, default=10_000, help="rows")
    parser.add_argument("d", nargs="?", type=int, default=512, help="columns")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.measure, options.n, options.d)
    estimates = [run(str(seed), options.n, options.d) for seed in range(2)]
    for seed, estimate in enumerate(estimates):
        print(f"seed {seed}: {estimate}")
    if options.n <= 20_000:
        reference = run("reference", options.n, options.d)
        ratio = reference["seconds"] / min(estimate["seconds"] for estimate in estimates)
        print(f"reference: {reference}")
        print(f"{ratio:.0f} times as fast, off by {abs(estimates[0]['entropy'] - reference['entropy']):.1e} bits")
    return None


if __name__ == "__main__":
    main()
