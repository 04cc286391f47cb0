"""Measures a job: we and its peers take turns, round by round, every second one in the reverse order."""

import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

from cases import Command, Job, Peer
from corpora import Corpus
from measure import CommandFailed, Comparison, Measurement, compare
from workbench import Workbench


class Failures:
    """What could not be measured. Said when it happens; the other cases go on."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, case: str, why: CommandFailed) -> None:
        self.count += 1
        print(f"  {case}: FAILED, {why}", file=sys.stderr, flush=True)


def available(job: Job, wanted: list[Peer]) -> list[Peer]:
    """Those whose programs are installed."""
    found = []
    for peer in wanted:
        missing = [tool for tool in peer.tools if which(tool) is None]
        if missing:
            print(f"  {job.case(peer)}: left out, {' and '.join(missing)} not found", file=sys.stderr, flush=True)
        else:
            found.append(peer)
    return found


def measure_job(
    bench: Workbench, job: Job, peers: list[Peer], corpus: Corpus, rounds: int, failures: Failures
) -> Iterator[tuple[Peer, Comparison]]:
    """The peers that did their work, each beside ours; nothing if ours failed."""
    commands = {"": job.ours} | {peer.name: peer.command for peer in peers}
    bases: dict[str, Path] = {}
    taken: dict[str, list[Measurement]] = {name: [] for name in commands}
    failed: set[str] = set()

    def take(name: str, command: Command) -> None:
        try:
            if name not in bases:
                bases[name] = bench.begin(command, corpus)
            taken[name].append(bench.measure(command, job, corpus, bases[name]))
        except CommandFailed as why:
            failed.add(name)
            failures.add(f"{job.name}/{name or 'ours'}", why)

    for number in range(rounds):
        turns = list(commands.items())
        for name, command in reversed(turns) if number % 2 else turns:
            if name not in failed and "" not in failed:
                take(name, command)
    for peer in peers:
        if not failed & {"", peer.name}:
            yield peer, compare(taken[""], taken[peer.name])
