"""What the installed wheel has inside: the bills of materials of PEP 770."""

from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path
from typing import Any

import pytest
from dsentropy import _core

ROOT = Path(__file__).parents[3]
DISTRIBUTION = importlib.metadata.distribution("dsentropy")

installed_wheel = pytest.mark.skipif(
    '"editable"' in (DISTRIBUTION.read_text("direct_url.json") or ""),
    reason="an editable install has no copy of the files of the wheel",
)


def bill_of_materials(name: str) -> dict[str, Any]:
    (path,) = [path for path in DISTRIBUTION.files or [] if path.match(f"*.dist-info/sboms/{name}")]
    bill: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    assert bill["bomFormat"] == "CycloneDX"
    return bill


@installed_wheel
def test_every_crate_is_listed_with_its_version() -> None:
    listed = {
        (crate["name"], crate["version"]) for crate in bill_of_materials("dsentropy.cyclonedx.json")["components"]
    }
    assert {"numpy", "ndarray", "ndarray-linalg", "pyo3", "rayon"} <= {name for name, _ in listed}
    lock = ROOT / "Cargo.lock"
    if lock.exists():
        text = lock.read_text(encoding="utf-8")
        assert listed <= set(re.findall(r'^name = "(.*)"\nversion = "(.*)"$', text, re.MULTILINE))


@installed_wheel
def test_the_bundled_openblas_is_listed_with_its_version() -> None:
    blas = _core.blas_config()
    if blas is None:
        pytest.skip("another LAPACK is linked")
    bill = bill_of_materials("openblas.cdx.json")
    listed = {part["name"]: part for part in bill["components"]}
    name, version = blas.build.split()[:2]  # as in "OpenBLAS 0.3.34.481.3 DYNAMIC_ARCH ..."
    assert name == "OpenBLAS"
    assert version.split(".")[:3] == listed["OpenBLAS"]["version"].split(".")
    assert bill["metadata"]["component"]["version"].split(".")[:3] == version.split(".")[:3]
    assert listed["OpenBLAS"]["purl"] == f"pkg:github/OpenMathLib/OpenBLAS@v{listed['OpenBLAS']['version']}"
    assert all(part["licenses"] for part in listed.values())


@pytest.mark.skipif(not (ROOT / "Cargo.toml").exists(), reason="the source is not there")
def test_the_folder_of_bills_has_the_version_of_the_package() -> None:
    """maturin writes it as it is in `pyproject.toml`."""
    version = re.search(r'^version = "(.*)"$', (ROOT / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)
    folders = re.findall(
        r'to = "dsentropy-(.*)\.dist-info/sboms/"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    assert version is not None
    assert folders == [version[1]]
