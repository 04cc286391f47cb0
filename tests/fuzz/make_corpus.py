#!/usr/bin/env python3
"""Makes the seeds of the fuzz targets: small files of every format, by as many programs as there are.

usage: make_corpus.py AA DIRECTORY; e.g. make_corpus.py build/release/bin/aa tests/fuzz/corpus. What is there is replaced.
Needs: tar, bsdtar, gzip, pigz, bzip2, lbzip2, xz, zstd, attr, acl.
"""

import bz2
import gzip
import hashlib
import io
import lzma
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import zlib

random.seed(1)
WORDS = "".join(f"line {random.randrange(1000)} of a text\n" for _ in range(60)).encode()
NOISE = random.randbytes(300)


def run(command, data=b"", cwd=None):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, cwd=cwd).stdout


# gzip

GZIP_TEXT, GZIP_HEADER_CRC, GZIP_EXTRA, GZIP_NAME, GZIP_COMMENT = 1, 2, 4, 8, 16


def deflate(data, level=6, strategy=zlib.Z_DEFAULT_STRATEGY):
    encoder = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return encoder.compress(data) + encoder.flush()


def member(data, body=None, flags=0, extra=b"", name=b"", comment=b""):
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\1\2\3\4\2\xff"
    if flags & GZIP_EXTRA:
        head += struct.pack("<H", len(extra)) + extra
    if flags & GZIP_NAME:
        head += name + b"\0"
    if flags & GZIP_COMMENT:
        head += comment + b"\0"
    if flags & GZIP_HEADER_CRC:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    return head + (body or deflate(data)) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def gzip_seeds(own):
    stored, fixed, dynamic = deflate(NOISE, 0), deflate(WORDS[:200], 9, zlib.Z_FIXED), deflate(WORDS, 9)
    everything = GZIP_TEXT | GZIP_HEADER_CRC | GZIP_EXTRA | GZIP_NAME | GZIP_COMMENT
    fields = dict(extra=b"RA\4\0abcd", name=b"name", comment=b"a comment")
    yield "empty", member(b"")
    yield "stored", member(NOISE, stored)
    yield "fixed", member(WORDS[:200], fixed)
    yield "dynamic", member(WORDS, dynamic)
    yield "huffman_only", member(WORDS, deflate(WORDS, 6, zlib.Z_HUFFMAN_ONLY))
    yield "runs", member(bytes(5000), deflate(bytes(5000), 6, zlib.Z_RLE))
    yield "far_matches", member(NOISE + bytes(32000) + NOISE)
    flushed = zlib.compressobj(6, zlib.DEFLATED, -15)
    pieces = b"".join(flushed.compress(WORDS[i : i + 300]) + flushed.flush(zlib.Z_SYNC_FLUSH) for i in range(0, 900, 300))
    yield "flushed", member(WORDS[:900], pieces + flushed.flush())
    for bit in (GZIP_TEXT, GZIP_HEADER_CRC, GZIP_EXTRA, GZIP_NAME, GZIP_COMMENT, everything):
        yield f"flags_{bit}", member(b"content", flags=bit, **fields)
    yield "long_name", member(b"content", flags=GZIP_NAME | GZIP_HEADER_CRC, name=b"n" * 600)
    yield "long_extra", member(b"content", flags=GZIP_EXTRA, extra=b"XX" + struct.pack("<H", 900) + NOISE * 3)
    yield "reserved_flags", member(b"content", flags=0x20)
    two = member(WORDS[:500]) + member(NOISE, flags=GZIP_NAME, name=b"second")
    yield "members", two + member(b"") + two
    yield "padded", two + bytes(512)
    yield "garbage_behind", two + b"garbage"
    yield "garbage_behind_padding", two + bytes(100) + b"garbage"
    for size in (1, 5, 12, 40, len(two) - 300, len(two) - 3):
        yield f"cut_at_{size}", two[:size]
    yield "wrong_checksum", two[:-8] + b"\0\0\0\0" + two[-4:]
    yield "wrong_length", two[:-1] + b"\1"
    yield "by_gzip", run(["gzip", "-9"], WORDS)
    yield "by_pigz", run(["pigz", "-p", "2", "-b", "128"], WORDS)
    yield "by_pigz_independent", run(["pigz", "-i", "-b", "128"], WORDS)
    yield "by_pigz_best", run(["pigz", "-11"], WORDS[:600])
    for strength in (0, 6, 9):
        yield f"by_us_{strength}", own("tar.gz", strength)


