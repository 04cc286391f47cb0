#!/usr/bin/env python3
"""What every command says with --json, and what --events gets, against the schemas that are installed.

usage: json_documents.py AA SCHEMAS FIXTURES

Goes through the life of some archives, and checks each document strictly. At the end every command of `aa help` has been run, every
schema has been used, and every member that a schema names has been seen. FIXTURES has plugins that are refused.
"""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

import schema_check

# Writes a file as it is, so that there is no place for a document: it refuses --json.
WITHOUT_DOCUMENT = {"cat"}

# As root, too, there are files that can't be read.
UNPRIVILEGED = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

CONFIG = """\
version: 1
state_dir: {work}/state
defaults: {{destination: {work}/backups}}
archives:
  home:
    root: {work}/home
    incremental: true
    keep: {{generations: 1}}
    max_age: 26h
    verify: {{after_create: true, restore_every: 30d}}
    schedule: "*-*-* 03:00"
    hooks:
      - {{at: before, run: [sh, -c, "echo out; echo err >&2"]}}
  missing: {{root: {work}/nowhere, include: [a]}}
  guarded: {{root: {work}/home, guard: {{min_files: 1000}}}}
  killed: {{root: {work}/home, hooks: [{{at: before, run: [sh, -c, "kill -9 $PPID"]}}]}}
  secret: {{root: {work}/secret}}
  partial: {{root: {work}/home, include: [docs, gone, names]}}
"""


