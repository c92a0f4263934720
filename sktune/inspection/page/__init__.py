"""A search, running or fitted, on one page of HTML."""

from sktune.inspection.page._html import page_of, summary_of, write_text

__all__ = ["page_of", "summary_of", "write_text"]
