"""The place where commands run: directories that begin empty, warm memory, archives to read, and no inode effect.

ext4 does not give away an inode again for some time after its file was deleted, and searches long for another one: a
tree that is restored just after another was deleted takes up to nine times as long. So restored trees stay until there
are too many bytes in them; then all go, and the effect is waited for, also that of the run before this one.
"""

import os
import shlex
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import machine
from cases import FOREIGN, Command, Job, ours
from corpora import Corpus, survey
from measure import CommandFailed, Measurement, run, size_of

MOST_RESTORED_BYTES = 12 << 30
SETTLE_SECONDS = 40

Values = dict[str, str]  # what stands for the words in braces


class Workbench:
    """A context: its directory is made in `cache`, and removed at the end. Corpora are not written to."""

    def __init__(self, aa: Path, cache: Path) -> None:
        self._aa = aa
        self._scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=cache))
        self._removal = cache / "trees-removed"  # its time is that of the last removal
        self._directories = 0
        self._restored_bytes = 0
        self._archives: dict[tuple[Path, str], dict[str, Path]] = {}
        for name in ("out", "state", "restored"):
            (self._scratch / name).mkdir()

    def __enter__(self) -> "Workbench":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._scratch)
        if self._restored_bytes:
            self._removal.touch()

    def begin(self, command: Command, corpus: Corpus) -> Path:
        """What a command needs before the first round; returns its {base}."""
        base = self._new_directory("base")
        if command.once:
            self._empty("out", "state")
            self._run(command.once, command, corpus, self._values(corpus) | {"base": str(base)})
        return base

    def measure(self, command: Command, job: Job, corpus: Corpus, base: Path) -> Measurement:
        if job.restores_all:
            self._make_room(corpus.content_bytes)
        values = self._values(corpus) | {"base": str(base)}
        if job.reads:
            values |= {owner: str(path) for owner, path in self._archives_of(job.reads, corpus).items()}
            values["to"] = str(self._new_directory("restored"))
        self._empty("out", "state")
        if command.before:
            self._run(command.before, command, corpus, values)
        os.sync()  # what earlier commands wrote is not written while this one runs
        self._warm(job, corpus, values)
        measured = self._run(command.line, command, corpus, values)
        if job.restores_all:
            check_restored(Path(values["to"]), corpus)
        result = size_of(self._scratch / "out" / command.result) if command.result else 0
        return replace(measured, result_bytes=result)

    def _values(self, corpus: Corpus) -> Values:
        return {
            "aa": str(self._aa),
            "cores": str(machine.cores()),
            "tree": str(corpus.path),
            "member": corpus.member,
            "out": str(self._scratch / "out"),
            "state": str(self._scratch / "state"),
        }

    def _archives_of(self, archive_type: str, corpus: Corpus) -> dict[str, Path]:
        """Ours and a foreign one, made when they are first asked for."""
        key = (corpus.path, archive_type)
        if key not in self._archives:
            made = {}
            for owner, command in (("ours", ours(archive_type)), ("foreign", FOREIGN[archive_type])):
                directory = self._new_directory("archives")
                self._empty("state")
                self._run(command.line, command, corpus, self._values(corpus) | {"out": str(directory)})
                made[owner] = directory / command.result
            self._archives[key] = made
        return self._archives[key]

    def _run(self, line: str, command: Command, corpus: Corpus, values: Values) -> Measurement:
        environment = {
            **os.environ,
            "AA_STATE_DIR": values["state"],
            "XDG_CONFIG_HOME": str(self._scratch / "no-configuration"),
            "LC_ALL": "C.UTF-8",
        }
        environment |= {name: value.format(**values) for name, value in command.environment.items()}
        quoted = {word: shlex.quote(value) for word, value in values.items()}
        return run(line.format(**quoted), corpus.path, environment, self._scratch / "log")

    def _warm(self, job: Job, corpus: Corpus, values: Values) -> None:
        """Reads what the command will read, so that it finds it in memory."""
        line = "cat {ours} {foreign} > /dev/null" if job.reads else "find {tree} -type f -exec cat {{}} + > /dev/null"
        self._run(line, Command(line), corpus, values)

    def _make_room(self, wanted_bytes: int) -> None:
        """Removes restored trees when they have become too many, and waits until no removal has an effect."""
        self._restored_bytes += wanted_bytes
        if self._restored_bytes > min(MOST_RESTORED_BYTES, shutil.disk_usage(self._scratch).free // 2):
            self._empty("restored")
            os.sync()
            self._removal.touch()
            self._restored_bytes = wanted_bytes
        if self._removal.exists():
            time.sleep(max(0.0, self._removal.stat().st_mtime + SETTLE_SECONDS - time.time()))

    def _new_directory(self, kind: str) -> Path:
        self._directories += 1
        directory = self._scratch / kind / str(self._directories)
        directory.mkdir(parents=True)
        return directory

    def _empty(self, *names: str) -> None:
        for name in names:
            shutil.rmtree(self._scratch / name)
            (self._scratch / name).mkdir()


def check_restored(tree: Path, corpus: Corpus) -> None:
    """Whoever leaves something out is not faster."""
    restored = survey("restored", tree).content_bytes
    if restored != corpus.content_bytes:
        raise CommandFailed(f"restored {restored:,} bytes of {corpus.content_bytes:,}")
