"""Makes a tree of any number of tiny files, the same one every time."""

import os
import random
from collections import deque
from pathlib import Path

WORDS = (
    "archive band cell chart code data draft event field file frame graph group image index item key layer list map"
    " mode name node note page part path plan point query range record rule scan set sheet state step store table task"
    " term text time token tree unit user view"
).split()
ENDINGS = (".c", ".h", ".json", ".md", ".py", ".txt", ".xml", "")
TEXT_BYTES = 1 << 20
LARGEST_FILE = 4096
NANOSECONDS = 10**9
YEAR_2024 = 1_704_067_200


def make(root: Path, entries: int) -> None:
    """Makes the directory `root`; it is one of the entries. Level by level, as a real tree is bushy and not deep."""
    chance = random.Random(entries)
    text = " ".join(chance.choice(WORDS) for _ in range(TEXT_BYTES // 6)).encode()
    root.mkdir(parents=True)
    left = entries - 1
    directories = deque([root])
    while left > 0:
        directory = directories.popleft()
        for number in range(min(left, chance.randint(5, 60))):
            write_file(directory / f"{two_words(chance)}-{number}{chance.choice(ENDINGS)}", chance, text)
            left -= 1
        for number in range(min(left, chance.randint(2, 4))):
            directories.append(directory / f"{chance.choice(WORDS)}{number}")
            directories[-1].mkdir()
            left -= 1


def two_words(chance: random.Random) -> str:
    return f"{chance.choice(WORDS)}-{chance.choice(WORDS)}"


def write_file(path: Path, chance: random.Random, text: bytes) -> None:
    """A file is about a KiB, one in twenty is empty. Times have nanoseconds, as those of written files do."""
    size = 0 if chance.random() < 0.05 else min(LARGEST_FILE, int(chance.expovariate(1 / 1200)))
    begin = chance.randrange(len(text) - LARGEST_FILE)
    path.write_bytes(text[begin : begin + size])
    modified = (YEAR_2024 + chance.randrange(10**7)) * NANOSECONDS + chance.randrange(NANOSECONDS)
    os.utime(path, ns=(modified, modified))
