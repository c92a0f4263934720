"""The command line: ``sktune report search.jsonl -o search.html``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import sktune


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        return _report(given)
    except (OSError, ValueError) as error:  # JournalError is one
        print(f"sktune report: {_line(error, given.output)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sktune", description="Look at hyperparameter searches of sktune."
    )
    parser.add_argument(
        "--version", action="version", version=f"sktune {sktune.__version__}"
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    report = commands.add_parser(
        "report",
        help="write a page of HTML that shows the search of a journal",
        description="Write a page of HTML that shows the search of a journal, which "
        "may still run. The page is one file and needs no network.",
    )
    report.add_argument(
        "journal", help="file that the search was given as its journal argument"
    )
    report.add_argument(
        "-o",
        "--output",
        metavar="page",
        default="report.html",
        help="file to write, replaced where there is one (default: %(default)s)",
    )
    report.add_argument(
        "--metric",
        help="metric to rank by, where scoring has several (default: the one that "
        "refit names, or the first)",
    )
    report.add_argument(
        "--watch",
        action="store_true",
        help="renew the page, in an open browser too, as the journal grows, until "
        "Ctrl-C",
    )
    return parser


def _report(given: argparse.Namespace) -> int:
    from sktune.inspection import watch_report, write_report

    if not given.watch:
        write_report(given.journal, given.output, metric=given.metric)
        print(f"wrote {given.output}")
        return 0
    print(f"{given.output} follows {given.journal}; Ctrl-C ends it", flush=True)
    try:
        watch_report(given.journal, given.output, metric=given.metric)
    except KeyboardInterrupt:
        print(f"\nwrote {given.output}")
    return 0


def _line(error: Exception, output: str) -> str:
    """What an error says, in one line; of the system, which knows no remedy, too."""
    if isinstance(error, OSError) and error.strerror:
        return f"{output!r} cannot be written: {error.strerror}. Name another file."
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
