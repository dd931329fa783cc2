"""Images of all pictures, compared with files that were looked at (`tests/support/pictures.py` writes them).

The root mean square of the difference of pixels, of 255, is at most 4. Images of matplotlib 3.9 and 3.11 are equal;
the tolerance leaves room for another antialiasing. One line that is missing makes more.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dsentropy import plotting
from matplotlib.testing.compare import compare_images
from pictures import BASELINE, PICTURES, drawn, save
from PIL import Image

TOLERANCE = 4.0


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_did(name: str, tmp_path: Path) -> None:
    save(name, tmp_path / f"{name}.png")
    expected = tmp_path / "expected.png"
    expected.write_bytes((BASELINE / f"{name}.png").read_bytes())
    assert compare_images(str(expected), str(tmp_path / f"{name}.png"), TOLERANCE) is None


def test_each_function_has_an_image_and_each_image_a_picture() -> None:
    files = {path.stem: path for path in BASELINE.glob("*.png")}
    assert set(files) == set(PICTURES)
    assert set(plotting.__all__) <= set(files)
    assert max(path.stat().st_size for path in files.values()) < 25_000


def differs_by(name: str, change: str, tmp_path: Path) -> float:
    """The root mean square by which the image of a picture changes without some lines."""
    figure = drawn(name)
    size = figure.canvas.get_width_height()
    images = []
    for visible in (True, False):
        for line in figure.axes[0].get_lines()[: 1 if change == "a line" else 0]:
            line.set_visible(visible)
        figure.savefig(tmp_path / "picture.png")
        images.append(np.asarray(Image.open(tmp_path / "picture.png").convert("RGB"), dtype=float))
    assert size == images[0].shape[1::-1]
    return float(np.sqrt(((images[0] - images[1]) ** 2).mean()))


@pytest.mark.parametrize("name", ["convergence", "profile", "spectrum", "training", "surface"])
def test_the_tolerance_is_less_than_a_line(name: str, tmp_path: Path) -> None:
    assert differs_by(name, "a line", tmp_path) > TOLERANCE
    assert differs_by(name, "nothing", tmp_path) == 0


@pytest.mark.parametrize("name", PICTURES)
def test_axes_say_what_they_have_and_in_which_unit(name: str) -> None:
    """Probabilities, ranks, t, rows, steps, and names have no unit."""
    axes = drawn(name).axes
    labels = {label for one in axes for label in (one.get_xlabel(), one.get_ylabel()) if label}
    plain = {"probability p", "rank", "estimated rank", "t", "rows", "step", "layer", "cluster", "bandwidth"}
    assert all("(" in label for label in labels - plain)
    assert axes[0].get_xlabel()
    assert axes[0].get_ylabel() or name == "differences"  # whose rows have names


def lightness(colour: tuple[float, ...]) -> float:
    """The luminance that a grey picture has."""
    return float(np.dot(colour[:3], [0.299, 0.587, 0.114]))


@pytest.mark.parametrize("name", [name for name in PICTURES if not name.endswith("_map")])
def test_lines_differ_without_their_colours(name: str) -> None:
    """Two lines of one kind differ in marker, in dashes, or by a tenth in lightness."""
    from matplotlib.colors import to_rgb

    lines = [line for line in drawn(name).axes[0].get_lines() if hasattr(line, "_dsentropy_number")]
    looks = [(line.get_marker(), line.get_linestyle(), lightness(to_rgb(line.get_color()))) for line in lines]
    for i, one in enumerate(looks):
        for other in looks[:i]:
            assert one[:2] != other[:2] or abs(one[2] - other[2]) > 0.1
