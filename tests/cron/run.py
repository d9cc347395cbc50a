#!/usr/bin/env python3
"""Schedules for real: many `run --due` at once, two runs of one table, and Debian's cron daemon.

    run.py [NAME...]      NAME: only tests whose name contains it

SLUICE names the program; VERBOSE=1 shows how long each test takes. What waits for minutes to pass runs side by side.
"""
import contextlib
import datetime
import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))

from lab import SLUICE, Lab, Skip, Suite, expect, main_status, need_program, stop_on_signals, wait_for  # noqa: E402

TICKING = """-- ---
-- materialized: history
-- schedule: "* * * * *"
-- ---
select 1 as a
"""
SLOW = "select 1 as a, pg_sleep({})::text as b\n"
WORKING = "select count(*) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid() " \
          "and state = 'active'"


def times(pg, table):
    return int(pg.value(f"select count(distinct created_at) from {table}"))


def statuses(lab, children):
    return sorted(lab.finish(child).status for child in children)


def stay_in_minute(seconds):
    """Waits for the next minute unless this one has so many seconds left."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.05)


def next_minute():
    time.sleep(60 - time.time() % 60 + 0.05)


# --- within a minute ------------------------------------------------------------------------------------------------


def ten_at_once(lab):
    """Three ticks, ten that ask at each; the first finds neither server, ledger nor table."""
    lab.write("models/ticking.sql", TICKING)
    lab.write("models/after.sql", TICKING.replace("select 1 as a", "select count(*) as n from ticking"))
    stay_in_minute(25)
    for tick in range(1, 4):
        children = [lab.popen("run", "--due") for _ in range(10)]
        results = [lab.finish(child) for child in children]
        expect(not [r for r in results if r.status], "statuses of ten at once:",
               *[r for r in results if r.status])
        pg = lab.connect()
        for table in ("ticking", "after"):
            expect(times(pg, table) == tick, f"{table}: {times(pg, table)} created_at after {tick} ticks")
        lab.run("run", "--due", status=0)
        expect(times(pg, "ticking") == tick, "a later --due of the same minute did it again")
        ok = pg.rows("select table_name, tick from sluice.steps where outcome = 'ok' group by 1, 2 having count(*) > 1")
        expect(not ok, "published more than once:", ok)
        pg.close()
        if tick < 3:
            next_minute()
    pg = lab.connect()
    ticks = pg.rows("select tick from sluice.steps where table_name = 'ticking' and outcome = 'ok' order by 1")
    minutes = [datetime.datetime.fromisoformat(t + ":00") for (t,) in ticks]
    expect([b - a for a, b in zip(minutes, minutes[1:])] == [datetime.timedelta(minutes=1)] * 2, "ticks:", ticks)
    pg.close()


def failed_tick(lab):
    """Is not tried again before the next one."""
    lab.write("models/bad.sql", TICKING.replace("select 1", "select 1 / 0"))
    lab.write("models/good.sql", TICKING)
    stay_in_minute(10)
    lab.run("run", "--due", status=1)
    pg = lab.connect()
    for _ in range(3):
        lab.run("run", "--due", status=0)
    tries = pg.value("select count(*) from sluice.steps where table_name = 'bad' and outcome = 'failed'")
    expect(tries == "1", f"the failed tick was tried {tries} times")
    expect(times(pg, "good") == 1, "the other model")
    lab.write("models/bad.sql", TICKING)
    lab.run("run", "bad", status=0)
    expect(times(pg, "bad") == 1, "a run by hand after it")


def one_table(lab):
    lab.write("models/a.sql", SLOW.format(1.5))
    lab.write("models/b.sql", SLOW.format(1.5))
    pg = lab.connect()
    for round_ in range(2):  # the table is new, then stands
        found = statuses(lab, [lab.popen("run", "a"), lab.popen("run", "a")])
        expect(found == [0, 4], f"two runs of one table (round {round_}):", found)
    found = statuses(lab, [lab.popen("run", "a"), lab.popen("run", "b")])
    expect(found == [0, 0], "two runs of different tables:", found)
    first = lab.popen("run", "a")
    wait_for("the first run", lambda: pg.value(WORKING) == "1")
    busy = lab.run("run", "a", status=4)
    expect("being built" in busy.err, "the message does not say why:", busy)
    expect(busy.seconds < 1, "it waited:", busy)
    expect(lab.finish(first).status == 0, "the first run")
    outcomes = pg.rows("select outcome, count(*) from sluice.runs group by 1 order by 1")
    expect(outcomes == [["busy", "3"], ["ok", "5"]], "the ledger says", outcomes)


def loads_at_once(lab):
    path = lab.write("data/x.csv", "id,v\n" + "".join(f"{i},{i}\n" for i in range(20000)))
    found = statuses(lab, [lab.popen("load", path, "x") for _ in range(6)])
    expect(set(found) <= {0, 4} and 0 in found, "six loads of one new table:", found)
    found = statuses(lab, [lab.popen("load", path, "x", "--wait") for _ in range(4)])
    expect(found == [0] * 4, "four loads that wait:", found)
    pg = lab.connect()
    expect(pg.one("select count(*), count(distinct id) from x") == ["20000", "20000"], "rows:",
           pg.one("select count(*), count(distinct id) from x"))


def due_while_held(lab):
    lab.write("models/a.sql", SLOW.format(2).replace("select", TICKING.split("select")[0] + "select", 1))
    pg = lab.connect()
    stay_in_minute(12)
    first = lab.popen("run", "a")
    wait_for("the run by hand", lambda: pg.value(WORKING) == "1")
    held = lab.run("run", "--due", status=0)
    expect(held.seconds < 1.5, "--due waited:", held)
    expect(lab.finish(first).status == 0, "the run by hand")
    steps = pg.rows("select outcome, reason, tick is not null from sluice.steps order by step_id")
    expect(steps == [["ok", "new table", "f"], ["skipped", "another run is building this table", "t"]],
           "the ledger says", steps)
    expect(times(pg, "a") == 1, "published", times(pg, "a"), "times")


def waiting(lab):
    lab.write("models/a.sql", "-- ---\n-- materialized: history\n-- ---\n" + SLOW.format(1.5))
    pg = lab.connect()
    first = lab.popen("run", "a")
    wait_for("the first run", lambda: pg.value(WORKING) == "1")
    second = lab.popen("run", "a", "--wait")
    results = [lab.finish(first), lab.finish(second)]
    expect([r.status for r in results] == [0, 0], "a run that waits:", *results)
    expect(results[1].seconds > 2, "it did not wait:", results[1])
    expect(times(pg, "a") == 2, "published", times(pg, "a"), "times")
    first, second = lab.popen("run", "a"), None
    wait_for("the first run", lambda: pg.value(WORKING) == "1")
    second = lab.popen("run", "a", "--wait")
    wait_for("the second to wait", lambda: pg.value("select count(*) from pg_locks where not granted") == "1")
    second.send_signal(signal.SIGTERM)
    result = lab.finish(second)
    expect(result.status == 143, "a run that waits and is told to stop:", result)
    expect(lab.finish(first).status == 0, "the first run")


def two_projects(lab):
    """One database, a schema each; then one schema, where a table belongs to whom made it."""
    pg = lab.connect()
    pg.rows("create schema other")
    lab.write("models/a.sql", TICKING)
    url = f"host={lab.socket} port={lab.port} user={lab.pg_user} dbname={lab.database}"
    other = Lab("other", base=os.path.join(lab.base, "q"))
    other.write("sluice.yaml", f"name: other\ntarget: t\ntargets:\n  t: {{url: \"{url}\", schema: other}}\n")
    other.write("models/a.sql", TICKING)
    stay_in_minute(10)
    for _ in range(2):
        found = statuses(lab, [x.popen("run", "--due") for x in (lab, other) for _ in range(3)])
        expect(found == [0] * 6, "six --due of two projects:", found)
        expect(times(pg, "public.a") == times(pg, "other.a") == 1, "created_at of each:", times(pg, "public.a"),
               times(pg, "other.a"))
    projects = pg.rows("select project, schema_name, table_name from sluice.relations order by 1")
    expect(projects == [["lab", "public", "a"], ["other", "other", "a"]], "the ledger says", projects)
    other.write("sluice.yaml", f"name: other\ntarget: t\ntargets:\n  t: {{url: \"{url}\"}}\n")
    result = other.run("run", "a", status=1)
    expect("belongs to the project lab" in result.err, "the error does not name the owner:", result)
    expect(times(pg, "public.a") == 1, "another project's table was written")


# --- cron(8) --------------------------------------------------------------------------------------------------------


def cron_pid():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/exe") == os.path.realpath(shutil.which("cron")):
                return int(pid)
    return None


@contextlib.contextmanager
def cron_daemon():
    """The one that runs, or one of our own for as long as the test takes."""
    if cron_pid():
        yield
        return
    child = subprocess.Popen(["cron", "-f"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.terminate()
        child.wait(10)


@contextlib.contextmanager
def temporary_user():
    name = f"sluice{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", name], check=True,
                   capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["crontab", "-u", name, "-r"], check=False, capture_output=True)
        subprocess.run(["userdel", name], check=False, capture_output=True)


def real_cron():
    if os.geteuid() != 0:
        raise Skip("a crontab for a user of the test's own takes root")
    for program in ("cron", "crontab", "useradd", "runuser"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")
    with temporary_user() as user, Lab() as lab:
        owner = pwd.getpwnam(user)
        lab.program = shutil.copy(SLUICE, os.path.join(lab.base, "sluice"))
        os.chmod(lab.program, 0o755)
        lab.write("models/ticking.sql", TICKING)
        for directory, _, files in os.walk(lab.dir):
            for path in (directory, *(os.path.join(directory, f) for f in files)):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        lab.user = user
        with contextlib.ExitStack() as stack:
            pg = lab.connect()
            lab.run("crontab", "--install", status=0)
            lab.run("crontab", "--install", status=0)
            table = subprocess.run(["crontab", "-u", user, "-l"], capture_output=True, text=True, check=True).stdout
            expect(table.count("run --due") == 1, "the crontab after two installations:", table)
            stack.enter_context(cron_daemon())
            done = "select count(*) from sluice.steps where outcome = 'ok'"
            wait_for("the first tick", lambda: pg.value("select to_regclass('ticking')"), 70, 0.3)
            wait_for("the second tick", lambda: int(pg.value(done)) >= 2, 65, 0.3)
            minutes = pg.rows("select date_trunc('minute', created_at), count(*) from ticking group by 1")
            expect({n for _, n in minutes} == {"1"}, "rows by minute:", minutes)
            expect(times(pg, "ticking") == len(minutes), "created_at:", minutes)
            who = pg.rows("select distinct command from sluice.runs")
            expect(who == [["run --due"]], "the ledger says", who)
            pg.close()


# --- all ------------------------------------------------------------------------------------------------------------

QUICK = {
    "a failed tick": failed_tick,
    "two runs of one table": one_table,
    "loads at once": loads_at_once,
    "--due while a run by hand holds the table": due_while_held,
    "--wait": waiting,
    "two projects in one database": two_projects,
}


def main():
    names = sys.argv[1:]
    need_program()
    stop_on_signals()
    suite = Suite("cron")

    def wanted(name):
        return not names or any(n in name for n in names)

    def ten():
        with ten_lab:
            suite.test("ten at once", ten_at_once, ten_lab)

    def quick():
        with quick_lab:
            for name, test in QUICK.items():
                if wanted(name):
                    suite.test(name, lambda test=test: (quick_lab.reset(), test(quick_lab)))

    ten_lab, quick_lab = Lab(), Lab()
    jobs = [ten] * wanted("ten at once") + [quick] * any(map(wanted, QUICK))
    threads = [threading.Thread(target=job, daemon=True) for job in jobs]
    try:
        for thread in threads:
            thread.start()
        if wanted("cron(8)"):  # here, so that its clean-up is reached when the test is interrupted
            suite.test("cron(8)", real_cron)
        for thread in threads:
            thread.join()
    finally:
        ten_lab.clear()
        quick_lab.clear()
    return suite.end()


if __name__ == "__main__":
    sys.exit(main_status(main))
