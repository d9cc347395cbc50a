"""What the crash and cron tests share: a project in a folder of its own with its private PostgreSQL, a small client
for it (standard library alone), and a runner that counts.

SLUICE names the program; default build/sluice.
"""
import contextlib
import os
import random
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLUICE = os.path.abspath(os.environ.get("SLUICE", os.path.join(ROOT, "build", "sluice")))
PATIENCE = 60  # seconds for one call of the program


class Wrong(Exception):
    """What a test found."""


class Skip(Exception):
    """Why a test cannot be done here."""


def expect(condition, what, *more):
    if not condition:
        raise Wrong(" ".join(str(x) for x in (what, *more)))


def wait_for(what, condition, seconds=20.0, pause=0.02):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Wrong(f"gave up after {seconds:g} s waiting for {what}")
        time.sleep(pause)


class Watcher(threading.Thread):
    """Does its step() over and over, on a connection of its own, until stop() or end(), which raise what went wrong."""

    def __init__(self, pg, pause=0.0):
        super().__init__(daemon=True)
        self.pg, self.pause = pg, pause
        self.done, self.wrong = threading.Event(), None

    def run(self):
        try:
            while not self.done.wait(self.pause):
                self.step()
        except Exception as e:
            self.wrong = e

    def stop(self):
        self.done.set()
        self.join(30)
        if self.wrong:
            raise self.wrong
        expect(not self.is_alive(), f"{type(self).__name__} still waits for an answer")

    def end(self):
        try:
            self.stop()
        finally:
            self.pg.close()


# --- a client -----------------------------------------------------------------------------------------------------


class PgError(Exception):
    def __init__(self, fields):
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")
        self.sqlstate = fields.get("C")


class Pg:
    """A connection over a unix socket that asks for no password: simple queries, values as text."""

    def __init__(self, directory, port, user, database, name="test"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(f"{directory}/.s.PGSQL.{port}")
        self.buffer = b""
        words = ["user", user, "database", database, "application_name", name, "client_encoding", "UTF8",
                 "options", "-c search_path=public"]
        body = struct.pack("!i", 196608) + b"".join(w.encode() + b"\0" for w in words) + b"\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        self.answer()

    def close(self):
        self.socket.close()

    def read(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise ConnectionError("the server closed the connection")
            self.buffer += piece
        piece, self.buffer = self.buffer[:count], self.buffer[count:]
        return piece

    def answer(self):
        rows, failure = [], None
        while True:
            kind, length = struct.unpack("!ci", self.read(5))
            body = self.read(length - 4)
            if kind == b"R" and body[:4] != b"\0\0\0\0":
                raise ConnectionError("the server asks for a password")
            if kind == b"T":
                rows = []
            elif kind == b"D":
                rows.append(self.row(body))
            elif kind == b"E":
                failure = failure or self.failure(body)
                if failure.sqlstate in ("57P01", "57P02", "57P03", "53300", "3D000"):
                    raise failure
            elif kind == b"Z":
                if failure:
                    raise failure
                return rows

    @staticmethod
    def row(body):
        values, at = [], 2
        for _ in range(struct.unpack("!h", body[:2])[0]):
            (length,) = struct.unpack("!i", body[at : at + 4])
            at += 4
            values.append(None if length < 0 else body[at : at + length].decode())
            at += max(length, 0)
        return values

    @staticmethod
    def failure(body):
        return PgError({f[:1].decode(): f[1:].decode(errors="replace") for f in body.split(b"\0") if f})

    def rows(self, sql):
        data = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(data) + 4) + data)
        return self.answer()

    def one(self, sql):
        rows = self.rows(sql)
        return rows[0] if rows else None

    def value(self, sql):
        row = self.one(sql)
        return row[0] if row else None


# --- a project ----------------------------------------------------------------------------------------------------