# The other codecs


def bzip2_seeds(own):
    one, other = bz2.compress(WORDS, 1), bz2.compress(NOISE, 9)
    yield "empty", bz2.compress(b"")
    yield "text", one
    yield "noise", other
    yield "streams", one + other + bz2.compress(b"")
    yield "garbage_behind", one + b"garbage"
    yield "cut", (one + other)[: len(one) + 40]
    yield "by_lbzip2", run(["lbzip2", "-9"], WORDS)
    yield "by_us", own("tar.bz2", 6)


def xz_seeds(own):
    plain = lzma.compress(WORDS, check=lzma.CHECK_CRC32, preset=0)
    yield "empty", lzma.compress(b"")
    yield "crc32", plain
    yield "sha256", lzma.compress(WORDS, check=lzma.CHECK_SHA256, preset=0)
    yield "no_check", lzma.compress(WORDS, check=lzma.CHECK_NONE, preset=0)
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 0}]
    yield "filters", lzma.compress(WORDS, check=lzma.CHECK_CRC64, filters=filters)
    yield "large_dictionary", lzma.compress(WORDS, preset=9)
    yield "noise", lzma.compress(NOISE, preset=0)
    yield "blocks", run(["xz", "-0", "--block-size=400", "-T1"], WORDS)
    yield "blocks_with_sizes", run(["xz", "-0", "--block-size=400", "-T2"], WORDS)
    yield "streams", plain + lzma.compress(NOISE, preset=0) + bytes(8)
    yield "garbage_behind", plain + b"garbage"
    yield "cut", plain[:-20]
    yield "by_us", own("tar.xz", 6)


def zstd_seeds(own):
    plain = run(["zstd", "-3", "--check"], WORDS)
    yield "empty", run(["zstd"], b"")
    yield "checked", plain
    yield "unchecked", run(["zstd", "--no-check"], WORDS)
    yield "best", run(["zstd", "-19", "--no-content-size"], WORDS)
    yield "noise", run(["zstd", "-1"], NOISE)
    yield "long_distance", run(["zstd", "--long=24", "--no-content-size"], WORDS)
    yield "frames", plain + run(["zstd"], NOISE) + plain
    yield "skippable", b"\x50\x2a\x4d\x18\x05\0\0\0noise" + plain
    yield "garbage_behind", plain + b"garbage"
    yield "cut", plain[:-6]
    yield "by_us", own("tar.zst", 3)


# Tar

LONG = "directory-with-a-long-name/" * 5 + "file"
OWNER = ["--sort=name", "--owner=alice:1000", "--group=users:100"]


def make_tree(place):
    (place / "d").mkdir()
    (place / "file").write_bytes(b"content")
    (place / "d/empty").touch()
    os.link(place / "file", place / "d/second")
    os.symlink("../file", place / "d/link")
    os.mkfifo(place / "fifo", 0o640)
    settle(place)


def settle(place):
    for path in [*place.rglob("*"), place]:
        os.utime(path, ns=(10**18, 10**18 + 500), follow_symlinks=False)


def tar(place, *options):
    if "--format=posix" in options:
        options = ("--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", *options)
    return run(["tar", "-cf-", "-b1", *OWNER, *options], cwd=place)


def dialect_seeds(place):
    make_tree(place)
    for dialect in ("v7", "oldgnu", "gnu", "ustar", "posix"):
        yield dialect, tar(place, f"--format={dialect}", *(["--exclude=fifo"] if dialect == "v7" else []), ".")
    yield "bsdtar", run(["bsdtar", "-cf-", "-b1", "--format=pax", "--uid=1000", "--gid=100", "d/link", "file"], cwd=place)
    yield "bsdtar_old", run(["bsdtar", "-cf-", "-b1", "--format=gnutar", "--uid=1000", "--gid=100", "file"], cwd=place)


