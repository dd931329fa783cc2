"""Licences, bans and sources of the crates, as `tools/dependencies.py` reads them.

Licence expressions are those of SPDX: https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
"""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(not (ROOT / "src").is_dir(), reason="the source of the core is not there")

RULES: dict[str, Any] = {
    "licenses": {"allow": ["MIT", "Apache-2.0 WITH LLVM-exception"]},
    "bans": {"deny": [{"crate": "netlib-src", "reason": "another LAPACK"}]},
}
CRATE: dict[str, Any] = {
    "name": "rayon",
    "version": "1.12.0",
    "license": "MIT OR Apache-2.0",
    "source": "registry+https://github.com/rust-lang/crates.io-index",
    "dependencies": [],
}


@pytest.fixture
def dependencies(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("dependencies")


@pytest.mark.skipif(shutil.which("cargo") is None, reason="there is no cargo")
def test_every_crate_is_admitted(dependencies: ModuleType) -> None:
    assert dependencies.faults(ROOT) == []


@pytest.mark.parametrize(
    ("expression", "met"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT/GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT OR MIT AND GPL-3.0-only", True),
        ("(MIT OR MIT) AND GPL-3.0-only", False),
        ("(GPL-3.0-only OR MIT) AND (MIT OR Zlib)", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("Apache-2.0", False),
        ("Zlib OR Apache-2.0 WITH LLVM-exception", True),
        ("MIT WITH LLVM-exception", False),
    ],
)
def test_an_expression_is_met_by_allowed_licences(dependencies: ModuleType, expression: str, met: bool) -> None:
    assert dependencies.admits(set(RULES["licenses"]["allow"]), expression) is met


@pytest.mark.parametrize("expression", ["", "MIT OR", "(MIT", "MIT)", "MIT MIT", "AND MIT", "MIT WITH"])
def test_an_expression_that_cannot_be_read_is_a_fault(dependencies: ModuleType, expression: str) -> None:
    assert len(dependencies.faults_of([{**CRATE, "license": expression}], RULES)) == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"license": "GPL-3.0-only"}, "rayon 1.12.0: the licence GPL-3.0-only is not allowed"),
        ({"license": None}, "rayon 1.12.0: the licence None is not allowed"),
        ({"name": "netlib-src"}, "netlib-src 1.12.0 is denied: another LAPACK"),
        ({"source": "git+https://example.org/rayon"}, "rayon 1.12.0 comes from git+https://example.org/rayon"),
        ({"source": "registry+https://example.org"}, "rayon 1.12.0 comes from registry+https://example.org"),
        (
            {"source": None, "dependencies": [{"name": "rand", "req": "*", "path": None}]},
            "rayon: any version of rand is accepted",
        ),
    ],
)
def test_what_is_not_admitted_is_a_fault(dependencies: ModuleType, change: dict[str, Any], fault: str) -> None:
    assert dependencies.faults_of([{**CRATE, **change}], RULES) == [fault]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"source": None, "license": None},
        {"source": None, "dependencies": [{"name": "ours", "req": "*", "path": "crates/ours"}]},
        {"dependencies": [{"name": "rand", "req": "*"}]},
    ],
)
def test_other_crates_are_admitted(dependencies: ModuleType, change: dict[str, Any]) -> None:
    assert dependencies.faults_of([{**CRATE, **change}], RULES) == []


def test_a_rule_that_is_not_checked_is_a_fault(dependencies: ModuleType) -> None:
    rules = {**RULES, "bans": {**RULES["bans"], "skip": []}}
    assert dependencies.faults_of([], rules) == ["deny.toml: tools/dependencies.py does not know bans.skip"]
