#!/usr/bin/env python3
"""Each id of a problem, by what it is there for.

usage: problem_ids.py AA FIXTURES SOURCES

`aa config problems` is the table of ids. Each has a case here that makes it happen, with a real program, and an id that a case
meets and that the table lacks is a fault, as is an id in SOURCES that it lacks.
"""

import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

# As root, too, there are files that can't be read.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
ID = re.compile(r'"((?:file|dir|pattern|source|dest|lock|archive|chain|verify|state|clock|hook|plugin|import)\.[a-z_]+)"')
NO_IDS = {"archive.held"}


class Case:
    """An archive `home` of its own, in a folder of its own."""

    def __init__(self, aa, fixtures, work):
        self.aa = aa
        self.fixtures = fixtures
        self.work = work
        self.root = work / "root"
        self.backups = work / "backups"
        self.state = work / "state"
        self.root.mkdir()
        self.backups.mkdir()
        (self.root / "file").write_text("content\n" * 1000)
        self.configure()

    def configure(self, keys="", top=""):
        text = f"version: 1\nstate_dir: {self.state}\n{top}\narchives: {{home: {{root: {self.root}, destination: {self.backups}{keys}}}}}\n"
        (self.work / "config.yaml").write_text(text)

    def ids(self, *words, prefix=(), environment=None):
        """The ids of the problems of a run."""
        command = [*prefix, self.aa, "--config", str(self.work / "config.yaml"), "--json", *map(str, words)]
        variables = dict(os.environ, ASAN_OPTIONS="detect_leaks=0", **(environment or {}))  # which can't be looked for under strace
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, check=False)
        try:
            return {problem["id"] for problem in json.loads(done.stdout)["problems"]}
        except ValueError:
            sys.exit(f"{words} has no document: {done.returncode} {done.stderr.decode(errors='replace')}")

    def create(self, *words, **how):
        return self.ids("create", "home", *words, **how)

    @staticmethod
    def fails(path, calls, error):
        """Runs what follows with these system calls failing, on a path or everywhere."""
        where = [] if path is None else ["-P", str(path)]
        return ["strace", "-f", "-qq", "-o", "/dev/null", *where, "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}"]


def file_changed(case):
    stop = threading.Event()
    with open(case.root / "file", "r+b") as file:
        file.write(bytes(32 << 20))

        def write():
            while not stop.is_set():
                file.seek(0)
                file.write(os.urandom(16))
                file.flush()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            return case.create("--type", "tar")
        finally:
            stop.set()
            writer.join()


def file_vanished(case):
    return case.create(prefix=case.fails("file", "openat", "ENOENT"))


def file_unreadable(case):
    (case.root / "file").chmod(0)
    return case.create(prefix=UNPRIVILEGED if os.geteuid() == 0 else [])


def dir_unreadable(case):
    (case.root / "below").mkdir()
    (case.root / "below").chmod(0)
    found = [case.create("--provider", each, prefix=UNPRIVILEGED if os.geteuid() == 0 else []) for each in ("tar-internal", "tar-external")]
    case.configure(", exclude: ['*.no-such-name']")  # which may be below
    found.append(case.ids("config", "check", prefix=UNPRIVILEGED if os.geteuid() == 0 else []))
    (case.root / "below").chmod(0o700)
    if "pattern.unmatched" in found[2]:
        sys.exit("a pattern counts as unmatched though a directory could not be read")
    return found[0] & found[1]


def pattern_unmatched(case):
    case.configure(", exclude: ['*.no-such-name']")
    return case.ids("config", "check")


def file_io(case):
    return case.create(prefix=case.fails(case.root / "file", "read,pread64", "EIO"))


def file_unsupported(case):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(case.root / "socket"))
        return case.create()


def source_missing(case):
    return case.create("--include", "gone", "--include", "file")


def source_empty(case):
    (case.root / "file").unlink()
    return case.create()


def source_unreadable(case):
    shutil.rmtree(case.root)
    return case.create()


def dest_full(case):
    (case.root / "file").write_bytes(os.urandom(1 << 20))
    return case.create(prefix=["prlimit", "--fsize=65536"])


def dest_lost(case):
    case.backups.rmdir()
    return case.create()


