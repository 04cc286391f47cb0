#!/usr/bin/env python3
"""Runs every command of a guide, in its order, in an empty folder.

usage: run_guide.py GUIDE.md PREFIX; the commands are the blocks marked sh, PREFIX is where AutoArchive is installed.
Ends with 1 at the first command that fails.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    commands = BLOCK.findall(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    prefix = pathlib.Path(sys.argv[2]).resolve()
    if not commands:
        sys.exit(f"{sys.argv[1]} has no commands")
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder, "home")
        home.mkdir()
        environment = {
            "CMAKE_GENERATOR": "Ninja",  # make need not be there
            "PATH": f"{prefix / 'bin'}:{os.environ['PATH']}",
            "HOME": str(home),
            "CMAKE_PREFIX_PATH": str(prefix),
        }
        work = pathlib.Path(folder, "work")
        work.mkdir()
        script = "\n".join(commands)
        ran = subprocess.run(["bash", "-euxo", "pipefail", "-c", script], cwd=work, env=environment, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if ran.returncode != 0:
        print(ran.stdout)
    sys.exit(1 if ran.returncode != 0 else 0)


if __name__ == "__main__":
    main()
