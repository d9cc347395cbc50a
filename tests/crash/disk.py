"""A disk that is full: under the tables, and under the whole server."""
import contextlib
import os
import subprocess

from kills import ROWS, check_ledger
from lab import Delivery, Skip, expect, version_of


@contextlib.contextmanager
def small_disk(path, size):
    if os.geteuid() != 0:
        raise Skip("mounting a small file system takes root")
    os.makedirs(path, exist_ok=True)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs", path],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Skip(f"cannot mount a small file system: {done.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=False)


SOURCE = """csv: data/a.csv
unique_key: [id]
mode: replace
columns: {id: integer, version: integer, amount: bigint, note: text}
"""


def tables(lab_of, _progress):
    """Tables in a tablespace that fills up; the ledger and the log have room."""
    with lab_of() as lab:
        path = os.path.join(lab.base, "small")
        with small_disk(path, "8m"):
            try:
                tables_on(lab, path)
            finally:
                lab.run("db", "stop", status=0)


def tables_on(lab, path):
    pg = lab.connect()
    user = os.stat(lab.home())
    os.chown(path, user.st_uid, user.st_gid)
    pg.rows(f"create tablespace small location '{path}'")
    pg.rows(f"alter role {lab.pg_user} set default_tablespace = small")
    usual = lab.write("data/usual.csv", Delivery(ROWS, 1).csv())
    big = lab.write("data/big.csv", Delivery(8 * ROWS, 2).csv())
    lab.run("load", usual, "a", status=0)
    for table in ("a", "b"):
        result = lab.run("load", big, table, status=1)
        expect("No space left" in result.err, "the error does not say that the disk is full:", result)
        expect(version_of(pg, "a", ROWS) == 1, "the table was touched")
        expect(version_of(pg, "b", ROWS) is None, "a table was left")
        outcome = pg.one("select outcome, sqlstate from sluice.steps order by step_id desc limit 1")
        expect(outcome == ["failed", "53100"], "the ledger says", outcome)
    subprocess.run(["mount", "-o", "remount,size=200m", path], check=True)
    lab.run("load", big, "a", status=0)
    expect(version_of(pg, "a", 8 * ROWS) == 2, "the next load did not arrive")
    check_ledger(pg)
    pg.close()


def server(lab_of, _progress):
    """The whole server on a disk that is full: it may stop, but nothing is lost."""
    base = "/tmp/sluice-test-disk-%d" % os.getpid()
    try:
        with small_disk(base, "120m"), lab_of(base=os.path.join(base, "l")) as lab:
            lab.write("sources/a.yaml", SOURCE)
            lab.write("data/a.csv", Delivery(ROWS, 1).csv())
            lab.run("run", status=0)
            lab.connect().close()
            lab.write("data/a.csv", Delivery(ROWS, 2).csv())
            ballast = os.path.join(base, "ballast")
            with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as f:
                room = os.statvfs(base)
                left = room.f_bavail * room.f_frsize - (2 << 20)
                while left > 0:
                    left -= f.write(b"x" * min(left, 1 << 20))
            result = lab.run("run")
            expect(result.status in (1, 3), "expected status 1 or 3", result)
            expect("No space left" in result.err or "not" in result.err, "no clear message:", result)
            os.unlink(ballast)
            lab.run("db", "start", status=0)
            pg = lab.again()
            expect(version_of(pg, "a", ROWS) == 1, "the table was touched")
            lab.run("run", status=0)
            expect(version_of(pg, "a", ROWS) == 2, "the next run did not arrive")
            check_ledger(pg)
            pg.close()
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(base)
