#!/usr/bin/env python3
"""What looking inside of large archives, proving and restoring them costs: time and memory, with the limits.

Everything is made below --work, on a tree (--tree) of about 1 GB and one of a million files; some 25 GB, removed at the end.
"""

import argparse
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import tempfile

import measure

TYPES = ("tar", "tar.gz", "tar.bz2", "tar.xz", "tar.zst")
# What a codec may take beside 64 MiB; of xz for each of two threads.
CODEC_MIB = {"tar": 0, "tar.gz": 20, "tar.bz2": 20, "tar.xz": 2 * 94, "tar.zst": 63}
PACK = {"tar.gz": "pigz -1", "tar.bz2": "lbzip2", "tar.xz": "xz -0 -T2", "tar.zst": "zstd -q"}
CPU_LIMIT_MS = {"tar": 50, "tar.gz": 50, "tar.bz2": 250, "tar.xz": 250, "tar.zst": 50}
ROUNDS = 5


class Inside:
    def __init__(self, program, work):
        self.program, self.work = program, work
        self.environment = dict(os.environ, AA_STATE_DIR=str(work / "state"), LC_ALL="C.UTF-8")

    def measure(self, line):
        return measure.run(line, self.work, self.environment, self.work / "log")

    def run(self, *words):
        return self.measure(shlex.join([str(self.program), *map(str, words)]))

    @staticmethod
    def median_ms(run, what="cpu_seconds"):
        return 1000 * statistics.median(getattr(run(), what) for _ in range(ROUNDS))

    def archive(self, tree, name, kind):
        self.run("create", name, "--root", tree, "--destination", self.work, "--type", kind, "-q")
        return self.work / f"{name}.{kind}"

    def row(self, what, limit, found, unit):
        print(f"| {what} | {limit} {unit} | {found:.0f} {unit} | {found / limit:.2f} |", flush=True)

    def one_file(self, tree, archives):
        # One by one: what this program has in memory counts for those that it starts.
        path = max(file for file in tree.rglob("*") if file.is_file() and 0 < file.stat().st_size < 10_000)
        for kind, archive in archives.items():
            self.row(f"a small file out of {archive.stat().st_size >> 20} MiB of {kind}", CPU_LIMIT_MS[kind],
                     self.median_ms(lambda archive=archive: self.run("cat", archive, path.relative_to(tree))), "ms")

    def million(self, count):
        tree = self.work / "million"
        for number in range(count // 1000):
            directory = tree / f"d{number:03}"
            directory.mkdir(parents=True)
            for file in range(1000):
                (directory / f"file-{file:03}.txt").touch()
        archive = self.archive(tree, "million", "tar.gz")
        for words, limit in ((("ls", archive, f"d{count // 2000:03}"), 200), (("find", "*-777.txt", "million", "--destination", self.work), 500)):
            self.row(f"`{words[0]}` in {count:,} entries, until it is done", limit, self.median_ms(lambda words=words: self.run(*words), "wall_seconds"), "ms")
        shutil.rmtree(tree)

    def verify(self, archive):
        ours = self.median_ms(lambda: self.run("verify", archive))
        peers = self.median_ms(lambda: self.measure(f"pigz -t {archive.name} && sha256sum {archive.name}"))
        self.row("`verify` of tar.gz, by `pigz -t` and `sha256sum`", round(peers), ours, "ms")

    def memory(self, what, archive, kind):
        limit = 64 + CODEC_MIB[kind]
        for verb, words in (("ls", ()), ("verify", ()), ("restore", ("--to", self.work / "restored"))):
            self.row(f"{what} {kind}, `{verb}`", limit, self.run(verb, archive, *words, "-q").peak_bytes / 2**20, "MiB")
            shutil.rmtree(self.work / "restored", ignore_errors=True)

    def bombs(self, gib):
        with open(self.work / "zeros", "wb") as zeros:
            zeros.truncate(gib << 30)
        for kind, pack in PACK.items():
            bomb = self.work / f"bomb.{kind}"
            subprocess.run(["sh", "-c", f"tar -C {self.work} -cf - zeros | {pack} > {bomb}"], check=True)
            limit = 64 + CODEC_MIB[kind]
            for verb in ("ls", "verify"):
                line = shlex.join([str(self.program), verb, str(bomb), "-q"])
                # Without a manifest, 1 is the best that there is.
                peak = self.measure(f"{line} || [ $? -eq 1 ]").peak_bytes / 2**20
                self.row(f"{gib} GiB of zeros in a {kind}, `{verb}`", limit, peak, "MiB")
            bomb.unlink()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=pathlib.Path, default="build/release/bin/aa")
    parser.add_argument("--tree", type=pathlib.Path, default=pathlib.Path.home() / ".cache/autoarchive-bench/w1")
    parser.add_argument("--work", type=pathlib.Path, help="where everything is made; a new directory below it")
    parser.add_argument("--types", nargs="*", default=TYPES)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--bomb-gib", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        inside = Inside(arguments.program.resolve(), pathlib.Path(work))
        archives = {kind: inside.archive(arguments.tree.resolve(), kind.replace(".", "-"), kind) for kind in arguments.types}
        print("| what | limit | found | part of the limit |\n| --- | ---: | ---: | ---: |")
        inside.one_file(arguments.tree.resolve(), archives)
        inside.million(arguments.entries)
        if "tar.gz" in archives:
            inside.verify(archives["tar.gz"])
        for kind, archive in archives.items():
            inside.memory(f"{archive.stat().st_size >> 20} MiB of", archive, kind)
        inside.bombs(arguments.bomb_gib)


if __name__ == "__main__":
    main()
