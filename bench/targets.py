"""What is to be reached: wall time as a ratio to the peer's in the same run, on two cores. Smaller is better."""

from collections.abc import Mapping
from dataclasses import dataclass

LARGE_CORPORA = ("w1", "w1h", "w2", "w3")


@dataclass(frozen=True)
class Target:
    """`reach` is the ratio by corpus. Elsewhere, e.g. with --quick, the first one is shown for orientation."""

    reach: Mapping[str, float]
    size: float | None = None  # largest allowed ratio of the archives' sizes

    def on(self, corpus: str) -> float | None:
        """None on a large corpus of ours for which nothing is to be reached."""
        elsewhere = None if corpus in LARGE_CORPORA else next(iter(self.reach.values()))
        return self.reach.get(corpus, elsewhere)


# Every target has at least one case; the tests hold it.
TARGETS: dict[str, Target] = {
    # Without fsync and SHA-256, which no peer does.
    "tar, GNU tar": Target({"w1": 0.55, "w2": 0.40, "w3": 0.40}),
    "tar, GNU tar -b 512": Target({"w1": 0.90}),
    # All others with everything on: synced, SHA-256, manifest, digests, extended attributes, nanoseconds.
    "tar.gz 6, gzip": Target({"w1h": 0.22}, size=1.005),
    "tar.gz 6, pigz": Target({"w1h": 0.48}),
    "tar.gz 1, pigz": Target({"w1h": 0.30}),
    "tar.bz2, bzip2": Target({"w1h": 0.55}),
    "tar.bz2, pbzip2": Target({"w1h": 1.00}),
    "tar.xz 6, xz -T2": Target({"w1h": 1.00, "small": 0.70}),  # small: below 2 x 24 MiB
    "tar.zst 3, zstd -T2": Target({"w1h": 0.70}),
    "unchanged level, GNU tar -g": Target({"w1": 0.50, "w3": 0.50}),
    "look inside, GNU tar": Target({"w1h": 0.02}),  # list, or one member, with our manifest
    "list foreign tar.gz, GNU tar + pigz": Target({"w1h": 0.40}),
    "restore foreign tar.gz, GNU tar + pigz": Target({"w1h": 0.90}),
    "restore ours, GNU tar + parallel tool": Target({"w1h": 0.80}),
    "other backup programs": Target({"w1h": 0.50}),  # same tree, tar.gz or their default; of the best of them
    "cost per entry": Target({"curve": 1.15}),  # to the cost per entry of the tree with 10,000
}

# Peak memory that a backup may take, whatever the number of files: 64 MiB and what the codec needs, MiB.
MEMORY_LIMITS: dict[str, int] = {
    "tar": 64,
    "tar.gz": 64 + 20,
    "tar.bz2": 64 + 20,
    "tar.xz": 64 + 2 * 94,
    "tar.zst": 64 + 63,
}