EMPTY = """do $$
declare it record;
begin
  for it in select pubname as name from pg_publication loop
    execute format('drop publication %I', it.name);
  end loop;
  for it in select nspname as name from pg_namespace where nspname !~ '^pg_|^information_schema$' loop
    execute format('drop schema %I cascade', it.name);
  end loop;
  create schema public;
  grant usage on schema public to public;
  for it in select rolname as name from pg_roles where rolname !~ '^pg_' and rolname <> current_user and oid >= 16384 loop
    execute format('drop owned by %I', it.name);
    execute format('drop role %I', it.name);
  end loop;
end $$"""


class Result:
    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __str__(self):
        return f"[status {self.status} after {self.seconds:.1f} s]\n{self.out}{self.err}".rstrip()


class Lab:
    """A project below /tmp and its private PostgreSQL; with `with`, gone afterwards."""

    def __init__(self, name="lab", base=None, user=None, program=SLUICE):
        self.base = base or tempfile.mkdtemp(prefix="sluice-test-", dir="/tmp")
        os.makedirs(self.base, exist_ok=True)
        os.chmod(self.base, 0o755)  # root's server runs as another user, which is to get here
        self.dir = os.path.join(self.base, "p")
        self.user, self.program, self.name = user, program, name
        self.children = []
        self.closed = False
        self.url = None
        os.makedirs(self.dir, exist_ok=True)
        self.write_frame()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.clear()

    def write_frame(self):
        self.write("sluice.yaml", f"name: {self.name}\ntimezone: UTC\ntarget: local\ntargets:\n  local: {{}}\n")

    def write(self, path, text):
        """Whole or not at all, as a delivery should be."""
        path = os.path.join(self.dir, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.replace(path + ".new", path)
        return path

    def argv(self, args):
        argv = [self.program, "--project", self.dir, *args]
        return ["runuser", "-u", self.user, "--", *argv] if self.user else argv

    def popen(self, *args):
        if self.closed and args != ("db", "stop"):
            raise Wrong("the test was interrupted")
        child = subprocess.Popen(self.argv(args), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, errors="replace", cwd="/")
        child.begun = time.monotonic()
        self.children.append(child)
        return child

    def finish(self, child, seconds=PATIENCE):
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            out, err = child.communicate()
            raise Wrong(f"did not end within {seconds:g} s: {shlex.join(child.args)}\n{out}{err}") from None
        finally:
            if child in self.children:
                self.children.remove(child)
        return Result(child.returncode, out, err, time.monotonic() - child.begun)

    def run(self, *args, status=None):
        result = self.finish(self.popen(*args))
        if status is not None and result.status != status:
            raise Wrong(f"sluice {shlex.join(args)}: expected status {status} {result}")
        return result

    def connect(self, name="test"):
        url = self.run("db", "url", status=0).out
        words = dict(re.findall(r"(\w+)='([^']*)'", url))
        self.url = url.strip()
        self.socket, self.port = words["host"], words["port"]
        self.pg_user, self.database = words["user"], words["dbname"]
        return Pg(self.socket, self.port, self.pg_user, self.database, name)

    def again(self, name="test"):
        """A further connection, without asking the program."""
        return Pg(self.socket, self.port, self.pg_user, self.database, name)

    def home(self):
        path = os.path.join(self.dir, ".sluice", "pg")
        return os.path.realpath(path) if os.path.lexists(path) else None

    def postmaster(self):
        with open(os.path.join(self.home(), "data", "postmaster.pid"), encoding="ascii") as f:
            return int(f.readline())

    def kill_children(self):
        for child in list(self.children):
            with contextlib.suppress(OSError):
                child.send_signal(signal.SIGCONT)
                child.kill()
            with contextlib.suppress(Exception):
                child.communicate(timeout=5)
        self.children.clear()

    def reset(self):
        """An empty project on an empty database; the server stays, to save the time that another would take."""
        self.kill_children()
        self.write_frame()
        self.run("db", "start", status=0)
        pg = self.connect("reset")
        pg.rows("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() "
                "and datname = current_database()")
        pg.rows(EMPTY)
        pg.close()
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            if name != ".sluice":
                shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        self.write_frame()

    def clear(self):
        self.closed = True
        self.kill_children()
        home = self.home()
        if home and os.path.isdir(home):
            with contextlib.suppress(Exception):
                self.run("db", "stop")
            with contextlib.suppress(Exception):
                os.kill(self.postmaster(), signal.SIGQUIT)
                time.sleep(0.5)
            shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self.base, ignore_errors=True)