class Life:
    def __init__(self, aa, schemas, fixtures, work):
        self.aa = aa
        self.fixtures = fixtures
        self.work = work
        self.schemas = schema_check.Schemas(schemas)
        self.used = set()
        self.verbs = set()
        self.config = work / "config.yaml"
        self.config.write_text(CONFIG.format(work=work))
        (work / "backups").mkdir()
        home = work / "home"
        for folder in ("docs", "names"):
            (home / folder).mkdir(parents=True)
        (home / "docs" / "letter").write_text("Dear reader\n" * 100)
        os.symlink("letter", home / "docs" / "link")
        os.symlink(os.fsdecode(b"nowhere\xff"), home / "docs" / "odd link")
        (home / "names" / os.fsdecode(b"caf\xe9")).write_text("not UTF-8")

    def run(self, *words, expect=0, schema=None, config=None):
        """Runs a command with --json; its one document has to be what the schema says."""
        command = [*UNPRIVILEGED, self.aa, "--config", str(config or self.config), "--json", *map(str, words)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        said = done.stdout.decode(), done.stderr.decode()
        if done.returncode != expect:
            sys.exit(f"{words} ended with {done.returncode} instead of {expect}: {said}")
        self.verbs.add(words[0])
        name = schema or (f"{words[0]}-{words[1]}" if words[0] in ("config", "plugins") else words[0])
        self.used.add(name)
        document = json.loads(said[0])
        try:
            self.schemas.check(document, name)
        except schema_check.Mismatch as mismatch:
            sys.exit(f"{' '.join(map(str, words))}: {mismatch}\n{said[0]}")
        return document

    def informs(self):
        self.run("version")
        self.run("help", schema="text")
        self.run("config", "check", "--file-only")
        self.run("config", "check", expect=2)  # a root is missing
        self.run("config", "show", "home")
        for action in ("schema", "example", "reference", "problems"):
            self.run("config", action, schema="text")
        self.run("completion", "bash", schema="text")
        self.run("manual", schema="text")
        self.run("route", "home")
        self.run("schedule", "show", schema="schedule")
        self.run("schedule", "install", "--directory", self.work / "units", schema="schedule")
        self.run("schedule", "remove", "--directory", self.work / "units", schema="schedule")

    def refuses(self):
        self.run("no-such-command", expect=64, schema="error")
        self.run("cat", "home", "docs/letter", expect=64, schema="error")
        self.run("ls", "nobody", expect=66, schema="error")
        broken = self.work / "broken.yaml"
        broken.write_text("version: 1\narchive: {}\n")
        self.run("list", expect=78, schema="error", config=broken)
        self.run("status", "--format", "prometheus", expect=64, schema="error")

    def backs_up(self):
        events = self.work / "events"
        first = self.run("create", "home", "--events", events)
        if first["archives"][0]["level"] != 0:
            sys.exit(f"the first backup is no level 0: {first}")
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(os.fsencode(self.work / "home" / "names") + b"/socket\xff")
        self.run("create", "home", "--events", events)
        self.run("create", "home", "--dry-run")
        (self.work / "secret" / os.fsdecode(b"locked\xff")).mkdir(parents=True)
        (self.work / "secret" / os.fsdecode(b"locked\xff")).chmod(0)
        self.run("create", "partial", "--events", events, expect=1)
        self.run("create", "secret", expect=1)
        self.run("status", "secret", "-v", expect=1)
        elsewhere = self.work / os.fsdecode(b"elsewhere\xff")
        elsewhere.mkdir()
        self.run("create", "defined-nowhere", "--root", self.work / "home", "--destination", elsewhere)
        self.run("create", "guarded", expect=1)
        self.run("create", "missing", "--events", events, expect=2)
        self.run("create", "nobody", "--events", events, expect=66, schema="error")
        several = self.run("create", "home", "missing", "killed", "--jobs", "2", "--full", "--events", events, expect=137)
        if [(each["archive"], each["status"]) for each in several["archives"]] != [("home", "ok"), ("missing", "failed"), ("killed", "failed")]:
            sys.exit(f"the documents of several processes were not put together: {several}")
        return events

    def looks(self):
        self.run("list")
        self.run("explain", "home")
        self.run("ls", "home")
        self.run("find", "letter", "home", "--all")
        self.run("versions", "home", "docs/letter")
        self.run("why", "home", os.fsdecode(b"names/caf\xe9"))
        (self.work / "home" / os.fsdecode(b"new\xff")).write_text("new")
        self.run("diff", "home", "--live", expect=1)
        self.run("diff", "home@0.aa", "home@0", expect=1)
        self.run("status", "home", expect=0)
        self.run("verify", "home", "--level", "restore")

    def comes_back(self):
        target = self.work / "restored"
        self.run("restore", "home", "--to", target)
        (target / os.fsdecode(b"odd\xff")).write_text("to be removed")
        self.run("restore", "home", "--to", target, "--delete", "--dry-run")
        self.run("restore", "home", "no/such/path", "--to", target, expect=66)
        self.run("restore", "home", "--to", target, "--script")

    def keeps(self):
        self.run("keep", "--pin", "home")
        self.run("keep", "home")
        self.run("remove", "home", expect=64, schema="error")
        self.run("remove", "partial@0", "--dry-run")
        self.run("remove", "partial@0", "-y")
        self.run("purge", "--orphans", "--dry-run")

    def looks_at_plugins(self):
        self.run("plugins", "list", "--plugin-dir", self.fixtures)
        self.run("plugins", "inspect", "tar-external")
        self.run("plugins", "inspect", self.fixtures / "with_options.so", "--no-load")
        self.run("plugins", "inspect", self.fixtures / "wrong_epoch.so", expect=69)
        self.run("plugins", "doctor", self.fixtures / "no_note.so", expect=1)
        self.run("plugins", "validate", self.fixtures / "honest.so", "--only", "packaging/")
        self.run("plugins", "new", "some", "--into", self.work)
        odd = self.work / os.fsdecode(b"plugins\xff")
        odd.mkdir()
        for name in ("good", "same_id"):  # one of them is shadowed
            shutil.copy(self.fixtures / f"{name}.so", odd)
        self.run("plugins", "list", "--plugin-dir", odd)
        self.run("plugins", "inspect", "same_id", "--plugin-dir", odd)

    def decays(self, events):
        file = self.work / "backups" / "home.tar.gz"
        data = bytearray(file.read_bytes())
        third = len(data) // 3
        data[third:] = bytes(len(data) - third)  # the names that are not UTF-8 are at the end
        file.write_bytes(data)
        self.run("verify", "home", expect=2)
        (self.work / "backups" / "home.tar.gz.manifest.zst").write_bytes(b"nonsense")
        shutil.rmtree(self.work / "state" / "snapshots")
        self.run("list", "home", expect=1)
        self.run("create", "home", "--events", events)

    def finds_again(self):
        elsewhere = self.work / os.fsdecode(b"elsewhere\xff")
        (elsewhere / "no archive").write_text("nothing of ours")
        self.run("rescan", elsewhere)

    def takes_over(self):
        original = self.work / "original.aa"
        original.write_text(f"[Content]\npath = {self.work}/home\ninclude-files = .\n[Archive]\ndest-dir = {self.work}/backups\n")
        self.run("config", "import", original)

    def check_events(self, file):
        self.used.add("events")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line in lines:
            try:
                self.schemas.check(line, "events")
            except schema_check.Mismatch as mismatch:
                sys.exit(f"event {line}: {mismatch}")
        if lines[0]["event"] != "hello":
            sys.exit(f"the first event is {lines[0]}")

    def check_completeness(self):
        faults = []
        listing = self.run("help", schema="text")["text"].split("Subcommands:")[1]
        commands = set(re.findall(r"^  (\S+)", listing, re.MULTILINE))
        faults += [f"command {verb} was not run" for verb in sorted(commands - self.verbs - WITHOUT_DOCUMENT)]
        faults += [f"schema {name} was not used" for name in sorted(set(self.schemas.files) - self.used - {"common"})]
        faults += [f"member {member} was never seen" for member in self.schemas.unseen()]
        if faults:
            sys.exit("\n".join(faults))


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        life = Life(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(folder))
        life.informs()
        life.refuses()
        events = life.backs_up()
        life.looks()
        life.comes_back()
        life.keeps()
        life.looks_at_plugins()
        life.decays(events)
        life.finds_again()
        life.takes_over()
        life.check_events(events)
        life.check_completeness()
    print(f"{len(life.schemas.files)} schemas, {len(life.schemas.members)} members")


if __name__ == "__main__":
    main()
