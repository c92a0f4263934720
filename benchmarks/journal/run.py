"""What does a journal cost, and how long does it take to continue from one?

A random search over an estimator that does nothing, with 5 splits, without and with a
journal; then the same search again, of which every fit is known. Repetitions are
interleaved.

    python benchmarks/journal/run.py --json benchmarks/journal/results.json
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import sktune
from sktune.persistence import Journal, read_records

sys.path.insert(0, str(Path(__file__).parents[1]))
from overhead.run import N_SPLITS, SPACE, Nothing, X
from report import environment, markdown_table, save


def seconds(n_records: int, journal: Path | None) -> float:
    search = sktune.RandomizedSearchCV(
        Nothing(),
        SPACE,
        n_iter=n_records // N_SPLITS,
        cv=N_SPLITS,
        refit=False,
        random_state=0,
        journal=journal,
    )
    start = time.perf_counter()
    search.fit(X)
    return time.perf_counter() - start


def sync_ms(folder: Path, n: int = 100) -> float:
    """Milliseconds that the disk takes to sync a line, without any search."""
    number = os.open(folder / "sync", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    times = []
    for _ in range(n):
        start = time.perf_counter()
        os.write(number, b"x" * 400 + b"\n")
        os.fsync(number)
        times.append(time.perf_counter() - start)
    os.close(number)
    return statistics.median(times) * 1e3


def work_ms(folder: Path) -> float:
    """Milliseconds a record on a disk that takes no time to sync."""
    path, n = folder / "work.jsonl", 1000
    seconds(10, path)
    record = read_records(path)[-1]
    real, os.fsync = os.fsync, lambda _: None
    try:
        with Journal(path) as journal:
            start = time.perf_counter()
            for _ in range(n):
                journal.append(record)
            return (time.perf_counter() - start) / n * 1e3
    finally:
        os.fsync = real


def measure(n_records: int, repeats: int, folder: Path) -> dict:
    times: dict[str, list[float]] = {"without": [], "with": [], "again": []}
    for repeat in range(repeats):
        journal = folder / f"{n_records}-{repeat}.jsonl"
        times["without"].append(seconds(n_records, None))
        times["with"].append(seconds(n_records, journal))
        times["again"].append(seconds(n_records, journal))
    without, with_journal, again = (statistics.median(t) for t in times.values())
    lines = journal.read_bytes().splitlines(keepends=True)[2:]
    return {
        "n_records": n_records,
        "ms_per_fit_without": without / n_records * 1e3,
        "ms_per_record": (with_journal - without) / n_records * 1e3,
        "seconds_to_replay": again,
        "bytes_per_record": sum(map(len, lines)) / len(lines),
        "seconds_of_each_repeat": times,
    }


def table(rows: list[dict]) -> str:
    head = ["records", "ms a fit without", "ms a record", "s to replay"]
    cells = [
        [
            f"{row['n_records']:,}",
            f"{row['ms_per_fit_without']:.2f}",
            f"{row['ms_per_record']:.2f}",
            f"{row['seconds_to_replay']:.2f}",
            f"{row['bytes_per_record']:.0f}",
        ]
        for row in rows
    ]
    return markdown_table([*head, "bytes a record"], cells, align="rrrrr")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[10, 1000, 10000])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="on the disk that is measured")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()

    report = environment()
    report["repeats"] = args.repeats
    with TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        seconds(10, None)
        report["ms_of_a_sync"] = sync_ms(folder)
        report["ms_per_record_without_sync"] = work_ms(folder)
        report["rows"] = [measure(n, args.repeats, folder) for n in args.records]
    print(table(report["rows"]))
    print(
        f"\nThe disk takes {report['ms_of_a_sync']:.2f} ms to sync a line; a record "
        f"costs {report['ms_per_record_without_sync']:.3f} ms besides."
    )
    save(args.json, report)


if __name__ == "__main__":
    main()
