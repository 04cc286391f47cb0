"""What is measured: for each job our command, and the commands of its peers. A table; bench.py is what runs it.

A command is a line for bash, run in the tree. Words in braces are replaced, quoted:
  {aa} our program   {tree} the corpus   {cores} processors
  {out} an empty directory for results   {state} an empty directory for our state
  {base} a directory of the command's own that lasts for the job
  {ours}, {foreign} an archive of the tree, made by us or by the usual tools   {member} a file in it, relative
  {to} a new directory to restore into
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from targets import MEMORY_LIMITS


@dataclass(frozen=True)
class Command:
    line: str
    result: str = ""  # the file or directory whose size counts, relative to {out}
    once: str = ""  # before the first round, in an empty {out}, {state} and {base}; not measured
    before: str = ""  # before each round; not measured
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    name: str
    command: Command
    tools: tuple[str, ...]  # programs; where one is missing, the case is left out
    target: str | None = None  # a key of TARGETS


@dataclass(frozen=True)
class Job:
    name: str
    corpora: tuple[str, ...]
    ours: Command
    peers: tuple[Peer, ...]
    reads: str | None = None  # the type of {ours} and {foreign}
    restores_all: bool = False  # as many new files as the tree has
    memory_mib: int | None = None

    def case(self, peer: Peer) -> str:
        """The name of one row of results, e.g. "tar.gz-6/pigz"."""
        return f"{self.name}/{peer.name}"


def ours(archive_type: str, options: str = "", **environment: str) -> Command:
    line = f"{{aa}} create x --root {{tree}} --destination {{out}} --type {archive_type} {options}".rstrip()
    return Command(line, result=f"x.{archive_type}", environment=environment)


def piped(extension: str, compress: str) -> Command:
    result = f"x.tar.{extension}"
    return Command(f"tar -cf - . | {compress} > {{out}}/{result}", result)


def python_tarfile(result: str, how: str) -> Command:
    program = f'import sys, tarfile; archive = tarfile.open(sys.argv[1], {how}); archive.add("."); archive.close()'
    return Command(f"python3 -c '{program}' {{out}}/{result}", result)


# What a stranger would have made of the tree: {foreign}.
FOREIGN: dict[str, Command] = {
    "tar": Command("tar -cf {out}/x.tar .", "x.tar"),
    "tar.gz": piped("gz", "gzip -6"),
    "tar.bz2": piped("bz2", "lbzip2 -n {cores}"),
    "tar.xz": piped("xz", "xz -6 -T{cores}"),
    "tar.zst": piped("zst", "zstd -q -3 -T{cores}"),
}

GNU_TAR = FOREIGN["tar"]
GNU_TAR_B512 = Command("tar -b 512 -cf {out}/x.tar .", "x.tar")
SYNCED_AND_HASHED = Command(
    "tar -b 512 -cf {out}/x.tar . && sync {out}/x.tar && sha256sum {out}/x.tar > {out}/x.tar.sha256", "x.tar"
)
PYTHON_TAR = python_tarfile("x.tar", '"w"')
PYTHON_GZ = python_tarfile("x.tar.gz", '"w:gz", compresslevel=6')
DAR = Command("dar -Q -q -c {out}/x -R . -zgzip:6", "x.1.dar")
RESTIC = Command(
    "restic --quiet --repo {out}/repository backup .",
    "repository",
    before="restic --quiet --repo {out}/repository init",
    environment={"RESTIC_PASSWORD": "bench", "RESTIC_CACHE_DIR": "{out}/cache"},
)
BORG = Command(
    "borg create {out}/repository::x .",
    "repository",
    before="borg init --encryption none {out}/repository",
    environment={"BORG_BASE_DIR": "{out}/base", "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"},
)

# Level 0 is made once; each round begins with a fresh copy of what it left.
OUR_LEVEL_1 = Command(
    "{aa} create x --root {tree} --destination {out} --type tar --incremental --level 1",
    "x.1.tar",
    once="{aa} create x --root {tree} --destination {out} --type tar --incremental --level 0"
    " && cp -al {out} {base}/out && cp -a {state} {base}/state",
    before="cp -al {base}/out/. {out} && cp -a {base}/state/. {state}",
)
GNU_TAR_LEVEL_1 = Command(
    "tar -g {out}/snapshot -cf {out}/x.1.tar .",
    "x.1.tar",
    once="tar -g {base}/snapshot -cf {out}/x.tar .",
    before="cp {base}/snapshot {out}/snapshot",
)

WHOLE = "w1h"


def create(name: str, archive_type: str, options: str, peers: tuple[Peer, ...], *more_corpora: str) -> Job:
    return Job(
        name, (WHOLE, *more_corpora), ours(archive_type, options), peers, memory_mib=MEMORY_LIMITS[archive_type]
    )


def look_inside(archive_type: str) -> tuple[Job, Job]:
    """A list of all, and one member; both with our manifest beside the archive."""
    target = "look inside, GNU tar"
    one = "{aa} restore {ours} {member} --to {to}"
    return (
        Job(
            f"list-{archive_type}",
            (WHOLE,),
            Command("{aa} ls {ours} > /dev/null"),
            (Peer("gnu-tar", Command("tar -tf {foreign} > /dev/null"), ("tar",), target),),
            reads=archive_type,
        ),
        Job(
            f"one-{archive_type}",
            (WHOLE,),
            Command(one),
            (
                Peer("gnu-tar", Command("tar -xf {foreign} -C {to} ./{member}"), ("tar",), target),
                # Ends at the first match; GNU tar reads on to the end.
                Peer("bsdtar-q", Command("bsdtar -xqf {foreign} -C {to} ./{member}"), ("bsdtar",)),
            ),
            reads=archive_type,
        ),
    )


def restore(archive_type: str, tool: str) -> Job:
    peer = Command(f"tar -I '{tool}' -xf {{foreign}} -C {{to}}")
    return Job(
        f"restore-{archive_type}",
        (WHOLE,),
        Command("{aa} restore {ours} --to {to}"),
        (Peer(f"tar-{tool.split()[0]}", peer, ("tar", tool.split()[0]), "restore ours, GNU tar + parallel tool"),),
        reads=archive_type,
        restores_all=True,
    )


JOBS: tuple[Job, ...] = (
    Job(
        "tar",  # without fsync and SHA-256, as the peers
        ("w1", "w2", "w3"),
        ours("tar", AA_BENCHMARK="no-sync"),
        (
            Peer("gnu-tar", GNU_TAR, ("tar",), "tar, GNU tar"),
            Peer("gnu-tar-b512", GNU_TAR_B512, ("tar",), "tar, GNU tar -b 512"),
            Peer("bsdtar", Command("bsdtar -cf {out}/x.tar .", "x.tar"), ("bsdtar",)),
            Peer("python-tarfile", PYTHON_TAR, ("python3",)),
        ),
        memory_mib=MEMORY_LIMITS["tar"],
    ),
    Job(
        "tar-full",  # as a user runs it
        ("w1", "w2", "w3"),
        ours("tar"),
        (
            Peer("gnu-tar", GNU_TAR, ("tar",)),
            Peer("gnu-tar-b512-sync-sha256sum", SYNCED_AND_HASHED, ("tar", "sync", "sha256sum")),
        ),
        memory_mib=MEMORY_LIMITS["tar"],
    ),
    create(
        "tar.gz-6",
        "tar.gz",
        "--strength 6",
        (
            Peer("gzip", piped("gz", "gzip -6"), ("tar", "gzip"), "tar.gz 6, gzip"),
            Peer("pigz", piped("gz", "pigz -6 -p {cores}"), ("tar", "pigz"), "tar.gz 6, pigz"),
            Peer("bsdtar", Command("bsdtar -czf {out}/x.tar.gz .", "x.tar.gz"), ("bsdtar",)),
            Peer("python-tarfile", PYTHON_GZ, ("python3",), "other backup programs"),
            Peer("dar", DAR, ("dar",), "other backup programs"),
            Peer("restic", RESTIC, ("restic",), "other backup programs"),
            Peer("borg", BORG, ("borg",), "other backup programs"),
        ),
    ),
    create(
        "tar.gz-1",
        "tar.gz",
        "--strength 1",
        (
            Peer("gzip", piped("gz", "gzip -1"), ("tar", "gzip")),
            Peer("pigz", piped("gz", "pigz -1 -p {cores}"), ("tar", "pigz"), "tar.gz 1, pigz"),
        ),
    ),
    create(
        "tar.bz2",
        "tar.bz2",
        "--strength 9",
        (
            Peer("bzip2", piped("bz2", "bzip2 -9"), ("tar", "bzip2"), "tar.bz2, bzip2"),
            Peer("pbzip2", piped("bz2", "pbzip2 -c -9 -p{cores}"), ("tar", "pbzip2"), "tar.bz2, pbzip2"),
            Peer("lbzip2", piped("bz2", "lbzip2 -9 -n {cores}"), ("tar", "lbzip2")),
        ),
    ),
    create(
        "tar.xz-6",
        "tar.xz",
        "--strength 6",
        (Peer("xz", piped("xz", "xz -6 -T{cores}"), ("tar", "xz"), "tar.xz 6, xz -T2"),),
        "small",
    ),
    create(
        "tar.zst-3",
        "tar.zst",
        "--strength 3",
        (
            Peer("zstd", piped("zst", "zstd -q -3 -T{cores}"), ("tar", "zstd"), "tar.zst 3, zstd -T2"),
            # What these do without being asked is zstd and LZ4.
            Peer("restic", RESTIC, ("restic",), "other backup programs"),
            Peer("borg", BORG, ("borg",), "other backup programs"),
        ),
    ),
    Job(
        "level-1-unchanged",
        ("w1", "w3"),
        OUR_LEVEL_1,
        (Peer("gnu-tar-g", GNU_TAR_LEVEL_1, ("tar",), "unchanged level, GNU tar -g"),),
        memory_mib=MEMORY_LIMITS["tar"],
    ),
    *look_inside("tar.gz"),
    *look_inside("tar.zst"),
    *look_inside("tar.xz"),
    Job(
        "list-foreign-tar.gz",
        (WHOLE,),
        Command("{aa} ls {foreign} > /dev/null"),
        (
            Peer(
                "tar-pigz",
                Command("tar -I pigz -tf {foreign} > /dev/null"),
                ("tar", "pigz"),
                "list foreign tar.gz, GNU tar + pigz",
            ),
        ),
        reads="tar.gz",
    ),
    Job(
        "restore-foreign-tar.gz",
        (WHOLE,),
        Command("{aa} restore {foreign} --to {to}"),
        (
            Peer(
                "tar-pigz",
                Command("tar -I pigz -xf {foreign} -C {to}"),
                ("tar", "pigz"),
                "restore foreign tar.gz, GNU tar + pigz",
            ),
        ),
        reads="tar.gz",
        restores_all=True,
    ),
    Job(
        "restore-tar",
        (WHOLE,),
        Command("{aa} restore {ours} --to {to}"),
        (Peer("gnu-tar", Command("tar -xf {foreign} -C {to}"), ("tar",)),),
        reads="tar",
        restores_all=True,
    ),
    restore("tar.gz", "pigz"),
    restore("tar.bz2", "lbzip2 -n {cores}"),
    restore("tar.xz", "xz -T{cores}"),
    restore("tar.zst", "zstd"),
)