# --- rows with an invariant -----------------------------------------------------------------------------------------


class Delivery:
    """Rows of one version: all bear its number, and their count and sum follow from it."""

    def __init__(self, rows, version):
        self.version, self.count = version, rows + version % 7
        self.sum = sum(self.amount(i) for i in range(self.count))

    def amount(self, i):
        return i * 3 + self.version

    def csv(self):
        lines = [f"{i},{self.version},{self.amount(i)},row {i} of {self.version}" for i in range(self.count)]
        return "id,version,amount,note\n" + "\n".join(lines) + "\n"


STATE = "select count(*), count(distinct version), min(version), sum(amount) from {}"


def version_of(pg, relation, rows, share=1, key=""):
    """The version that a table holds as a whole; None: no such table, or no row."""
    try:
        count, versions, version, total = pg.one(STATE.format(relation) + key)
    except PgError as e:
        if e.sqlstate == "42P01":
            return None
        raise
    if int(count) == 0:
        return None
    expect(versions == "1", f"{relation}: rows of {versions} versions, {count} rows")
    wanted = Delivery(rows, int(version))
    ids = range(0, wanted.count, share)
    expect(int(count) == len(ids) and int(total) == sum(wanted.amount(i) for i in ids),
           f"{relation}: version {version} has {count} rows with the sum {total}, expected {len(ids)}")
    return int(version)


# --- running tests --------------------------------------------------------------------------------------------------


class Suite:
    """Runs functions; a line only for what fails or is skipped."""

    def __init__(self, name):
        self.name, self.passed, self.failed, self.skipped = name, 0, 0, 0
        self.lock = threading.Lock()
        self.clear_line = "\r\033[K" if sys.stderr.isatty() else ""

    def say(self, text):
        with self.lock:
            if self.clear_line:
                sys.stderr.write(self.clear_line)
                sys.stderr.flush()
            print(text, flush=True)

    def progress(self, text):
        if self.clear_line:
            with self.lock:
                sys.stderr.write(f"{self.clear_line}{self.name}: {text}")
                sys.stderr.flush()

    def test(self, name, function, *args):
        begun = time.monotonic()
        self.progress(name)
        try:
            function(*args)
            self.passed += 1
        except Skip as e:
            self.skipped += 1
            self.say(f"{self.name}: {name}: skipped: {e}")
        except Wrong as e:
            self.failed += 1
            self.say(f"{self.name}: {name}: FAILED: {e}")
        except Exception:  # a test that breaks is one that failed
            self.failed += 1
            self.say(f"{self.name}: {name}: FAILED:\n{traceback.format_exc().rstrip()}")
        if os.environ.get("VERBOSE"):
            self.say(f"{self.name}: {name}: {time.monotonic() - begun:.1f} s")

    def end(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        self.say(f"{self.name}: {self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed else 0


def stop_on_signals():
    """So that `finally` is reached on SIGTERM and SIGHUP too."""

    def stop(number, _frame):
        raise KeyboardInterrupt(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def main_status(main):
    try:
        return main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def need_program():
    if not os.access(SLUICE, os.X_OK):
        sys.exit(f"{SLUICE} is not there: make, or set SLUICE")


def seeded(seed):
    seed = seed if seed is not None else random.SystemRandom().randrange(1 << 32)
    return seed, random.Random(seed)
