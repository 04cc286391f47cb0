"""On what was measured, and with which versions."""

import os
import platform
import re
import subprocess
from functools import cache
from pathlib import Path

GIB = 1 << 30


def cores() -> int:
    return len(os.sched_getaffinity(0))


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    return platform.machine()


def file_system(directory: Path) -> str:
    """The type of the file system that holds `directory`, e.g. "ext4"."""
    kind, longest = "unknown", -1
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, mount_point, this_kind, *_ = line.split()
        if directory.resolve().is_relative_to(mount_point) and len(mount_point) >= longest:
            kind, longest = this_kind, len(mount_point)
    return kind


def describe(directory: Path) -> str:
    """The machine in one line, e.g. "AMD EPYC, 2 cores, 24 GiB, Linux 6.1, ext4"."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{processor()}, {cores()} cores, {memory / GIB:.0f} GiB, Linux {kernel}, {file_system(directory)}"


@cache
def version(tool: str) -> str:
    """Name and version, e.g. "pigz 2.6"."""
    words = [tool, "version"] if tool == "restic" else [tool, "--version"]
    told = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    number = re.search(r"\d+\.\d+(\.\d+)*", told.stdout)
    return f"{tool} {number[0]}" if number else tool


def commit(repository: Path) -> str:
    """Of the program that is measured; "+" after it: with changes. Changes in bench/ don't count."""
    git = ["git", "-C", str(repository)]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, check=True, text=True)
    changes = subprocess.run(
        [*git, "status", "--porcelain", "--untracked-files=no", "--", ":!bench"],
        capture_output=True,
        check=True,
        text=True,
    )
    return head.stdout.strip() + ("+" if changes.stdout else "")
