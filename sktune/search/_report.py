"""What a search shows of itself: a page, and a summary in a notebook."""

from __future__ import annotations

from os import PathLike


class Reported:
    """Writes a page; in a notebook it shows the best beside scikit-learn's diagram."""

    def to_html(self, path: str | PathLike[str]) -> None:
        """Write a page of HTML that shows the fitted search, and needs no network.

        Parameters
        ----------
        path : str or path-like
            The file to write, which is replaced where there is one.

        See Also
        --------
        sktune.inspection.write_report : The same of a journal, of a search that runs
            too, and of scikit-learn's searches.

        Notes
        -----
        Learning curves are there where nets keep a part for validation, and
        tracebacks of failures where the search has a `journal`.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.svm import SVC
        >>> from sktune import GridSearchCV
        >>> search = GridSearchCV(SVC(), {"C": [1, 10]}, cv=2)
        >>> with TemporaryDirectory() as folder:
        ...     search.fit(*load_iris(return_X_y=True)).to_html(f"{folder}/search.html")
        """
        from sktune.inspection._report import write_report

        write_report(self, path)

    def _html_repr(self) -> str:
        diagram: str = super()._html_repr()  # type: ignore[misc]
        if not hasattr(self, "cv_results_"):
            return diagram
        from sktune.inspection._report import summary_html

        return diagram + summary_html(self)
