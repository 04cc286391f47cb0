#!/usr/bin/env python3
"""Puts the results into words: a line a case while measuring, and the table in README.md.

usage: report.py; renews README.md and results.svg from results.csv
"""

from collections.abc import Sequence
from pathlib import Path

import corpora
import curve
import plot
import results
from cases import JOBS, Job, Peer
from results import Row
from targets import TARGETS

README = Path(__file__).with_name("README.md")
BEGIN = "<!-- from here on written by report.py -->"
END = "<!-- until here -->"

BY_CASE: dict[str, tuple[Job, Peer]] = {job.case(peer): (job, peer) for job in JOBS for peer in job.peers}
CURVES: dict[str, Job] = {job.name: job for job in curve.JOBS}


def heading() -> str:
    columns = ("ours s", "peer s", "ratio", "lowest", "highest", "target", "", "CPU s", "peer", "MiB", "peer", "size")
    return terminal_line("case", columns)


def terminal_line(case: str, columns: Sequence[str]) -> str:
    return f"  {case:40}" + "".join(f"{column:>9}" for column in columns)


def line(row: Row) -> str:
    """One row for a terminal."""
    columns = (
        f"{row.ours_seconds:.3f}",
        f"{row.peer_seconds:.3f}",
        f"{row.ratio:.3f}",
        f"{row.lowest_ratio:.3f}",
        f"{row.highest_ratio:.3f}",
        "-" if row.target is None else f"{row.target:.2f}",
        {True: "reached", False: "missed", None: ""}[row.reached],
        f"{row.ours_cpu_seconds:.3f}",
        f"{row.peer_cpu_seconds:.3f}",
        f"{row.ours_peak_mib:.0f}",
        f"{row.peer_peak_mib:.0f}",
        size_ratio(row),
    )
    return f"{terminal_line(row.case, columns)}  {', '.join(exceeded(row))}".rstrip()


def exceeded(row: Row) -> list[str]:
    """Limits of memory and size that were not kept, in words. Cases that no longer exist have none."""
    job, peer = BY_CASE.get(row.case, (CURVES.get(row.case.partition("/")[0]), None))
    words = []
    if job and job.memory_mib and row.ours_peak_mib > job.memory_mib:
        words.append(f"{row.ours_peak_mib:.0f} MiB of memory, above {job.memory_mib}")
    largest = TARGETS[peer.target].size if peer and peer.target else None
    if largest and row.ours_bytes > largest * row.peer_bytes:
        words.append(f"size {size_ratio(row)}, above {largest}")
    return words


def size_ratio(row: Row) -> str:
    return f"{row.ours_bytes / row.peer_bytes:.4f}" if row.ours_bytes and row.peer_bytes else "-"


def shown(rows: Sequence[Row]) -> list[Row]:
    """The last row of each case and corpus on the newest machine, in the order of the table of cases.

    They may be of several commits, as all cases together take an hour: each row names its own. Cases that are no more
    are left out.
    """
    newest = {(row.corpus, row.case): row for row in rows if row.machine == rows[-1].machine and rank(row) is not None}
    return sorted(newest.values(), key=lambda row: (corpus_rank(row), rank(row)))


def rank(row: Row) -> int | None:
    """The place in the table of cases; of a curve its points' number of entries, too. None: there is no such case."""
    name, _, point = row.case.partition("/")
    if name in CURVES:
        return len(BY_CASE) + list(CURVES).index(name) * 10**9 + int(point)
    return list(BY_CASE).index(row.case) if row.case in BY_CASE else None


def corpus_rank(row: Row) -> tuple[int, str]:
    if is_curve(row):
        return len(corpora.NAMES) + 1, ""
    return (corpora.NAMES.index(row.corpus), "") if row.corpus in corpora.NAMES else (len(corpora.NAMES), row.corpus)


def is_curve(row: Row) -> bool:
    return row.corpus.startswith("curve-")


def markdown(rows: Sequence[Row]) -> str:
    """What stands between BEGIN and END. REQUIRES: at least one row."""
    chosen = shown(rows)
    cases = [row for row in chosen if not is_curve(row)]
    trees = {f"{row.corpus}: {row.entries:,} entries, {row.content_bytes / 1e6:,.0f} MB": None for row in cases}
    versions = sorted({version for row in cases for version in row.peer_version.split(", ")})
    parts = [
        f"On {chosen[-1].machine}; {span([row.date.partition(' ')[0] for row in chosen])}.",
        f"Corpora: {'; '.join(trees)}. Peers: {', '.join(versions)}." if cases else "",
        "![ratios of all cases](results.svg)",
        cases_table(cases),
        curve_table([row for row in chosen if is_curve(row)]),
        limits_list(chosen),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def span(words: Sequence[str]) -> str:
    return " to ".join(sorted({min(words), max(words)}))


def cases_table(rows: Sequence[Row]) -> str:
    head = (
        "| corpus | case | ours s | peer s | ratio | lowest to highest | target"
        " | CPU s, ours / peer | MiB, ours / peer | size | commit, rounds |\n"
        "| --- | --- | ---: | ---: | ---: | --- | ---: | ---: | ---: | ---: | --- |"
    )
    return "\n".join([head, *(cases_line(row) for row in rows)]) if rows else ""


def cases_line(row: Row) -> str:
    ratio = f"**{row.ratio:.3f}**" if row.reached else f"{row.ratio:.3f}"
    target = "" if row.target is None else f"{row.target:.2f}"
    return (
        f"| {row.corpus} | {row.case} | {row.ours_seconds:.3f} | {row.peer_seconds:.3f} | {ratio}"
        f" | {row.lowest_ratio:.3f} to {row.highest_ratio:.3f} | {target}"
        f" | {row.ours_cpu_seconds:.2f} / {row.peer_cpu_seconds:.2f}"
        f" | {row.ours_peak_mib:.0f} / {row.peer_peak_mib:.0f}"
        f" | {size_ratio(row)} | {row.commit}, {row.rounds} |"
    )


def curve_table(rows: Sequence[Row]) -> str:
    head = (
        "| curve | entries | s | CPU s | CPU us an entry | ratio of the cost of an entry to 10,000's"
        " | lowest to highest | target | MiB | commit, rounds |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | ---: | --- |"
    )
    return "\n".join([head, *(curve_line(row) for row in rows)]) if rows else ""


def curve_line(row: Row) -> str:
    microseconds = row.ours_cpu_seconds / row.entries * 1e6
    return (
        f"| {row.case.partition('/')[0]} | {row.entries:,} | {row.ours_seconds:.3f} | {row.ours_cpu_seconds:.3f}"
        f" | {microseconds:.1f} | {row.ratio:.2f} | {row.lowest_ratio:.2f} to {row.highest_ratio:.2f} | {row.target}"
        f" | {row.ours_peak_mib:.0f} | {row.commit}, {row.rounds} |"
    )


def limits_list(rows: Sequence[Row]) -> str:
    """A line for each job and corpus, although each of its cases has the same memory."""
    lines = [f"- {row.corpus}, {row.case.partition('/')[0]}: {words}" for row in rows for words in exceeded(row)]
    return "\n".join(["Limits that were not kept:", "", *dict.fromkeys(lines)]) if lines else ""


def replace_between(text: str, new: str) -> str:
    """REQUIRES: both marks are in the text."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{new}\n{END}{after}"


def renew() -> None:
    rows = results.read(results.RESULTS)
    README.write_text(replace_between(README.read_text(encoding="utf-8"), markdown(rows)), encoding="utf-8")
    plot.PLOT.write_text(plot.svg(shown(rows)), encoding="utf-8")


if __name__ == "__main__":
    renew()
