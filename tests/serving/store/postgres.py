"""A PostgreSQL server of our own for the tests: in a temporary folder, on a free loopback port."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port


def binaries() -> Path | None:
    """Folder of the server's programs, the newest version; None if it is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def server(programs: Path) -> Iterator[str]:
    """A running server; yields the start of its URL, without a database name.

    PostgreSQL does not run as root: then its own user runs it.
    """
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="facegate-pg-"))
    if root:
        shutil.chown(folder, "postgres", "postgres")
    data, port = folder / "data", free_port()

    def run(*command: str) -> None:
        who = ["runuser", "-u", "postgres", "--"] if root else []
        done = subprocess.run([*who, *command], check=False, capture_output=True, text=True, cwd="/")
        assert done.returncode == 0, done.stdout + done.stderr

    try:
        initdb = (str(programs / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8")
        run(*initdb, "--no-sync", "--locale", "C")
        options = f"-p {port} -c fsync=off -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        pg_ctl = str(programs / "pg_ctl")
        run(pg_ctl, "-D", str(data), "-l", str(folder / "log"), "-o", options, "-w", "start")
        try:
            yield f"postgresql://tester@127.0.0.1:{port}"
        finally:
            run(pg_ctl, "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
