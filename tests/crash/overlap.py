"""Two projects that share a database, a tracked table and each other's tables, run at once again and again: directly,
and through PgBouncer in transaction mode (laws 2 and 3)."""
import contextlib
import copy
import os
import shutil
import subprocess
import threading
import time

import kept
from kills import check_ledger
from lab import Delivery, Skip, expect, version_of, wait_for
from writers import Writer

CSV = """csv: data/items.csv
mode: upsert
unique_key: [id]
columns: {id: integer, version: integer, amount: bigint, note: text}
"""
EVENTS = "schema: public\n" + kept.SOURCE
ITEMS = 700  # a multiple of 7: deliveries of the versions used all have as many rows
MODELS = {
    "first": {
        "daily": ("materialized: incremental\nunique_key: [day]",
                  "select day, count(*) as n, sum(amount)::bigint as total, max(version) as version "
                  "from public.events where day is not null group by day"),
        "rolling": ("materialized: incremental",
                    "select day, sum(total) over (order by day range between interval '6 days' preceding and "
                    "current row) as week from daily"),
        "big": ("materialized: incremental\nunique_key: [id]",
                "select id, day, amount from public.events where amount > 8"),
        "told": ("materialized: history", "select count(*) as n, sum(total) as total from daily"),
        "twice": ("", "select id, version, amount * 2 as amount from items"),
    },
    "second": {
        "weekly": ("materialized: incremental",
                   "select date_trunc('week', day) as week, sum(total) as total from first.daily group by 1"),
        "beside": ("materialized: incremental",
                   "select e.id, e.day, e.amount, d.total from public.events e join first.daily d on d.day = e.day"),
        "months": ("materialized: incremental",
                   "select date_trunc('month', day) as month, count(*) as n from public.events group by 1"),
        "told": ("materialized: history", "select count(*) as n, sum(total) as total from weekly"),
        "shown": ("materialized: view", "select w.week, w.total, m.n from weekly w left join months m "
                  "on m.month = date_trunc('month', w.week)"),
    },
}
DEADLOCKS = "select deadlocks from pg_stat_database where datname = current_database()"
HISTORIES = ("first.told", "second.told")


def queries():
    """Of what is kept equal to its query; unqualified names are the schema's own."""
    return {schema: {name: query for name, (front, query) in models.items()
                     if "history" not in front and "view" not in front} for schema, models in MODELS.items()}


def projects(lab, host, port):
    made = {}
    for name, models in MODELS.items():
        project = copy.copy(lab)
        project.dir, project.name = os.path.join(lab.base, name), name
        shutil.rmtree(project.dir, ignore_errors=True)
        project.write("sluice.yaml", f"""name: {name}
timezone: UTC
target: shared
targets:
  shared: {{url: "host={host} port={port} user={lab.pg_user} dbname={lab.database}", schema: {name}}}
""")
        project.write("sources/events.yaml", EVENTS)
        if name == "first":
            project.write("sources/items.yaml", CSV)
            project.write("data/items.csv", Delivery(ITEMS, 7).csv())
        else:
            project.write("sources/daily.yaml", "schema: first\ntable: daily\ntime_column: day\n")
        for model, (front, query) in models.items():
            project.write(f"models/{model}.sql", kept.model_file((front + "\nmax_shrink: 100%").strip(), query)
                          if "view" not in front and "history" not in front else kept.model_file(front, query))
        made[name] = project
    return made


@contextlib.contextmanager
def pooler(lab):
    """PgBouncer in front of the lab's server; its directory and port."""
    if not shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        raise Skip("pgbouncer is not installed")
    directory, port = os.path.join(lab.base, "b"), 6432
    os.makedirs(directory, exist_ok=True)
    owner = os.stat(lab.home())
    os.chown(directory, owner.st_uid, owner.st_gid)
    config = os.path.join(directory, "pgbouncer.ini")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"""[databases]
{lab.database} = host={lab.socket} port={lab.port} user={lab.pg_user} dbname={lab.database}
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {directory}
auth_type = any
pool_mode = transaction
default_pool_size = 6
server_reset_query =
logfile = {directory}/log
""")
    os.chmod(config, 0o644)
    argv = ["env", f"PATH={os.environ.get('PATH', '')}:/usr/sbin", "pgbouncer", config]
    if os.geteuid() == 0:
        argv = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", *argv]
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for("pgbouncer", lambda: os.path.exists(f"{directory}/.s.PGSQL.{port}") or child.poll() is not None)
        expect(child.poll() is None, "pgbouncer ended:", child.returncode)
        yield directory, port
    finally:
        child.terminate()
        child.wait(10)


