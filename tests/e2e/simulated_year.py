#!/usr/bin/env python3
"""A year of nights in minutes: levels, restarts, generations, proofs, failures, kills and full disks.

usage: simulated_year.py AA [--nights N] [--seed S] [--type TYPE] [--keep DIR]

Every night the tree changes a little and `aa create` runs under faketime. One night a week the source is away, one a week the run
is killed at a random system call, one a month the disk is full from a random system call on. After each night every backup that is
listed is verified and restored, and has to be the tree of its night; nothing that restored before may be gone unless the rules
say so; no temporary file outlives the next run; and `aa status` has to say what has happened. Prints a summary; exits 1 at the
first night that is not as it should be.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

LEVELS = "{max: 6, restart_after: 20d, full_after: 60d, full_after_restarts: 4, max_restart_size: 70%, remove_obsolete: true}"
GENERATIONS = 2
FILES = 24
# Where a run is killed, or finds the disk full: one of the calls that the last good run has made. strace counts each call
# of each thread by itself, so that a number alone would mostly be one that is never reached.
KILL_CALLS = "write,pwrite64,openat,rename,renameat,renameat2,linkat,unlinkat,unlink,fsync,mkdir,close"
FULL_CALLS = ("write", "pwrite64", "fsync")
FULL_TRIES = 5  # not each run comes as far in the same thread
KILLED = (-9, 1, 137)  # faketime makes a 1 of it
STATUSES = (0, 1, 2, 66, 69, 73, 75, 77)  # what the program ends with, but for wrong usage and its own errors


class Wrong(Exception):
    """A night that is not as it should be."""


class Source:
    """The tree, and what it was in each backup."""

    def __init__(self, root, rng):
        self.root = root
        self.rng = rng
        root.mkdir()
        for number in range(FILES):
            self.write(number)

    def write(self, number):
        folder = self.root / f"d{number % 5}"
        folder.mkdir(exist_ok=True)
        (folder / f"f{number}").write_bytes(self.rng.randbytes(self.rng.randrange(4000)))

    def change(self):
        for _ in range(self.rng.randrange(1, 4)):
            number = self.rng.randrange(FILES * 2)
            path = self.root / f"d{number % 5}" / f"f{number}"
            if path.exists() and self.rng.random() < 0.3:
                path.unlink()
            else:
                self.write(number)
        if self.rng.random() < 0.1:  # folders change places
            one, two, between = self.root / "d0", self.root / "d1", self.root / "between"
            if one.exists() and two.exists():
                one.rename(between)
                two.rename(one)
                between.rename(two)

    @staticmethod
    def picture(root):
        return {
            str(path.relative_to(root)): path.read_bytes() if path.is_file() else None for path in sorted(root.rglob("*"))
        }


class Year:
    def __init__(self, options, work):
        self.aa = options.aa
        self.type = options.type
        self.work = work
        self.rng = random.Random(options.seed)
        self.source = Source(work / "source", self.rng)
        self.destination = work / "backups"
        self.destination.mkdir()
        self.config = work / "config.yaml"
        self.config.write_text(
            "version: 1\n"
            f"state_dir: {work / 'state'}\n"
            "archives:\n"
            "  home:\n"
            f"    root: {self.source.root}\n"
            f"    destination: {self.destination}\n"
            f"    type: {self.type}\n"
            "    incremental: true\n"
            f"    levels: {LEVELS}\n"
            f"    keep: {{generations: {GENERATIONS}}}\n"
            "    max_age: 26h\n"
            "    verify: {after_create: true, restore_every: 30d}\n"
        )
        self.now = datetime.datetime(2027, 1, 1, 3, 0)
        self.pictures = {}  # by backup id
        self.calls = []  # of the last run that ended well
        self.interrupted = None  # the tree of the last night whose run did not end well
        self.counts = collections.Counter()
        self.rules = collections.Counter()

    def run(self, *words, inject=None, trace=None):
        self.now += datetime.timedelta(minutes=1)  # each command later than the one before
        command = ["faketime", "-f", self.now.strftime("@%Y-%m-%d %H:%M:%S")]
        if inject is not None:
            command += ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={inject[0]}", "-e", f"inject={inject[0]}:{inject[1]}"]
        elif trace is not None:
            command += ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={KILL_CALLS}"]
        command += [self.aa, "--config", str(self.config), *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def backups(self):
        status, out, err = self.run("list", "home", "--json")
        if status != 0:
            raise Wrong(f"list ended with {status}: {err}")
        return json.loads(out)["archives"][0]["backups"]

    def check_backups(self):
        """Each listed backup is whole and restores the tree of its night."""
        now = Source.picture(self.source.root) if self.source.root.exists() else {}
        found = self.backups()
        named = {(backup["level"], backup["generation"]) for backup in found if not backup["file"].endswith("._old")}
        for backup in found:
            if backup["file"].endswith("._old") and (backup["level"], backup["generation"]) in named:
                continue  # about to go; only what is based on it can ask for it
            selector = str(backup["level"]) + ("." + backup["generation"] if backup["generation"] else "")
            target = self.work / "restored"
            status, _, err = self.run("restore", f"home@{selector}", "--to", str(target))
            if status != 0:
                raise Wrong(f"{backup['file']} does not restore ({status}): {err}")
            picture = Source.picture(target)
            shutil.rmtree(target)
            if "backup" not in backup:
                raise Wrong(f"{backup['file']} has no manifest: {backup.get('fault')}")
            if backup["backup"] not in self.pictures:
                # What a killed run had committed to its journal, the next run has finished: that is the tree of its night.
                self.pictures[backup["backup"]] = self.interrupted if picture == self.interrupted else now
            if picture != self.pictures[backup["backup"]]:
                raise Wrong(f"{backup['file']} restores another tree than that of its night")
            self.counts["restores"] += 1
        status, _, err = self.run("verify", "home")
        if found and status != 0:
            raise Wrong(f"verify ended with {status}: {err}")
        return [backup["backup"] for backup in found]

    def create(self, inject=None):
        trace = self.work / "trace" if inject is None else None
        status, out, err = self.run("create", "home", "--json", inject=inject, trace=trace)
        if trace is not None and status == 0:
            self.calls = self.calls_in(trace)
        if status not in STATUSES and not (status in KILLED and inject is not None and "SIGKILL" in inject[1]):
            raise Wrong(f"create ended with {status}: {err}")
        if inject is None and not out:
            raise Wrong(f"create ended with {status} and no document: {err}")
        self.counts["kills before the end"] += inject is not None and "SIGKILL" in inject[1] and not out
        if inject is None and status == 0:
            made = json.loads(out)["archives"][0]
            self.rules[made["level_rule"]] += 1
            self.counts[f"level {made['level']}"] += 1
        return status, err

    @staticmethod
    def calls_in(trace):
        """Each call with the number that strace gives it: the how many-th of its name in its thread."""
        numbers = collections.Counter()
        calls = []
        for line in trace.read_text(errors="replace").splitlines():
            found = re.match(r"(\d+) +(\w+)\(", line)
            if found:
                numbers[found.groups()] += 1
                calls.append((found[2], numbers[found.groups()]))
        return calls

    def expect_status(self, wanted, why):
        status, out, _ = self.run("status", "home")
        if status not in wanted:
            raise Wrong(f"status ended with {status} {why}: {out}")

    def good_night(self):
        self.source.change()
        status, err = self.create()
        if status != 0:
            raise Wrong(f"create ended with {status}: {err}")
        left = [name for name in os.listdir(self.destination) if name.endswith(("._partial", "._old", ".journal"))]
        if left:
            raise Wrong(f"files are left: {left}")
        self.expect_status([0], "after a good night")

    def failed_night(self):
        away = self.work / "away"
        self.source.root.rename(away)
        status, _ = self.create()
        self.expect_status([2], "after a failed night")
        away.rename(self.source.root)
        if status != 2:
            raise Wrong(f"create without a source ended with {status}")

    def killed_night(self):
        self.source.change()
        call, number = self.rng.choice(self.calls)
        self.create(inject=(call, f"signal=SIGKILL:when={number}"))

    def full_night(self):
        for _ in range(FULL_TRIES):
            self.source.change()
            call, number = self.rng.choice([each for each in self.calls if each[0] in FULL_CALLS])
            status, _ = self.create(inject=(call, f"error=ENOSPC:when={number}+"))
            if status != 0:
                self.counts["full disks noticed"] += 1
                return
            self.check_backups()  # before the tree is another one

    def night(self, number):
        if number > 0 and number % 30 == 17:
            kind = "full"
        elif number > 0 and number % 7 == 3:
            kind = "failed"
        elif number > 0 and number % 7 == 5:
            kind = "killed"
        else:
            kind = "good"
        before = set(self.check_list())
        getattr(self, f"{kind}_night")()
        self.counts[f"{kind} nights"] += 1
        after = self.check_backups()
        if kind in ("killed", "full"):
            self.interrupted = Source.picture(self.source.root)
        if kind in ("failed",) and not before <= set(after):
            raise Wrong("a night in which nothing was made has lost a backup")
        if len(after) < min(1, len(before)):
            raise Wrong("no backup is left")
        self.now = self.now.replace(hour=3, minute=0) + datetime.timedelta(days=1)

    def check_list(self):
        return [backup["backup"] for backup in self.backups() if "backup" in backup]

    def check_hits(self):
        """Nights that hit nothing prove nothing."""
        for nights, hits in (("killed nights", "kills before the end"), ("full nights", "full disks noticed")):
            if self.counts[nights] > 0 and self.counts[hits] == 0:
                raise Wrong(f"{self.counts[nights]} {nights}, and not one hit")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("aa")
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--type", default="tar.gz")
    parser.add_argument("--keep", help="work here, and leave everything there")
    options = parser.parse_args()
    options.aa = str(pathlib.Path(options.aa).resolve())
    for program in ("faketime", "strace"):
        if shutil.which(program) is None:
            print(f"simulated year: skipped, there is no {program}")
            return 77
    work = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="aa-year-"))
    work.mkdir(exist_ok=True)
    year = Year(options, work)
    try:
        for number in range(options.nights):
            year.night(number)
        year.check_hits()
    except Wrong as wrong:
        print(f"night {number} ({year.now:%Y-%m-%d}, seed {options.seed}): {wrong}")
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(work, ignore_errors=True)
    print(f"simulated year: {options.nights} nights, all as they should be")
    for name, count in sorted(year.counts.items()) + sorted(year.rules.items()):
        print(f"  {name}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
