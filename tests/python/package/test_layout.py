"""The layout of the source: who imports whom, the length of functions and files, and words.

The tools that find faults are `tools/imports.py` and `tools/layout.py`. Each must also find a fault that is put into
a copy of the source.
"""

from __future__ import annotations

import functools
import importlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="the source of the core is not there")


@functools.cache
def faults(tool: str, root: Path = ROOT) -> list[str]:
    """Runs `tools/TOOL.py` and returns what it finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        return importlib.import_module(tool).faults(root)


@pytest.fixture
def found_after(tmp_path: Path) -> Callable[[str, str, str], list[str]]:
    """Appends text to a file of a copy of the source, and returns the faults that this adds."""

    def find(tool: str, file: str, text: str) -> list[str]:
        for folder in ["src", "python/dsentropy"]:
            shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.so*", "__pycache__"))
        with (tmp_path / file).open("a", encoding="utf-8") as stream:
            stream.write(text)
        return [fault for fault in faults(tool, tmp_path) if fault not in faults(tool)]

    return find


def test_imports_follow_the_order_of_the_folders() -> None:
    assert faults("imports") == []


def test_functions_and_files_are_short_and_words_are_plain() -> None:
    assert faults("layout") == []


def test_the_picture_of_the_imports_is_that_of_the_source() -> None:
    """`python tools/architecture_picture.py` draws it anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "tools")
        fresh = importlib.import_module("architecture_picture").picture(ROOT)
    assert (ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8") == fresh


AGAINST_THE_ORDER = {
    "a path": ("src/linalg/scaling.rs", "\nuse crate::slq::adaptive;\n", "linalg imports slq"),
    "a tree of paths": (
        "src/data/points.rs",
        "\nuse crate::{error::Error as E, kernel::{gaussian as g}};\n",
        "data imports kernel",
    ),
    "a path in an expression": (
        "src/kernel/bandwidth.rs",
        "\nfn f() { crate::measure::entropy::f(); }\n",
        "kernel imports measure",
    ),
    "a parent": ("src/runtime/memory.rs", "\nuse super::super::data::points;\n", "runtime imports data"),
    "a name that lib.rs re-exports": (
        "src/linalg/scaling.rs",
        "\nuse crate::diffusion_operator;\n",
        "linalg imports operator",
    ),
    "a module": (
        "python/dsentropy/_checks/arrays.py",
        "\nimport dsentropy._spectrum.spectrum\n",
        "_checks imports _spectrum",
    ),
    "an import in a function": (
        "python/dsentropy/_data/clusters.py",
        "\ndef f() -> None:\n    from dsentropy._operator import bandwidth\n",
        "_data imports _operator",
    ),
    "a relative import": (
        "python/dsentropy/_data/data.py",
        "\nfrom .. import _measures\n",
        "_data imports _measures",
    ),
    "an import by name": (
        "python/dsentropy/io/eigenvalue_file.py",
        "\nimport importlib\nimportlib.import_module('dsentropy._data.data')\n",
        "io imports _data",
    ),
    "a name that __init__ re-exports": (
        "python/dsentropy/_operator/bandwidth.py",
        "\nfrom dsentropy import Spectrum\n",
        "_operator imports _spectrum",
    ),
    "an import that only a type checker leaves out": (
        "python/dsentropy/_checks/arrays.py",
        "\nfrom typing import TYPE_CHECKING\nif not TYPE_CHECKING:\n    from dsentropy import Spectrum\n",
        "_checks imports _spectrum",
    ),
    "a neighbour": (
        "python/dsentropy/plotting/_surface.py",
        "\nfrom dsentropy.io import eigenvalue_file\n",
        "plotting imports io",
    ),
}


@pytest.mark.parametrize(("file", "text", "fault"), AGAINST_THE_ORDER.values(), ids=AGAINST_THE_ORDER)
def test_an_import_against_the_order_is_found(found_after, file: str, text: str, fault: str) -> None:
    found = found_after("imports", file, text)
    assert any(line.startswith(file) and line.endswith(fault) for line in found)


CIRCLES = {
    "a path": ("src/linalg/scalar.rs", "\nuse crate::linalg::lapack::panel_qr;\n", ["src/linalg/lapack.rs"]),
    "a name that mod.rs re-exports": (
        "src/linalg/scaling.rs",
        "\nuse crate::linalg::symmetric_eigenvalues;\n",
        ["src/linalg/symmetric/mod.rs", "src/linalg/symmetric/tridiagonal.rs"],
    ),
    "an import": (
        "python/dsentropy/_data/fingerprint.py",
        "\nfrom dsentropy._data import data\n",
        ["python/dsentropy/_data/data.py"],
    ),
    "an import in a function": (
        "python/dsentropy/_data/subsets.py",
        "\ndef f() -> None:\n    from dsentropy._data.cluster_subsets import f\n",
        ["python/dsentropy/_data/cluster_subsets.py"],
    ),
}


@pytest.mark.parametrize(("file", "text", "others"), CIRCLES.values(), ids=CIRCLES)
def test_files_that_import_one_another_are_found(found_after, file: str, text: str, others: list[str]) -> None:
    (circle,) = found_after("imports", file, text)
    assert circle.startswith("a circle of files: ")
    assert {file, *others} <= set(circle.removeprefix("a circle of files: ").split(", "))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("src/linalg/scaling.rs", "\n// use crate::slq::adaptive;\n/* crate::slq::f */\n"),
        ("src/linalg/scaling.rs", '\nconst A: &str = "crate::slq::f";\n'),
        ("src/linalg/scaling.rs", "\n#[cfg(test)]\nmod more_tests {\n    use crate::slq::adaptive;\n}\n"),
        ("src/measure/subsets.rs", "\nuse crate::slq::adaptive;\n"),
        (
            "python/dsentropy/_checks/arrays.py",
            "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from dsentropy import Spectrum\n",
        ),
        (
            "python/dsentropy/_checks/arrays.py",
            "\nimport typing\nif not typing.TYPE_CHECKING:\n    pass\nelse:\n    from dsentropy import Spectrum\n",
        ),
        ("src/linalg/scalar.rs", "\n#[cfg(test)]\nmod more_tests {\n    use crate::linalg::lapack::panel_qr;\n}\n"),
        ("python/dsentropy/_data/data.py", "\nfrom dsentropy._checks import arrays\n"),
    ],
)
def test_other_imports_are_no_fault(found_after, file: str, text: str) -> None:
    assert found_after("imports", file, text) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("src/linalg/scaling.rs", "\nfn long() {\n" + "    // {\n" * 59 + "}\n", "long has 61 lines"),
        (
            "python/dsentropy/plotting/_surface.py",
            '\ndef long():\n    """One."""\n' + "    pass\n" * 41,
            "long has 41 lines",
        ),
        ("src/linalg/scaling.rs", "\n" * 451, "lines, more than 450"),
        ("src/linalg/scaling.rs", "\n///" + " The same for rows.\nfn f() {}\n", "begins with"),
        ("python/dsentropy/plotting/_surface.py", '\ndef f():\n    """What is drawn."""\n', "begins with"),
        ("python/dsentropy/plotting/_surface.py", "\nmessage = 'no d" + "oubt'\n", "_surface.py"),
        ("src/linalg/scaling.rs", "\n/// A sum the exact\n/// way.\nfn f() {}\n", "scaling.rs"),
    ],
)
def test_a_long_function_or_file_or_a_bad_word_is_found(found_after, file: str, text: str, fault: str) -> None:
    assert any(line.startswith(file) and fault in line for line in found_after("layout", file, text))
