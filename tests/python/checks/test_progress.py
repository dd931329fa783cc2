"""Progress bars, and what is said where tqdm is missing."""

from __future__ import annotations

import io
import math
import sys
from typing import Any

import numpy as np
import pytest
from dsentropy import diffusion_spectrum
from dsentropy._checks.progress import as_progress, progress_bar


def test_a_bar_without_tqdm_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    assert not as_progress(False)
    with pytest.raises(ImportError, match=r"progress=True needs tqdm: pip install 'dsentropy\[progress\]'"):
        as_progress(True)


def test_a_bar_shows_how_much_is_done_and_the_uncertainty(monkeypatch: pytest.MonkeyPatch) -> None:
    import tqdm.auto

    shown = io.StringIO()
    real = tqdm.auto.tqdm

    def to_text(**options: Any) -> Any:
        return real(file=shown, mininterval=0, **options)

    monkeypatch.setattr(tqdm.auto, "tqdm", to_text)
    assert as_progress(True)
    with progress_bar(True, 4, "products") as advance:
        advance(1, math.nan)
        advance(4, 0.25)
    assert "products: 100%" in shown.getvalue()
    assert "4/4" in shown.getvalue()
    assert "uncertainty 0.2 bits" in shown.getvalue()


def test_no_bar_shows_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with progress_bar(False, 4, "products") as advance:
        advance(4, 0.25)
    assert capfd.readouterr() == ("", "")


def test_a_function_that_shows_a_bar_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.raises(ImportError, match=r"dsentropy\[progress\]"):
        diffusion_spectrum(np.eye(5), progress=True)