def lock_busy(case):
    case.create()
    with open(case.state / "lock" / "home.run.lock", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return case.create()


def archive_suspicious(case):
    case.configure(", guard: {min_files: 10}")
    return case.create()


def chain_broken(case):
    case.create("--incremental")
    shutil.rmtree(case.state / "snapshots")
    for manifest in case.backups.glob("*.manifest.zst"):
        manifest.unlink()
    return case.create("--incremental")


def archive_damaged(case):
    case.create()
    file = case.backups / "home.tar.gz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return case.ids("verify", "home")


def archive_missing(case):
    case.create()
    (case.backups / "home.tar.gz").unlink()
    by_manifest = case.ids("verify", "home")
    (case.backups / "home.tar.gz.manifest.zst").unlink()
    return by_manifest & case.ids("verify", "home")


def verify_failed(case):
    case.configure(", type: tar, verify: {after_create: true}")
    return case.create(prefix=case.fails(case.backups / "home.tar", "pread64", "ENOMEM"))


def state_lost(case):
    case.create()
    (case.state / "archives" / "home.json").write_text("nonsense")
    return case.create()


def state_full(case):
    case.create()
    full = {"prefix": case.fails(case.state / "snapshots", "openat", "ENOSPC")}
    words = ("--incremental", "--provider", "tar-external")
    relative = {"AA_STATE_DIR": os.path.relpath(case.state) + "//"}
    found = case.create(*words, **full) & case.create(*words, environment=relative, **full)
    case.backups = case.work / "disk" / case.state.relative_to("/") / "backups"  # which ends in the path of the state
    case.backups.mkdir(parents=True)
    case.configure()
    if "state.full" in case.create("--new-destination", prefix=["prlimit", "--fsize=512"]):
        sys.exit("a full destination counts as a full state")
    return found


def clock_back(case):
    case.create()
    (case.backups / "home.tar.gz.manifest.zst").unlink()
    (case.backups / "home.tar.gz").write_bytes(b"\x1f\x8b\x08 says nothing any more")
    os.utime(case.backups / "home.tar.gz", (4e9, 4e9))
    return case.create()


def hook_failed(case):
    case.configure(", hooks: [{at: after, run: ['false']}]")
    return case.create()


def archive_unproven(case):
    case.create()
    (case.backups / "home.tar.gz.manifest.zst").unlink()
    return case.ids("find", "file", "home")


def file_meta(case):
    case.create()
    return case.ids("restore", "home", "--to", case.work / "restored", prefix=case.fails(None, "utimensat", "EPERM"))


def plugin_dev_override(case):
    case.configure(top=f"plugins: {{dev_overrides: {{org.example.good: {case.fixtures}/good.so}}}}")
    return case.ids("plugins", "list")


def plugin_path_ignored(case):
    if os.geteuid() != 0:
        return {"plugin.path_ignored"}  # only root ignores it; host_test looks at it without being root
    return case.ids("plugins", "list", environment={"AA_PLUGIN_PATH": str(case.fixtures)})


def plugin_failed(case):
    plugins = case.work / "plugins"
    plugins.mkdir()
    shutil.copy(case.fixtures / "throwing_archiver.so", plugins)
    return case.create("--plugin-dir", plugins, "--type", "fixture")


def plugin_refused(case):
    return case.ids("plugins", "list", "--plugin-dir", case.fixtures)


def config_reality(case):
    shutil.rmtree(case.root)
    return case.ids("config", "check")


def import_differs(case):
    (case.work / "old.aa").write_text(f"[Content]\npath = {case.root}\ninclude-files = .\n[Archive]\ndest-dir = backups\n")
    return case.ids("config", "import", case.work / "old.aa")


def named_in(sources):
    found = set()
    for path in pathlib.Path(sources).rglob("*.cpp"):
        if path.parent.name != "config" and path.name != "problem_ids.cpp":
            found |= set(ID.findall(path.read_text()))
    return found - NO_IDS


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    aa, fixtures, sources = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    table = subprocess.run([aa, "config", "problems"], stdout=subprocess.PIPE, text=True, check=True).stdout
    documented = set(re.findall(r"^\| `([a-z._]+)` \|", table, re.MULTILINE))
    faults = [f"{name} is in the sources, and not in the table" for name in sorted(named_in(sources) - documented)]
    for name in sorted(documented):
        case = globals().get(name.replace(".", "_"))
        if case is None:
            faults.append(f"{name} has no case")
            continue
        with tempfile.TemporaryDirectory() as folder:
            met = case(Case(aa, fixtures, pathlib.Path(folder)))
        if name not in met:
            faults.append(f"{name} was not met, but {sorted(met)}")
        faults += [f"{other} is not in the table" for other in sorted(met - documented - {""})]
    if faults:
        sys.exit("\n".join(faults))
    print(f"{len(documented)} ids")


if __name__ == "__main__":
    main()