class Runner(threading.Thread):
    """Runs one project until the runs are used up."""

    def __init__(self, project, left, chance):
        super().__init__(daemon=True)
        self.project, self.left, self.chance, self.wrong = project, left, chance, None
        self.statuses = []

    def call(self):
        kind = self.chance.random()
        if kind < 0.6:
            return ["run"]
        if kind < 0.8:
            return ["run", "--wait", "--threads", "2"]
        if kind < 0.9:
            return ["run", "--threads", "3"]
        return ["run", self.chance.choice(list(MODELS[self.project.name]))]

    def run(self):
        try:
            while not self.wrong and self.left():
                call = self.call()
                result = self.project.run(*call)
                self.statuses.append(result.status)
                # A table that another run is building is busy (4); with --wait nothing is.
                expect(result.status in ((0,) if "--wait" in call else (0, 4)), self.project.name, call, result)
        except Exception as e:
            self.wrong = e


class Countdown:
    def __init__(self, runs, deliver, progress):
        self.runs, self.taken, self.deliver, self.progress = runs, 0, deliver, progress
        self.lock = threading.Lock()

    def __call__(self):
        with self.lock:
            if self.taken == self.runs:
                return False
            self.taken += 1
            if self.taken % 10 == 0:
                self.deliver(7 * (self.taken // 10 + 1))
            self.progress(f"overlapping runs, {self.taken} of {self.runs}")
            return True


def check_histories(pg):
    for table in HISTORIES:
        schema, name = table.split(".")
        rows, times = pg.one(f"select count(*), count(distinct created_at) from {table}")
        recorded = pg.value(f"select count(*) from sluice.steps where schema_name = '{schema}' and table_name = "
                            f"'{name}' and outcome = 'ok'")
        expect(rows == times == recorded, f"{table}: {rows} rows of {times} times, {recorded} steps in the ledger")


def check_all(made, pg, version):
    for name in ("first", "second"):
        made[name].run("run", status=0)
    for schema, models in queries().items():
        pg.rows(f"set search_path = {schema}")
        kept.expect_equal(pg, models, f"{schema}, after the last run")
    expect(version_of(pg, "first.items", ITEMS) == version, "the last delivery did not arrive")
    pg.rows("set search_path = public")
    check_histories(pg)
    check_ledger(pg)
    kept.check_nothing_left(pg, "after the last run")
    for name in ("first", "second"):
        verified = made[name].run("verify")
        expect(verified.status == 0, f"{name}: verify after the last run:", verified)


def overlap(lab, chance, runs, pooled, progress, say):
    pg = lab.connect()
    kept.make_events(pg)
    before = int(pg.value(DEADLOCKS))
    with contextlib.ExitStack() as stack:
        host, port = stack.enter_context(pooler(lab)) if pooled else (lab.socket, lab.port)
        made = projects(lab, host, port)
        for project in made.values():
            stack.callback(shutil.rmtree, project.dir, ignore_errors=True)
        pg.rows("create schema first; create schema second")
        for name in ("first", "second"):
            made[name].run("run", status=0)
        left = Countdown(runs, lambda v: made["first"].write("data/items.csv", Delivery(ITEMS, v).csv()), progress)
        runners = [Runner(made[name], left, type(chance)(chance.random())) for name in ("first", "second") * 2]
        crowd = [Writer(lab, i, type(chance)(chance.random()), False) for i in range(2)]
        begun = time.monotonic()
        for thread in (*crowd, *runners):
            thread.start()
        for runner in runners:
            runner.join()
        seconds = time.monotonic() - begun
        for writer in crowd:
            writer.end()
        for runner in runners:
            if runner.wrong:
                raise runner.wrong
        check_all(made, pg, 7 * (runs // 10 + 1))
        failed = pg.rows("select schema_name, table_name, sqlstate, error from sluice.steps where outcome = 'failed'")
        expect(not failed, "steps that failed:", failed)
    again = pg.value("select count(*) from sluice.steps where reason ~ 'retr'")
    deadlocks = int(pg.value(DEADLOCKS)) - before
    statuses = [s for r in runners for s in r.statuses]
    say(f"crash: two projects{' through PgBouncer' if pooled else ''}: {len(statuses)} runs in {seconds:.0f} s, "
        f"{statuses.count(0)} done, {statuses.count(4)} busy; {again} steps were tried again, {deadlocks} deadlocks; "
        "every table equal to its query, every publish once")
    pg.close()