def sparse_seeds(place):
    with open(place / "sparse", "wb") as file:
        for i in range(6):
            file.seek(i * 40960)
            file.write(b"x")
        file.truncate(300000)
    settle(place)
    for version in ("0.0", "0.1", "1.0"):
        yield f"sparse_{version}", tar(place, "--format=posix", f"--sparse-version={version}", "--sparse", "sparse")[:6144]
    yield "sparse_gnu", tar(place, "--format=gnu", "--sparse", "sparse")[:6144]


def long_name_seeds(place):
    (place / LONG).parent.mkdir(parents=True)
    (place / LONG).write_bytes(b"far")
    os.symlink(LONG, place / "link")
    settle(place)
    yield "long_gnu", tar(place, "--format=gnu", LONG, "link")
    yield "long_posix", tar(place, "--format=posix", LONG, "link")


def attribute_seeds(place):
    (place / "file").write_bytes(b"content")
    run(["setfattr", "-n", "user.comment", "-v", "a = %b", "file"], cwd=place)
    run(["setfacl", "-m", "u:1000:r,m:rw", "file"], cwd=place)
    settle(place)
    yield "attributes", tar(place, "--format=posix", "--xattrs", "--acls", "file")


def increment_seeds(place):
    make_tree(place)
    for dialect in ("gnu", "posix"):
        snapshot = place.parent / f"{dialect}.snar"
        options = [f"--format={dialect}", f"--listed-incremental={snapshot}", "--exclude=fifo", "."]
        yield f"level_0_{dialect}", tar(place, *options)
        (place / f"new_{dialect}").write_bytes(b"new")
        yield f"level_1_{dialect}", tar(place, *options)
    os.rename(place / "d", place / "renamed")
    yield "level_2_renamed", tar(place, *options)


def made_seeds():
    def archive(*members, **options):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, **options) as made:
            for name, kind, fields in members:
                info = tarfile.TarInfo(name)
                info.type = kind
                data = fields.pop("data", b"")
                info.size = len(data)
                for key, value in fields.items():
                    setattr(info, key, value)
                made.addfile(info, io.BytesIO(data))
        return out.getvalue()

    def trimmed(data):
        return data.rstrip(b"\0").ljust((len(data.rstrip(b"\0")) + 511) // 512 * 512, b"\0") + bytes(1024)

    regular, link, symlink = tarfile.REGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE
    yield "hostile", trimmed(archive(("../up", regular, {}), ("/top", regular, {}), ("s", symlink, {"linkname": "/"}), ("h", link, {"linkname": "s/x"})))
    yield "records", trimmed(archive(("r", regular, {"data": b"12345", "pax_headers": {"size": "5", "mtime": "-1.5", "path": "other", "uid": "4294967296"}})))
    yield "global", trimmed(archive(("g", regular, {}), pax_headers={"comment": "autoarchive 0b8e", "path": "everywhere"}))
    yield "devices", trimmed(archive(("c", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3}), ("b", tarfile.BLKTYPE, {"devmajor": 8})))
    plain = trimmed(archive(("a", regular, {"data": b"1"})))
    yield "no_end", plain[:-1024]
    yield "half_an_end", plain[:-512]
    yield "garbage_behind", plain + b"garbage"
    yield "cut", plain[:700]
    yield "empty", bytes(1024)


def tar_seeds(own):
    for make in (dialect_seeds, sparse_seeds, long_name_seeds, attribute_seeds, increment_seeds):
        with tempfile.TemporaryDirectory() as scratch:
            place = pathlib.Path(scratch) / "tree"
            place.mkdir()
            yield from make(place)
    yield from made_seeds()
    yield "by_us", own("tar", 0)


# Texts


def record(key, value):
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length += len(str(length)) - len(str(rest))
    return f"{length} ".encode() + key + b"=" + value + b"\n"


def pax_seeds(own):
    yield "times", record(b"mtime", b"1700000000.123456789") + record(b"atime", b"-1.5") + record(b"ctime", b"0")
    yield "attributes", record(b"SCHILY.xattr.user.a%3Db", b"\0\n= ") + record(b"SCHILY.acl.access", b"user::rw-,user:alice:r--:1000,group::r--,mask::r--,other::---")
    yield "acl_value", bytes.fromhex("02000000 01000600ffffffff 02000400e8030000 04000400ffffffff 10000400ffffffff 20000000ffffffff")
    yield "acl_short", b"u::rwx\ng::r-x # a comment\nm:7\no:r--"
    yield "sparse", record(b"GNU.sparse.map", b"0,1,40960,1,300000,0") + record(b"GNU.sparse.realsize", b"300000")
    yield "dumpdir", record(b"GNU.dumpdir", b"Yfile\0Dd\0Nold\0\0")
    yield "twice", record(b"path", b"a") + record(b"path", b"b" * 100)
    yield "cut", record(b"path", b"abc")[:-1]
    yield "empty_value", record(b"path", b"") + record(b"", b"x")


