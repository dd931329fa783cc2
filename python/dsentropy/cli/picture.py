"""Pictures of commands: their files are checked before any work, and replaced all or nothing."""

from __future__ import annotations

import os
from typing import Any

from dsentropy.io.replacing import replacing, require_writable


def require_plot_path(path: str) -> None:
    """Raise where a picture cannot be written under this name, before any work.

    Raises
    ------
    ValueError
        Where the folder is missing, the file cannot be written, the name is that of a folder, or matplotlib is
        installed and knows no format with the suffix.
    """
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError:
        return  # no picture will be drawn
    folder = os.path.dirname(path) or os.curdir
    if not path or "\0" in path:
        raise ValueError(f"{path!r} is no name of a file")
    if not os.path.isdir(folder):
        raise ValueError(f"the folder of {path!r} does not exist")
    if os.path.isdir(path):
        raise ValueError(f"{path!r} is a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"the folder of {path!r} cannot be written to")
    try:
        require_writable(path, "FILE")
    except OSError as error:
        raise ValueError(f"{path!r} cannot be written: {error.__cause__}") from error
    formats = sorted(FigureCanvasBase.get_supported_filetypes())
    if picture_format(path) not in formats:
        raise ValueError(f"{path!r} must end in one of {', '.join(f'.{suffix}' for suffix in formats)}")


def require_plot(path: str | None) -> None:
    """Raise where a picture is asked for and cannot be drawn or written."""
    if path is None:
        return
    try:
        import matplotlib  # noqa: F401 whether it is there
    except ImportError as error:
        raise ImportError('plot needs matplotlib: pip install "dsentropy[plot]"') from error
    try:
        require_plot_path(path)
    except ValueError as error:
        raise ValueError(f"plot must be a file that can be written: {error}") from error


def picture_format(path: str) -> str:
    """Return the format of a picture by its suffix."""
    return os.path.splitext(path)[1].lstrip(".").lower() or "png"


def new_axes(panels: int = 1, width: float = 8.0, height: float = 4.5) -> Any:
    """Return axes of a new figure, side by side, that no window shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * max(1, panels) ** 0.5, height), layout="constrained")
    FigureCanvasAgg(figure)
    return list(figure.subplots(1, panels, squeeze=False)[0])


def plain(name: str) -> str:
    """Return the text that draws a name as it is: to matplotlib dollar signs begin a formula."""
    return name.replace("$", r"\$")


def draw(result: Any, path: str | None) -> None:
    """Write the picture of a result to a file, where one is asked for."""
    if path is not None:
        axes = new_axes()[0]
        result.plot(ax=axes)
        save(axes, path)


def save(axes: Any, path: str) -> None:
    """Write the figure of axes to a file."""
    with replacing(path) as file:
        axes.figure.savefig(file, dpi=150, format=picture_format(path))
