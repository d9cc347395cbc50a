"""What the parts of the bench share: programs run and measured, a PostgreSQL of its own, projects, what is printed.

SLUICE        the program (default: build/sluice)
BENCH_ROWS    rows of the large tables (default: 5000000)
BENCH_ROUNDS  how often each of the long runs is measured (default: 3)
BENCH_WAL     wal_level of the server (default: replica, PostgreSQL's own)
"""
import os
import pwd
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
SLUICE = os.path.abspath(os.environ.get("SLUICE", os.path.join(ROOT, "build", "sluice")))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WAL = os.environ.get("BENCH_WAL", "replica")

failures = []


def say(what, figure, than=""):
    print(f"  {what:<58} {figure:>12}  {than}", flush=True)


def target(what, good, figure):
    say(what, figure, "as wanted" if good else "NOT AS WANTED")
    if not good:
        failures.append(what)


# --- programs -------------------------------------------------------------------------------------------------------


class Ran:
    def __init__(self, seconds, cpu, rss):
        self.seconds, self.cpu, self.rss = seconds, cpu, rss


def run(argv, env=None, cwd=None, text=None):
    """Runs a program to its end: wall time, processor time and the most memory it held (bytes)."""
    out = tempfile.TemporaryFile()
    stdin = tempfile.TemporaryFile()
    if text:
        stdin.write(text.encode())
        stdin.seek(0)
    begun = time.perf_counter()
    child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=stdin, stdout=out, stderr=out)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        out.seek(0)
        sys.exit(f"{argv}: ended with {child.returncode}\n{out.read().decode()}")
    return Ran(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def in_turns(rounds, alternatives):
    """{name: thunk} -> {name: [Ran]}, each once a round."""
    results = {name: [] for name in alternatives}
    for _ in range(rounds):
        for name, thunk in alternatives.items():
            results[name].append(thunk())
    return results


def median(runs):
    return statistics.median(r.seconds for r in runs)


# --- the server -----------------------------------------------------------------------------------------------------


class Server:
    """A PostgreSQL of our own, on a socket in dir."""

    def __init__(self, home):
        self.home, self.data = home, os.path.join(home, "data")
        self.bin = self.find_programs()
        self.psql_program = os.path.join(self.bin, "psql")  # what stands on PATH is a script on Debian
        self.user = self.unprivileged()
        os.chmod(home, 0o755)
        os.mkdir(self.data, 0o700)
        if self.user:
            os.chown(home, self.user.pw_uid, self.user.pw_gid)
            os.chown(self.data, self.user.pw_uid, self.user.pw_gid)
        self.call(["initdb", "-D", self.data, "-U", "bench", "-A", "trust", "--no-sync", "--encoding=UTF8",
                   "--locale=C", "--no-instructions"])
        with open(os.path.join(self.data, "postgresql.conf"), "a") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{home}'\nwal_level = {WAL}\n"
                       f"max_wal_senders = {0 if WAL == 'minimal' else 10}\n")
        self.process = subprocess.Popen([os.path.join(self.bin, "postgres"), "-D", self.data], preexec_fn=self.drop(),
                                        cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=open(os.path.join(home, "log"), "w"), start_new_session=True)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        self.env.update(PGHOST=home, PGUSER="bench", PGDATABASE="postgres",
                        DATABASE_URL=f"host={home} user=bench dbname=postgres")
        self.wait()

    @staticmethod
    def find_programs():
        for directory in (subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip(),
                          *sorted((f"/usr/lib/postgresql/{v}/bin" for v in range(14, 19)), reverse=True)):
            if os.path.exists(os.path.join(directory, "initdb")):
                return directory
        sys.exit("there is no initdb: install the package postgresql")

    @staticmethod
    def unprivileged():
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            try:
                return pwd.getpwnam(name)
            except KeyError:
                pass
        sys.exit("PostgreSQL does not run as root, and there is no user postgres or nobody")

    def drop(self):
        user = self.user

        def become():
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        return become if user else None

    def call(self, argv):
        done = subprocess.run([os.path.join(self.bin, argv[0]), *argv[1:]], preexec_fn=self.drop(), cwd="/",
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(done.stderr)

    def wait(self):
        for _ in range(300):
            ready = subprocess.run([self.psql_program, "-Xqc", "select 1"], env=self.env, capture_output=True)
            if ready.returncode == 0:
                return
            time.sleep(0.1)
        sys.exit("the server did not start")

    def psql(self, script):
        return run([self.psql_program, "-XqAt", "-v", "ON_ERROR_STOP=1"], env=self.env, text=script)

    def value(self, sql):
        return subprocess.run([self.psql_program, "-XqAtc", sql], env=self.env, capture_output=True, text=True,
                              check=True).stdout.strip()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


def write_file(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def project(home, name, schema):
    path = os.path.join(home, name)
    write_file(os.path.join(path, "sluice.yaml"),
               f"name: {name}\ntarget: bench\ntargets:\n  bench:\n    url: ${{DATABASE_URL}}\n    schema: {schema}\n")
    return path
