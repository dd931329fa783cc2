"""Configuration of the site: `sphinx-build -W -n -b html docs build/site`, with the extra `docs`.

Everything comes from PyPI packages and this folder. No page asks another host for anything, and the build needs no
network: names of Python, NumPy and others are resolved by the small tables in `_inventories/`.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import dsentropy

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER / "_extensions"))

project = "dsentropy"
author = "The dsentropy developers"
project_copyright = "the dsentropy developers, MIT licence"
version = release = dsentropy.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "mathjax_files",
    "pages_outside",
    "adapter_signatures",
    "public_names",
    "external_names",
]
exclude_patterns = ["gallery", "_*", "auto_gallery/*.ipynb", "auto_gallery/*.py"]
templates_path = ["_templates"]
nitpicky = True
mathjax_path = "mathjax/tex-chtml.js"
highlight_language = "none"
default_role = "code"

# Pages in Markdown, which stay readable on GitHub.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# The reference, from the docstrings. The adapters are documented without their frameworks.
autosummary_generate = True
autodoc_typehints = "none"
toc_object_entries_show_parents = "hide"
autodoc_member_order = "groupwise"
autodoc_mock_imports = ["accelerate", "keras", "lightning", "pytorch_lightning", "torch", "transformers"]
numpydoc_show_class_members = False  # the template of a class has its methods
numpydoc_xref_param_type = True
numpydoc_xref_ignore = "all"  # words of a type that are no name: only those of public_names and external_names link

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_gallery",
    "doc_module": ("dsentropy",),
    "backreferences_dir": "api/backreferences",
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "write_computation_times": False,  # a page that loads scripts of other hosts
    "within_subsection_order": "FileNameSortKey",
    "matplotlib_animations": False,
}
# Without a display, and where the gallery is not executed.
warnings.filterwarnings("ignore", message=".*FigureCanvasAgg is non-interactive.*")

html_theme = "pydata_sphinx_theme"
html_title = "dsentropy"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/mark.svg"
html_show_sourcelink = False
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"image_light": "_static/mark.svg", "image_dark": "_static/mark.svg", "text": "dsentropy"},
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "back_to_top_button": False,
}
html_sidebars = {"index": [], "installation": [], "quickstart": [], "faq": [], "glossary": [], "changelog": []}
