"""Sphinx configuration; build with ``sphinx-build -W docs docs/_build``."""

import sktune

project = "sktune"
author = "sktune developers"
copyright = f"2026, {author}"
version = release = sktune.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "sktune"
html_static_path = ["_static"]
html_css_files = ["custom.css", "gallery.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # types are said in numpydoc
autosummary_generate = True
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False

# Runs what is named examples/plot_*.py, so that pictures are those of today's code.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "ignore_pattern": "digits",  # takes longer, and the README has it
    "within_subsection_order": "ExampleTitleSortKey",
    "capture_repr": (),  # what an example wants to show it prints
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sktune",),
    "download_all_examples": False,
    "write_computation_times": False,
    "min_reported_time": 600,  # seconds; times are those of whatever machine it was
    "show_signature": False,
}
