#!/usr/bin/env python3
"""Runs the case tests.

A case is a folder tests/cases/GROUP/NAME with a script `cmd`, the `expected` output, and whatever files the script
needs. It is run by bash in a copy of the folder, with sluice on PATH. In the script

    t COMMAND...      prints `$ COMMAND`, runs it, and prints `[exit N]` where N is not 0

Standard output and standard error are compared as one text, after what differs between runs was replaced: the copy's
path by DIR, the program's by SLUICE, the database's name by DB, times of today by TIME, durations by N.

A line `# needs: database` gives the case an empty database of its own, in DATABASE_URL, on a PostgreSQL that all cases
share (in PGHOST_SHARED, of the programs in PG_BINDIR). `# needs: namespaces` is for root where unshare(1)
and mount(8) work. `# needs: WORD` for any other word is a program that has to be there. Without it the case is skipped,
and counted as such.

usage: run.py [--update] [--jobs N] [--keep] [GROUP | GROUP/NAME | part of a name]...
"""
import argparse
import concurrent.futures
import difflib
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 120  # seconds for one case
PRELUDE = r"""
set -eu
t() {
    local status=0 word line='$'
    for word; do
        case $word in
            ''|*[!A-Za-z0-9_.,:/=@%+-]*) line="$line ${word@Q}" ;;
            *) line="$line $word" ;;
        esac
    done
    printf '%s\n' "$line"
    "$@" || status=$?
    [ "$status" = 0 ] || printf '[exit %s]\n' "$status"
}
"""


def find_bindir():
    given = os.environ.get("SLUICE_PG_BINDIR")
    if given:
        return given
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]))
    if versions:
        return str(versions[-1].parent)
    found = shutil.which("postgres")
    if not found:
        sys.exit("cases: no PostgreSQL server here: install the package postgresql")
    return os.path.dirname(os.path.realpath(found))