def message_seeds(own):
    yield "errors", b"""tar: d/file: Cannot open: Permission denied
tar: d/x: Cannot stat: No such file or directory
/usr/bin/tar: a\\: b\\n: file changed as we read it
tar: s: socket ignored
tar: f: File shrank by 512 bytes; padding with zeros
tar: f: Read error at byte 0, while reading 512 bytes: Input/output error
tar: ./new: Directory is new
tar: ./b: Directory has been renamed from './a'
tar: g: File removed before we read it
tar: Exiting with failure status due to previous errors
"""
    yield "fatal", b"tar: -: Wrote only 4096 of 10240 bytes: No space left on device\ntar: Error is not recoverable: exiting now\n"
    yield "usage", b"tar: unrecognized option '--no-such'\nTry 'tar --help' or 'tar --usage' for more information.\n"
    yield "names", b"d/a\\nb\\\\c\\303\\244\\\nd/\\t\\7\\q\n"


def pattern_seeds(own):
    paths = b"\na.tmp\nd/a.tmp\nbuild\nd/build/x.o\nd/e/f\n\na]b\n"
    for number, pattern in enumerate(
        [b"*.tmp", b"/build/", b"**/f", b"d/**", b"d/**/f", b"!keep", b"#comment", b"\\#x", b"[a-c]*.[!x-z]", b"[[:alpha:]_]?",
         b"[]a]", b"[a-", b"a\\ ", b"*a*a*a*b", b"**", b"/", b"d/*/f", b"[\\]]", b"x**y", b"a*?c"]
    ):
        yield f"pattern_{number:02}", pattern + paths


def configuration_seeds(own):
    yield "small", b"version: 1\narchives:\n  home: {root: /home, destination: /mnt}\n"
    yield "everything", run([AA, "config", "example"])
    yield "templates", b"""version: 1
state_dir: /var/lib/aa
plugins: {deny: [x], settings: {tar-external: {priority: 5, options: {tar: /bin/tar}}}}
defaults: {destination: /mnt, type: tar.zst, compression_level: 3}
templates: {chain: {incremental: true, keep: {generations: 2}}}
archives:
  a: {extends: chain, root: /a, exclude: ["*.tmp", "!b"], include: [.]}
  b: {root: "/b \\u00e4", threads: 2}
"""
    yield "hostile", b"a: &x [*x, !!binary eA==]\n? [k]\n: v\n--- second\n"
    yield "folded", b"version: 1\nstate_dir: >-\n  /var\n  /lib\narchives: {}\n"
    yield "faults", b"version: 2\nunknown: 1\narchives: {a: {root: 5, typ: tar, keep: {generations: -1}}}\n"
    yield "control", b"version: 1\n\x01\xff\n"


def original_spec_seeds(own):
    yield "small", b"[Content]\npath = /home\ninclude-files = .\nexclude-files =\n"
    yield "everything", b"""# all of it
[External]
base
other = sub/x.aa
[Archive]
archiver: tarxz
compression-level = 6
dest-dir = ~/backups
incremental = yes
restarting = yes
restart-after-age = 30
max-restart-level-size = 70
keep-old-backups = yes
number-of-old-backups = 3
command-before-backup = mount "/mnt/my disk" 'a b' c\\ d
[Content]
name = docs
root = /srv
path = %(root)s/docs%%
include-files = *.txt "a b"
    d/[!a]?* e
exclude-files = */.cache x/** [odd
"""
    yield "references", b"[External]\nself = docs.aa\n[Content]\npath = \"@(self.path)\"\ninclude-files = %(path)s @(a.b)\n"
    yield "faults", b"path = /x\n[Contents]\n[Archive]\nverbose = 1\nkeep-old-backups\n  more\n"
    yield "control", b"[Content]\npath = \x01\xff\n"


