"""The trees that are measured: what they are made of, and what is in them. Made once, kept in the cache directory.

  w1     the kernel's sources, from the Debian package linux-source-6.1: 84,000 entries, 1.3 GB
  w1h    a third of it by size
  w2     six big files of real data, 1.9 GB
  w3     310,000 tiny files, generated
  small  the first 20 MB of /usr/include
  curve-N  N tiny files, generated
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tiny_files

KERNEL = Path("/usr/src/linux-source-6.1.tar.xz")
# Directories of w1.
THIRD = "arch block crypto drivers/media drivers/net fs include kernel lib mm net samples scripts security".split()
TINY_FILES = 310_000
SMALL_BYTES = 20_000_000
PIECE = 1 << 20
MB = 10**6
NAMES = ("w1", "w1h", "w2", "w3", "small")


class CorpusMissing(Exception):
    """A corpus can't be made here; the message says what is missing."""


@dataclass(frozen=True)
class Corpus:
    name: str
    path: Path
    entries: int
    content_bytes: int
    member: str  # a regular file about in the middle, relative

    def __str__(self) -> str:
        return f"{self.name}: {self.entries:,} entries, {self.content_bytes / MB:,.0f} MB"


def prepare(name: str, cache: Path) -> Corpus:
    """The corpus of that name, made if it is not in the cache; any other name is that of a directory."""
    if name in NAMES or name.startswith("curve-"):
        path = cache / name
        if not path.is_dir():
            make(name, path, cache)
        return survey(name, path)
    directory = Path(name).resolve()
    if not directory.is_dir():
        raise CorpusMissing(f"{name} is neither a directory nor one of {', '.join(NAMES)}")
    return survey(directory.name, directory)


def make(name: str, path: Path, cache: Path) -> None:
    """Appears under its name when it is complete."""
    print(f"making {name} in {path}", flush=True)
    partial = path.with_name(path.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    if name == "w1":
        make_kernel(partial)
    elif name == "w1h":
        make_third(partial, prepare("w1", cache).path)
    elif name == "w2":
        make_big_files(partial, prepare("w1", cache).path)
    elif name == "w3":
        tiny_files.make(partial, TINY_FILES)
    elif name == "small":
        make_small(partial)
    else:
        tiny_files.make(partial, int(name.removeprefix("curve-")))
    os.sync()
    partial.rename(path)


def make_kernel(target: Path) -> None:
    if not KERNEL.is_file():
        raise CorpusMissing(f"{KERNEL} is missing: install linux-source-6.1")
    target.mkdir(parents=True)
    subprocess.run(["tar", "-C", target, "--strip-components=1", "-xf", KERNEL], check=True)


def make_third(target: Path, kernel: Path) -> None:
    target.mkdir()
    subprocess.run(["cp", "-a", "--parents", *THIRD, target], cwd=kernel, check=True)


def make_big_files(target: Path, kernel: Path) -> None:
    target.mkdir()
    join_files(target / "libraries", files_below(Path("/usr/lib"), "*.so*"), 450 * MB)
    join_files(target / "programs", files_below(Path("/usr/bin"), "*"), 300 * MB)
    join_files(target / "sources", files_below(kernel, "*.[ch]"), 400 * MB)
    join_files(target / "documents", files_below(Path("/usr/share"), "*"), 250 * MB)
    with (target / "kernel.tar").open("wb") as tar:
        subprocess.run(f"xzcat {KERNEL} | head -c {360 * MB}", shell=True, stdout=tar, check=True)
    shutil.copy(KERNEL, target / "kernel.tar.xz")


def make_small(target: Path) -> None:
    left = SMALL_BYTES
    for file in files_below(Path("/usr/include"), "*"):
        left -= file.stat().st_size
        if left < 0:
            return
        copy = target / file.relative_to("/usr/include")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)


def files_below(top: Path, pattern: str) -> Iterator[Path]:
    """In one order everywhere."""
    for directory, directories, names in os.walk(top):
        directories.sort()
        for name in sorted(names):
            file = Path(directory, name)
            if file.match(pattern) and file.is_file() and not file.is_symlink():
                yield file


def join_files(target: Path, files: Iterator[Path], wanted: int) -> None:
    """One file of `wanted` bytes; what the machine has is repeated if it is not enough."""
    with target.open("wb") as output:
        for file in files:
            with file.open("rb") as source:
                while output.tell() < wanted and (piece := source.read(min(PIECE, wanted - output.tell()))):
                    output.write(piece)
            if output.tell() >= wanted:
                return
    repeat(target, wanted)


def repeat(target: Path, wanted: int) -> None:
    if target.stat().st_size == 0:
        raise CorpusMissing(f"this machine has no files for {target}")
    with target.open("rb") as source, target.open("ab") as output:
        while output.tell() < wanted:
            output.write(source.read(min(PIECE, wanted - output.tell())))
            output.flush()  # the source is the same file, and never at its end then


def survey(name: str, path: Path) -> Corpus:
    entries, content_bytes = 1, 0
    for entry in entries_below(path):
        entries += 1
        if entry.is_file(follow_symlinks=False):
            content_bytes += entry.stat(follow_symlinks=False).st_size
    return Corpus(name, path, entries, content_bytes, middle_file(path, entries // 2))


def middle_file(path: Path, before: int) -> str:
    """The first file after that many entries, or else the last one of all."""
    found = ""
    for number, entry in enumerate(entries_below(path)):
        if entry.is_file(follow_symlinks=False):
            found = os.path.relpath(entry.path, path)
            if number >= before:
                break
    return found


def entries_below(path: str | Path) -> Iterator[os.DirEntry[str]]:
    """Sorted in each directory."""
    with os.scandir(path) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from entries_below(entry.path)
