"""Runs the examples of pages and docstrings: ``pytest README.md docs sktune``."""

from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.markdown import PythonCodeBlockParser
from sybil.parsers.rest import DocTestParser


def begin(namespace):
    """One thread: where others use the machine too, more make small nets crawl."""
    import torch  # noqa: F401  (its threads are among those that are limited)
    from threadpoolctl import threadpool_limits

    namespace["_threads"] = threadpool_limits(limits=1)


def end(namespace):
    namespace.pop("_threads").restore_original_limits()


pages = Sybil(
    parsers=[PythonCodeBlockParser()], patterns=["*.md"], setup=begin, teardown=end
)
docstrings = Sybil(
    parsers=[DocTestParser()],
    path="sktune",
    patterns=["*.py"],
    document_types={".py": PythonDocStringDocument},
    setup=begin,
    teardown=end,
)

pytest_collect_file = (pages + docstrings).pytest()