class Server:
    """One PostgreSQL for all cases: unix socket only, gone at the end."""

    def __init__(self, root):
        self.bindir = find_bindir()
        self.user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
        self.home = root / "server"
        self.home.mkdir()
        if self.user:
            os.chown(self.home, self.user.pw_uid, self.user.pw_gid)
        self.url_host = str(self.home)
        self.process = None

    def as_user(self):
        if not self.user:
            return None

        def drop():
            os.setgroups([])
            os.setgid(self.user.pw_gid)
            os.setuid(self.user.pw_uid)

        return drop

    def start(self):
        data = str(self.home / "data")
        env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        subprocess.run([f"{self.bindir}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
                       check=True, stdout=subprocess.DEVNULL, preexec_fn=self.as_user(), env=env, cwd="/")
        log = open(self.home / "log", "wb")
        self.process = subprocess.Popen(
            [f"{self.bindir}/postgres", "-D", data, "-k", str(self.home), "-c", "listen_addresses=", "-c", "fsync=off",
             "-c", "max_connections=200"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=self.as_user(), env=env, cwd="/",
            start_new_session=True)
        for _ in range(300):
            if self.sql("select 1", quiet=True).returncode == 0:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        sys.exit("cases: the shared PostgreSQL does not start:\n" + (self.home / "log").read_text())

    def sql(self, text, quiet=False):
        return subprocess.run(["psql", "-XqAt", "-h", str(self.home), "-U", "postgres", "-d", "postgres", "-c", text],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None, text=True)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.name = f"{folder.parent.name}/{folder.name}"
        self.script = (folder / "cmd").read_text()
        self.needs = [w for line in re.findall(r"^# needs:(.*)$", self.script, re.M) for w in line.split()]
        expected = folder / "expected"
        self.expected = expected.read_text() if expected.exists() else None


def today_pattern():
    now = time.time()
    days = {time.strftime("%Y-%m-%d", time.gmtime(now + shift)) for shift in (-86400, 0, 86400)}
    return re.compile(r"(?:%s)[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?" % "|".join(sorted(days)))


def normalise(text, places):
    for value, name in places:
        text = text.replace(value, name)
    text = today_pattern().sub("TIME", text)
    text = re.sub(r"\b\d+\.\d{3} s\b", "N s", text)
    text = re.sub(r"(TIME +)\d+\.\d{3}\b", r"\1N", text)
    text = re.sub(r" on \S+, since TIME", " on HOST, since TIME", text)
    text = re.sub(r'"seconds":\d+(\.\d+)?', '"seconds":N', text)
    return text


def stop_servers(work, env):
    """A case that used a private PostgreSQL leaves it running, as sluice does; one of its own it may have left too."""
    for found in work.rglob(".sluice"):
        project = found.parent
        subprocess.run([str(work / ".bin" / "sluice"), "--project", str(project), "-q", "db", "stop"], env=env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for pid_file in work.rglob("postmaster.pid"):
        try:
            os.kill(int(pid_file.read_text().split()[0]), signal.SIGQUIT)
        except (OSError, ValueError, IndexError):
            pass


def run_case(case, number, options):
    work = pathlib.Path(tempfile.mkdtemp(prefix="case-", dir=options.root))
    work.chmod(0o755)
    copy = work / "p"
    shutil.copytree(case.folder, copy, ignore=shutil.ignore_patterns("expected", "cmd"))
    (work / ".bin").mkdir()
    (work / ".bin" / "sluice").symlink_to(options.sluice)
    (work / "home").mkdir()
    env = {"PATH": f"{work}/.bin:{os.environ['PATH']}", "HOME": str(work / "home"), "LC_ALL": "C.UTF-8",
           "CASES": str(HERE)}
    for name in os.environ:
        if name.endswith("SAN_OPTIONS") or name in ("SLUICE_PG_BINDIR", "LLVM_PROFILE_FILE"):
            env[name] = os.environ[name]
    database = f"case_{os.getpid()}_{number}"
    if "database" in case.needs:
        options.server.sql(f"create database {database}")
        env["DATABASE_URL"] = f"postgresql:///{database}?host={options.server.url_host}&user=postgres"
        env["PGHOST_SHARED"] = options.server.url_host
        env["PG_BINDIR"] = options.server.bindir
    try:
        done = subprocess.run(["bash", "-c", PRELUDE + case.script, "case"], cwd=copy, env=env,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT)
        output = done.stdout.decode("utf-8", "backslashreplace")
        if done.returncode != 0:
            output += f"[the script ended with {done.returncode}]\n"
    except subprocess.TimeoutExpired as expired:
        output = (expired.stdout or b"").decode("utf-8", "backslashreplace") + f"[no end after {TIMEOUT} s]\n"
    stop_servers(work, env)
    if "database" in case.needs:
        options.server.sql(f"drop database {database} with (force)")
    places = [(str(copy), "DIR"), (str(work), "WORK"), (str(options.sluice), "SLUICE"), (database, "DB")]
    if options.server:
        places.append((options.server.url_host, "HOST"))
    if not options.keep:
        shutil.rmtree(work, ignore_errors=True)
    return normalise(output, places)


NAMESPACES = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def is_there(need):
    if need == "namespaces":
        script = "mount -t tmpfs tmpfs /mnt"
        return os.geteuid() == 0 and subprocess.run([*NAMESPACES, "sh", "-c", script], check=False,
                                                    stderr=subprocess.DEVNULL).returncode == 0
    return need == "database" or shutil.which(need) is not None


def find_cases(filters):
    cases = [Case(cmd.parent) for cmd in sorted(HERE.glob("*/*/cmd"))]
    if filters:
        cases = [c for c in cases if any(f.rstrip("/") in c.name for f in filters)]
        if not cases:
            sys.exit("cases: no case of that name")
    return cases


def tell(case, output, options):
    """True where the case is as it should be."""
    if output == case.expected:
        return True
    if options.update:
        (case.folder / "expected").write_text(output)
        print(f"updated {case.name}")
        return True
    print(f"--- {case.name}")
    if case.expected is None:
        print("no expected output; it was:\n" + output, end="")
    else:
        sys.stdout.writelines(line if line.endswith("\n") else line + "\n" for line in difflib.unified_diff(
            case.expected.splitlines(True), output.splitlines(True), "expected", "output"))
    return False


def arguments():
    parser = argparse.ArgumentParser(description="Runs the case tests.")
    parser.add_argument("--update", action="store_true", help="write what came out as what is expected")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", action="store_true", help="leave the copies of the cases behind")
    parser.add_argument("filters", nargs="*")
    options = parser.parse_args()
    options.sluice = pathlib.Path(os.environ.get("SLUICE", HERE.parent.parent / "build" / "sluice")).resolve()
    if not os.access(options.sluice, os.X_OK):
        sys.exit(f"cases: {options.sluice} is not there: run make")
    options.server = None
    return options


def main():
    options = arguments()
    cases = find_cases(options.filters)
    there = [c for c in cases if all(is_there(w) for w in c.needs)]
    root = tempfile.TemporaryDirectory(prefix="sluice-cases-", ignore_cleanup_errors=True) \
        if sys.version_info >= (3, 10) else tempfile.TemporaryDirectory(prefix="sluice-cases-")
    options.root = root.name
    os.chmod(options.root, 0o755)
    passed = failed = 0
    try:
        if any("database" in c.needs for c in there):
            options.server = Server(pathlib.Path(options.root))
            options.server.start()
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            outputs = [pool.submit(run_case, case, i, options) for i, case in enumerate(there)]
            for case, output in zip(there, outputs):
                good = tell(case, output.result(), options)
                passed += good
                failed += not good
    finally:
        if options.server:
            options.server.stop()
        if options.keep:
            print(f"kept in {options.root}")
            root._finalizer.detach()
        else:
            root.cleanup()
    left_out = len(cases) - len(there)
    print(f"cases: {passed} passed, {failed} failed" + (f", {left_out} skipped" if left_out else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
