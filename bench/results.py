"""One row of results, and the file that keeps them: results.csv, which only grows."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from corpora import Corpus
from measure import Comparison

MIB = 1 << 20
RESULTS = Path(__file__).with_name("results.csv")


class ResultsDamaged(Exception):
    """results.csv is not what this program writes; the message says where."""


@dataclass(frozen=True)
class Row:
    """Seconds are medians, peaks the largest of all rounds; the ratio is the median of ours by the peer's."""

    date: str
    commit: str
    machine: str
    corpus: str
    entries: int
    content_bytes: int
    case: str
    peer_version: str
    rounds: int
    ours_seconds: float
    peer_seconds: float
    ratio: float
    lowest_ratio: float
    highest_ratio: float
    ours_cpu_seconds: float
    peer_cpu_seconds: float
    ours_peak_mib: float
    peer_peak_mib: float
    ours_bytes: int
    peer_bytes: int
    target: float | None

    @property
    def reached(self) -> bool | None:
        """None without a target."""
        return None if self.target is None else self.ratio <= self.target


@dataclass(frozen=True)
class Run:
    """What all rows of a run have in common."""

    date: str
    commit: str
    machine: str
    rounds: int

    def row(self, corpus: Corpus, case: str, peer_version: str, found: Comparison, target: float | None) -> Row:
        ours, peer = found.ours, found.peer
        return Row(
            date=self.date,
            commit=self.commit,
            machine=self.machine,
            corpus=corpus.name,
            entries=corpus.entries,
            content_bytes=corpus.content_bytes,
            case=case,
            peer_version=peer_version,
            rounds=self.rounds,
            ours_seconds=round(ours.wall_seconds, 4),
            peer_seconds=round(peer.wall_seconds, 4),
            ratio=round(found.ratio, 4),
            lowest_ratio=round(found.lowest_ratio, 4),
            highest_ratio=round(found.highest_ratio, 4),
            ours_cpu_seconds=round(ours.cpu_seconds, 4),
            peer_cpu_seconds=round(peer.cpu_seconds, 4),
            ours_peak_mib=round(ours.peak_bytes / MIB, 1),
            peer_peak_mib=round(peer.peak_bytes / MIB, 1),
            ours_bytes=ours.result_bytes,
            peer_bytes=peer.result_bytes,
            target=target,
        )


COLUMNS = [field.name for field in fields(Row)]


def append(path: Path, rows: Iterable[Row]) -> None:
    """Throws ResultsDamaged, and writes nothing, if the file that is there has other columns."""
    is_new = not path.exists()
    if not is_new:
        read(path)
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        for row in rows:
            values = asdict(row)
            writer.writerow(values | {"target": "" if row.target is None else row.target})


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        if reader.fieldnames != COLUMNS:
            raise ResultsDamaged(f"{path}:1: columns are {reader.fieldnames}, must be {COLUMNS}")
        return [parse(values, f"{path}:{reader.line_num}") for values in reader]


def parse(values: dict[str, str], place: str) -> Row:
    parsed: dict[str, Any] = {}
    for field in fields(Row):
        try:
            parsed[field.name] = parse_value(field.type, values[field.name])
        except (TypeError, ValueError) as why:  # a line that is too short gives None
            raise ResultsDamaged(f"{place}: {field.name}: {why}") from why
    return Row(**parsed)


def parse_value(kind: object, text: str) -> str | int | float | None:
    if kind is int:
        return int(text)
    if kind is float or text != "" and kind == float | None:
        return float(text)
    return text if kind is str else None
