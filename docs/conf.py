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
]
exclude_patterns = ["_build", "_templates"]
templates_path = ["_templates"]
html_theme = "furo"
html_title = "sktune"
html_static_path = ["_static"]
html_css_files = ["custom.css"]

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_typehints = "none"  # types are said in numpydoc
autosummary_generate = True
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False
