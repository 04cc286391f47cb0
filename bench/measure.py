"""Runs one command and takes its figures; compares two rows of them."""

import os
import signal
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# What a process had before its exec counts into its peak: with vfork that is all of this interpreter's memory.
subprocess._USE_VFORK = False


class CommandFailed(Exception):
    """A command that is measured, or prepares a measurement, has not ended with 0."""


@dataclass(frozen=True)
class Measurement:
    """Of the command with all its children. The peak is that of its largest process; less than 12 MiB can't be seen."""

    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    result_bytes: int = 0


@dataclass(frozen=True)
class Comparison:
    """Medians over all rounds, and the largest peak. The ratios are taken round by round, ours to the peer's."""

    ours: Measurement
    peer: Measurement
    ratio: float
    lowest_ratio: float
    highest_ratio: float


def run(line: str, directory: Path, environment: Mapping[str, str], log: Path) -> Measurement:
    """Runs a line of bash. What it prints goes to the log, whose end is in the error if it fails."""
    with log.open("wb") as output:
        begin = time.perf_counter()
        process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", line],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=directory,
            env=dict(environment),
            start_new_session=True,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:  # asked to end: nothing goes on in directories that are about to be removed
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        wall_seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        last_words = log.read_text(encoding="utf-8", errors="replace").strip()[-2000:]
        raise CommandFailed(f"status {process.returncode} from: {line}\n{last_words}")
    return Measurement(wall_seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a directory."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def summary(rounds: Sequence[Measurement]) -> Measurement:
    return Measurement(
        statistics.median(one.wall_seconds for one in rounds),
        statistics.median(one.cpu_seconds for one in rounds),
        max(one.peak_bytes for one in rounds),
        int(statistics.median(one.result_bytes for one in rounds)),
    )


def compare(ours: Sequence[Measurement], peer: Sequence[Measurement]) -> Comparison:
    """REQUIRES: as many of ours as of the peer's, at least one, in the order of the rounds."""
    ratios = [a.wall_seconds / b.wall_seconds for a, b in zip(ours, peer, strict=True)]
    return Comparison(summary(ours), summary(peer), statistics.median(ratios), min(ratios), max(ratios))
