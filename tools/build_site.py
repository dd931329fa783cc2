"""The site from docs/ in build/site: every warning of Sphinx is an error, and so is a name that is not found.

    python tools/build_site.py                     without executing the gallery
    python tools/build_site.py --gallery CACHE     execute the pages of the gallery whose content differs from CACHE

The cache is a folder with what pages of the gallery printed and drew, each with the MD5 of the page that did; it is
written anew, also where a page fails, so that the others need not run again. What it has of pages that are gone is
left out. Needs the extra `docs`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "auto_gallery"
MADE = [PAGES, ROOT / "docs" / "api" / "generated", ROOT / "docs" / "api" / "backreferences", ROOT / "build" / "site"]


def build(executed: bool) -> int:
    """Run Sphinx, and return its exit status."""
    options = [] if executed else ["-D", "plot_gallery=0"]
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", *options]
    environment = {**os.environ, "MPLBACKEND": "agg"}
    return subprocess.run([*command, "docs", "build/site"], cwd=ROOT, env=environment, check=False).returncode


def remove_gone(made: Path, pages: Path) -> None:
    """Remove what was made of pages that are not in the folder of the gallery any more."""
    there = {page.stem for page in pages.glob("*.py")}
    for stem in {path.name.partition(".")[0] for path in made.glob("*.py.md5")} - there:
        for path in [*made.glob(f"{stem}.*"), *made.glob(f"images/**/sphx_glr_{stem}_*")]:
            path.unlink()


def executed_pages(since: set[str]) -> list[str]:
    """Return the pages that ran, with their seconds, which are not in a set of MD5."""
    lines = []
    for digest in sorted(PAGES.glob("*.py.md5")):
        page = digest.name.removesuffix(".py.md5")
        if digest.read_text(encoding="utf-8") not in since:
            cost = json.loads((PAGES / f"{page}.cost.json").read_text(encoding="utf-8"))
            lines.append(f"{page}: {cost['time']:.0f} s")
    return lines


def main(arguments: list[str]) -> int:
    """Build the site from nothing but the cache."""
    parser = argparse.ArgumentParser(description="Build the site in build/site.")
    parser.add_argument("--gallery", metavar="CACHE", type=Path, help="execute the gallery, with this cache")
    cache = parser.parse_args(arguments).gallery
    for folder in MADE:
        shutil.rmtree(folder, ignore_errors=True)
    if cache is None:
        return build(executed=False)
    known = {path.read_text(encoding="utf-8") for path in cache.glob("*.md5")}
    if cache.is_dir():
        shutil.copytree(cache, PAGES)
        remove_gone(PAGES, ROOT / "docs" / "gallery")
    status = build(executed=True)
    print(*executed_pages(known), sep="\n")
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(PAGES, cache)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
