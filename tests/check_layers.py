#!/usr/bin/env python3
"""Holds the arrows of the house: which room may include which, and where each third-party header is at home.

usage: check_layers.py REPOSITORY; prints file:line for each include that is not allowed, and exits 1 if there is one.
"""

import pathlib
import re
import sys

# A room sees itself and the public headers of these rooms of core.
ROOMS = {
    "core/base": [],
    "core/service": ["base"],
    "core/storage": ["base", "service"],  # a storage is a service, the second one
    "core/tree": ["base"],
    "core/manifest": ["base", "tree", "storage"],  # a manifest is written to a sink
    "core/archiver": ["base", "service", "tree", "storage", "manifest"],
    "core/plugin": ["base", "service"],
    "plugins/tar-internal": ["base", "service", "tree", "storage", "manifest", "archiver", "plugin"],
    "plugins/tar-external": ["base", "service", "tree", "storage", "manifest", "archiver", "plugin"],
    "kit": ["base", "service", "tree", "storage", "manifest", "archiver", "plugin"],
    "host": ["kit", "base", "service", "tree", "storage", "manifest", "archiver", "plugin"],
}

# The one home of each third-party library (zstd has two: manifests, and archives; lzma, too: writing, and reading), a file or
# a folder.
HOMES = {
    "cxxabi.h": ["core/src/service/registrations.cpp"],  # readable names of classes
    "boost/dll/": ["core/src/plugin/loader.cpp"],
    "boost/signals2": ["host/src/events/"],
    "openssl/": ["core/src/base/digest.cpp"],
    "xxhash.h": ["core/src/base/digest.cpp"],
    "xxh_x86dispatch.h": ["core/src/base/digest.cpp"],
    "zstd.h": ["core/src/manifest/", "plugins/tar-internal/src/zstd_codec.cpp"],
    "archive.h": ["plugins/tar-internal/src/member_reader.cpp"],
    "archive_entry.h": ["plugins/tar-internal/src/member_reader.cpp"],
    "zlib.h": ["plugins/tar-internal/src/zlib_deflate.cpp"],
    "libdeflate.h": ["plugins/tar-internal/src/libdeflate_deflate.cpp"],
    "emmintrin.h": ["plugins/tar-internal/src/tar_header.cpp"],
    "isa-l": ["plugins/tar-internal/src/isal_deflate.cpp"],
    "bzlib.h": ["plugins/tar-internal/src/bzip2_codec.cpp"],
    "lzma.h": ["plugins/tar-internal/src/xz_codec.cpp", "plugins/tar-internal/src/xz_decoder.cpp"],
    "yaml-cpp/": ["host/src/config/"],
    "CLI/": ["host/src/command_line.cpp"],
    "nlohmann/": ["host/src/output/json.cpp"],
    "fmt/": ["host/src/"],
    "gtest/": ["kit/include/autoarchive/kit/gtest.hpp"],
    "spdlog/": ["host/src/output/"],
}

# The operating system's own; headers of the C++ standard library have no dot.
SYSTEM = re.compile(
    r"(sys|linux|asm|net|netinet|arpa)/.*|[a-z0-9_]+"
    r"|(aio|dirent|dlfcn|elf|endian|err|errno|fcntl|fnmatch|ftw|getopt|glob|grp|langinfo|libgen|limits|link|locale|poll|pthread"
    r"|pwd|sched|semaphore|signal|spawn|stdarg|stdbool|stddef|stdint|stdio|stdlib|string|strings|syslog|termios|time|uchar"
    r"|unistd|utime|wchar)\.h"
)
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
PUBLIC = "core/include/autoarchive/"


def room_of(path):
    """The room of a file, e.g. core/src/base/error.cpp -> core/base; None outside of all rooms."""
    parts = path.split("/")
    if path.startswith(PUBLIC):
        return "core/" + parts[3]
    if path.startswith("core/src/"):
        return "core/" + parts[2]
    return parts[0] if parts[0] in ("host", "kit") else "/".join(parts[:2])


def private_header(top, source, name):
    """Where a quoted include leads, relative to the repository; None if nowhere."""
    for folder in ((top / source).parent, top / "host/src"):
        target = (folder / name).resolve()
        if target.with_name(target.name + ".in").is_file():  # made when it is built
            target = target.with_name(target.name + ".in")
        if target.is_file() and target.is_relative_to(top):
            return target.relative_to(top).as_posix()
    return None


def host_headers(top):
    """Headers in the public folder that are not installed: a plugin, and what it sees, must do without them."""
    return set((top / PUBLIC / "host_headers.txt").read_text(encoding="utf-8").split())


def fault_of_own_header(top, source, name):
    room = room_of(source)
    hidden = host_headers(top)
    is_for_plugins = room.startswith("plugins/") or source.startswith(PUBLIC) and source.removeprefix(PUBLIC) not in hidden
    if is_for_plugins and name.removeprefix("autoarchive/") in hidden:
        return f"<{name}> is not installed: only the host, the kit and core's own files may see it"
    if name.startswith("autoarchive/"):
        target = "kit" if name.startswith("autoarchive/kit/") else "core/" + name.split("/")[1]
        allowed = target == room or target.removeprefix("core/") in ROOMS[room]
        return None if allowed else f"{room} must not see {target}"
    target = private_header(top, source, name)
    if target is None:
        return f'"{name}" is neither a public header of core nor a file of {room}'
    if source.startswith(PUBLIC):
        return f"a public header must not see the private {target}"
    return None if room_of(target) == room else f"{room} must not see {target}"


def fault_of_foreign_header(source, name):
    if SYSTEM.fullmatch(name):
        return None
    if source.startswith(PUBLIC):
        return f"a public header must not see <{name}>"
    homes = next((places for prefix, places in HOMES.items() if name.startswith(prefix)), None)
    if homes is None:
        return f"<{name}> has no home in the table of {pathlib.Path(__file__).name}"
    at_home = any(source == home or home.endswith("/") and source.startswith(home) for home in homes)
    return None if at_home else f"<{name}> is at home in {' and '.join(homes)} only"


def faults_of_file(top, source):
    if room_of(source) not in ROOMS:
        yield f"{source}: {room_of(source)} is no room in the table of {pathlib.Path(__file__).name}"
        return
    text = (top / source).read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if not include:
            continue
        name = include[2]
        own = include[1] == '"' or name.startswith("autoarchive/")
        fault = fault_of_own_header(top, source, name) if own else fault_of_foreign_header(source, name)
        if fault:
            yield f"{source}:{number}: {fault}"


def unlisted_headers(top):
    """Only listed headers are compiled alone, and either installed and part of the fingerprint, or hidden from plugins."""
    folder = top / PUBLIC
    listed = set((folder / "headers.txt").read_text(encoding="utf-8").split()) | host_headers(top)
    for header in sorted(folder.rglob("*.h*")):
        name = header.relative_to(folder).as_posix()
        if header.suffix in (".h", ".hpp") and name not in listed:
            yield f"{PUBLIC}{name}: is not in {PUBLIC}headers.txt"


def check(top):
    sources = [
        path.relative_to(top).as_posix()
        for part in ("core", "plugins", "kit", "host")
        for path in sorted((top / part).rglob("*"))
        if path.suffix in (".cpp", ".hpp", ".h")
    ]
    faults = [fault for source in sources for fault in faults_of_file(top, source)]
    return sources, faults + list(unlisted_headers(top))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sources, faults = check(pathlib.Path(sys.argv[1]).resolve())
    if not sources:
        sys.exit("no sources found below " + sys.argv[1])
    print("\n".join(faults) or f"{len(sources)} files keep to the arrows")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