def journal_seeds(own):
    probe = hashlib.sha256(b"x").hexdigest()[:16]
    yield "full", f"""autoarchive-journal 1
retire home.aa.tar.gz home.aa.tar.gz._old 1234 777 {probe}
move home.tar.gz home.aa.tar.gz 1200 778 {probe}
keep a%20b%25.tar c 1 2 {probe}
publish home.tar.gz._partial home.tar.gz 1300 790 {probe} 1200 778 {probe}
state /state/home.snar._partial /state/home.snar 88 91 {probe}
unstate /state/home.1.snar
sha256 0
""".encode()
    yield "empty", b"autoarchive-journal 1\nsha256 0\n"


def manifest_seeds(own):
    yield "by_us", own("tar.zst", 3, ".manifest.zst")
    lines = run(["zstd", "-dc"], own("tar.gz", 6, ".manifest.zst"))
    yield "lines", lines
    yield "rare_keys", lines[: lines.index(b"\n") + 1] + b"""{"f":1,"p":".","k":"d","m":493,"u":0,"g":0,"t":1,"c":1,"i":2,"v":2049}
{"p":"a","d":1,"m":420,"un":"x\\u00e4\\n","uN":"/w==","s":5,"t":-1,"tn":999999999,"c":2,"cn":1,"i":3,"n":2,"b":-1,"e":"f","x":[["dXNlci5h","AA=="]]}
{"P":"/w==","k":"b","m":384,"t":1,"c":1,"i":4,"r":[8,1],"e":"v","new":{"a":[1,{"b":null}]}}
{"p":"l","k":"l","m":511,"l":"a","t":1,"c":1,"i":5,"o":1024,"h":"00000000000000ff"}
{"end":true,"entries":4,"blocks":[[0,0],[100,1024]],"frames":[[0,"Lg=="]],"finished":"2024-01-01T00:00:00Z","text_xxh3":"0000000000000000"}
"""


def check_seeds(own):
    for kind in ("tar", "tar.gz", "tar.xz", "tar.zst"):
        archive = own(kind, 0)
        yield f"by_us_{kind[4:] or 'plain'}", archive + run(["zstd", "-dc"], own(kind, 0, ".manifest.zst"))
    stream, places = own("tar", 0), [0, 512, 1024, 2048, 4096]
    lines = run(["zstd", "-dc"], own("tar", 0, ".manifest.zst")).replace(b'"type":"tar"', b'"type":"tar.gz"')
    members = [member(stream[i:j]) for i, j in zip(places, [*places[1:], len(stream)])]
    offsets = [sum(map(len, members[:i])) for i in range(len(members))]
    blocks = b",".join(b"[%d,%d]" % place for place in zip(offsets, places))
    yield "blocks", b"".join(members) + lines.replace(b'"blocks":[]', b'"blocks":[' + blocks + b"]")
    yield "other_level", stream + lines.replace(b'"level":0', b'"level":3').replace(b'"s":300', b'"s":301,"b":2')


# plugins

PT_LOAD, PT_DYNAMIC, PT_NOTE, PT_GNU_STACK = 1, 2, 4, 0x6474E551
DT_NEEDED, DT_STRTAB, DT_RPATH, DT_TEXTREL, DT_RUNPATH, DT_FLAGS = 1, 5, 15, 22, 29, 30
DESCRIPTOR = b"""abi.cxx11=1
abi.kind=1u
format=1
id=org.example.zip
name=zip
provider.zip.features.zip=CompressionStrength,Restore
provider.zip.needs=zip,unzip
provider.zip.option.color.default=red
provider.zip.option.color.secret=true
provider.zip.option.width.range=1..64
provider.zip.option.width.type=integer
provider.zip.service=archiver
provider.zip.types=zip
version=1.0.0
"""


def note(content, owner=b"AA\0", kind=1, alignment=4):
    def padded(data):
        return data + b"\0" * (-len(data) % alignment)

    return struct.pack("<III", len(owner), len(content), kind) + padded(owner) + padded(content)


