#!/usr/bin/env python3
"""Measures aa beside its peers, in alternating runs on the same trees; README.md says how to read what it prints."""

import argparse
import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import corpora
import curve
import machine
import report
import results
from cases import JOBS, Job, Peer
from results import Row, Run
from rounds import Failures, available, measure_job
from targets import TARGETS
from workbench import Workbench

REPOSITORY = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autoarchive-bench"


@dataclass(frozen=True)
class Work:
    """What was asked for: jobs with the peers that are wanted, by corpus, and the curve's."""

    jobs: Sequence[tuple[str, Job, list[Peer]]]
    curves: Sequence[tuple[Job, Sequence[int]]]


def at_least_one(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word} is not a number from 1 on")
    return int(word)


def pattern(word: str) -> re.Pattern[str]:
    try:
        return re.compile(word)
    except re.error as why:
        raise argparse.ArgumentTypeError(f"{word} is not a regular expression: {why}") from why


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--aa", type=Path, default=REPOSITORY / "build/release/bin/aa", help="the program to measure")
    parser.add_argument(
        "--corpus", action="append", help=f"on this tree only: {', '.join(corpora.NAMES)}, or a directory; repeatable"
    )
    parser.add_argument("--rounds", type=at_least_one, metavar="N", help="default 5; 3 with --quick")
    parser.add_argument(
        "--case", type=pattern, default="", metavar="REGEX", help="only cases whose name matches, e.g. 'xz|pigz'"
    )
    parser.add_argument("--quick", action="store_true", help="all on the corpus small, in about two minutes")
    parser.add_argument("--full", action="store_true", help="the curve up to a million entries")
    parser.add_argument("--record", action="store_true", help="keep the rows in results.csv, renew table and plot")
    parser.add_argument("--list", action="store_true", help="name the cases, and measure nothing")
    parser.add_argument("--cache", type=Path, metavar="DIR", default=CACHE, help="for the corpora; default %(default)s")
    arguments = parser.parse_args(words)
    if arguments.quick and arguments.corpus is None:
        arguments.corpus = ["small"]
    arguments.rounds = arguments.rounds or (3 if arguments.quick else 5)
    return arguments


def plan(arguments: argparse.Namespace) -> Work:
    wanted = arguments.case
    jobs = [
        (corpus, job, peers)
        for job in JOBS
        if (peers := [peer for peer in job.peers if wanted.search(job.case(peer))])
        for corpus in arguments.corpus or job.corpora
    ]
    points = curve.QUICK_POINTS if arguments.quick else curve.FULL_POINTS if arguments.full else curve.POINTS
    curves = [
        (job, points) for job in curve.JOBS if any(wanted.search(curve.case(job, entries)) for entries in points)
    ]
    # One corpus after the other, so that each is read from disk only once.
    order = list(dict.fromkeys(corpus for corpus, _, _ in jobs))
    return Work(sorted(jobs, key=lambda one: order.index(one[0])), curves)


def measure_jobs(work: Work, bench: Workbench, run: Run, cache: Path, failures: Failures) -> Iterator[Row]:
    prepared: dict[str, corpora.Corpus] = {}
    for name, job, wanted in work.jobs:
        peers = available(job, wanted)
        if not peers:
            continue
        if name not in prepared:
            prepared[name] = corpora.prepare(name, cache)
            print(f"{prepared[name]}\n{report.heading()}", flush=True)
        for peer, found in measure_job(bench, job, peers, prepared[name], run.rounds, failures):
            target = TARGETS[peer.target].on(name) if peer.target else None
            versions = ", ".join(machine.version(tool) for tool in peer.tools)
            yield run.row(prepared[name], job.case(peer), versions, found, target)


def measure_curves(work: Work, bench: Workbench, run: Run, cache: Path, failures: Failures) -> Iterator[Row]:
    for job, points in work.curves:
        trees = {entries: corpora.prepare(f"curve-{entries}", cache) for entries in (curve.SMALLEST, *points)}
        print(f"{job.name}: aa beside itself on {curve.REFERENCE:,} entries; ratio of the cost of an entry", flush=True)
        for entries, found in curve.measure_curve(bench, job, trees, run.rounds, failures):
            target = TARGETS[curve.TARGET].on("curve")
            yield run.row(trees[entries], curve.case(job, entries), f"aa on {curve.REFERENCE:,} entries", found, target)


def measure(arguments: argparse.Namespace, work: Work, failures: Failures) -> Iterator[Row]:
    cache = arguments.cache
    cache.mkdir(parents=True, exist_ok=True)
    run = Run(time.strftime("%Y-%m-%d %H:%M"), machine.commit(REPOSITORY), machine.describe(cache), arguments.rounds)
    print(f"aa at commit {run.commit} on {run.machine}; {run.rounds} rounds", flush=True)
    with Workbench(arguments.aa.resolve(), cache) as bench:
        yield from measure_jobs(work, bench, run, cache, failures)
        yield from measure_curves(work, bench, run, cache, failures)


def measure_and_tell(arguments: argparse.Namespace, work: Work) -> int:
    """The exit status. A recorded row is kept whatever happens after it."""
    failures = Failures()
    recorded = 0
    try:
        for row in measure(arguments, work, failures):
            print(report.line(row), flush=True)
            if arguments.record:
                results.append(results.RESULTS, [row])
                recorded += 1
    except corpora.CorpusMissing as why:
        print(f"bench: {why}", file=sys.stderr)
        return 1
    finally:
        if recorded:
            report.renew()
            print(f"recorded {recorded} rows in {results.RESULTS}")
    return 1 if failures.count else 0


def list_cases(work: Work) -> None:
    for corpus, job, peers in work.jobs:
        for peer in peers:
            print(f"{corpus:8} {job.case(peer):40} {TARGETS[peer.target].on(corpus) if peer.target else '-'}")
    for job, points in work.curves:
        for entries in points:
            print(f"{'curve':8} {curve.case(job, entries):40} {TARGETS[curve.TARGET].on('curve')}")


def main() -> int:
    arguments = parse_arguments(sys.argv[1:])
    work = plan(arguments)
    if not work.jobs and not work.curves:
        print(f"bench: no case matches {arguments.case.pattern}; --list names them", file=sys.stderr)
        return 2
    if arguments.list:
        list_cases(work)
        return 0
    if not arguments.aa.is_file():
        print(f"bench: {arguments.aa} is missing: ./dev build makes it", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is removed
    return measure_and_tell(arguments, work)


if __name__ == "__main__":
    sys.exit(main())