def library(notes, entries=(), alignment=4, stack=6, machine=62):
    """A shared library for x86-64 with a segment each for all of it, its dynamic section, its notes and its stack."""
    strings = b"\0libc.so.6\0libzip.so.4\0$ORIGIN/../lib:/opt/lib\0"
    headers, named = 64 + 4 * 56, {text: strings.find(text) for text in strings.split(b"\0")}
    lines = [(DT_STRTAB, headers), *((tag, named.get(value, value)) for tag, value in entries), (0, 0)]
    dynamic = b"".join(struct.pack("<QQ", *line) for line in lines)
    dynamic_at = headers + len(strings)
    notes_at = dynamic_at + len(dynamic)
    size = notes_at + len(notes)

    def segment(kind, flags, offset, length, align):
        return struct.pack("<IIQQQQQQ", kind, flags, offset, offset, offset, length, length, align)

    head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 64, 0, 0, 64, 56, 4, 0, 0, 0)
    segments = (segment(PT_LOAD, 5, 0, size, 4096) + segment(PT_DYNAMIC, 6, dynamic_at, len(dynamic), 8)
                + segment(PT_NOTE, 4, notes_at, len(notes), alignment) + segment(PT_GNU_STACK, stack, 0, 0, 16))
    return head + segments + strings + dynamic + notes


def plugin_seeds(_own):
    needs = [(DT_NEEDED, b"libc.so.6"), (DT_NEEDED, b"libzip.so.4")]
    good = library(note(DESCRIPTOR), needs)
    yield "good", good
    yield "note_behind_others", library(note(b"\1\2\3", b"GNU\0", 3) + note(b"") + note(DESCRIPTOR), needs)
    yield "aligned_to_8", library(note(DESCRIPTOR, alignment=8), needs, alignment=8)
    yield "weak", library(note(DESCRIPTOR), [(DT_RPATH, b"$ORIGIN/../lib:/opt/lib"), (DT_TEXTREL, 0), (DT_FLAGS, 4)], stack=7)
    yield "no_note", library(note(b"abc", b"GNU\0", 3), [(DT_RUNPATH, b"$ORIGIN/../lib:/opt/lib")])
    yield "newer_format", library(note(DESCRIPTOR.replace(b"format=1", b"format=2")))
    yield "malformed", library(note(b"this is\nno=descriptor\nalso=not in order\n"))
    yield "note_too_large", library(note(DESCRIPTOR).replace(struct.pack("<I", len(DESCRIPTOR)), b"\xff\xff\xff\x7f"))
    yield "other_machine", library(note(DESCRIPTOR), machine=183)
    yield "cut", good[: len(good) - 200]
    yield "header_alone", good[:64]
    yield "no_elf", b"#!/bin/sh\n"


SEEDS = {
    "archive_check": check_seeds,
    "bzip2_decoder": bzip2_seeds,
    "configuration": configuration_seeds,
    "original_spec": original_spec_seeds,
    "gitignore_pattern": pattern_seeds,
    "gzip_decoder": gzip_seeds,
    "journal": journal_seeds,
    "manifest_reader": manifest_seeds,
    "pax_records": pax_seeds,
    "plugin_note": plugin_seeds,
    "tar": tar_seeds,
    "tar_messages": message_seeds,
    "xz_decoder": xz_seeds,
    "zstd_decoder": zstd_seeds,
}


def write_corpora(target):
    with tempfile.TemporaryDirectory() as scratch:
        place = pathlib.Path(scratch)
        (place / "tree").mkdir()
        (place / "tree/file").write_bytes(WORDS[:300])
        (place / "tree/noise").write_bytes(NOISE[:100])
        settle(place / "tree")

        def own(kind, strength, beside=""):
            command = [AA, "create", "a", "--root", str(place / "tree"), "--destination", scratch, "--type", kind]
            env = dict(os.environ, AA_STATE_DIR=str(place / "state"), XDG_CONFIG_HOME=scratch)
            if kind != "tar":
                command += ["--strength", str(strength)]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
            return (place / f"a.{kind}{beside}").read_bytes()

        for room, make in SEEDS.items():
            shutil.rmtree(target / room, ignore_errors=True)
            (target / room).mkdir(parents=True)
            for name, data in make(own):
                (target / room / name).write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    AA = str(pathlib.Path(sys.argv[1]).resolve())
    write_corpora(pathlib.Path(sys.argv[2]))
