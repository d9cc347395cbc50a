"""Parts of the bench about tables kept up to date, and about many of them.

    incremental   a rolling average over 1,000 days of many series: weekly update, correction, cost by size of change
    unchanged     runs in which nothing changed
    many          1,000 trivial models over two connections
    validate      reading a project of 10,000 models
"""
import os
import random
import shutil
import statistics

import plot
from lab import ROOT, ROUNDS, ROWS, SLUICE, in_turns, median, project, run, say, target, write_file

DAYS = 1000
SERIES = max(1, ROWS // DAYS)
FIRST = "date '2022-01-01'"
PLOT = os.path.join(ROOT, "docs", "incremental-cost.svg")
SIZES = ((0, "1 row"), (1, "1 day"), (7, "1 week"), (30, "1 month"), (91, "3 months"), (365, "1 year"))

QUERY = """select series, day, value,
       avg(value) over (partition by series order by day
                        range between interval '6 days' preceding and current row) as average
  from readings
"""

MODEL = """-- ---
-- description: Average of each series over its day and the six before
-- materialized: incremental
-- unique_key: [series, day]
-- time_column: day
-- checks:
--   - not_null: [value, average]
--   - expression: average >= 0
-- ---
""" + QUERY


def readings(first, days, salt=0):
    """A query of so many days from the one numbered first: the same values every time, others with another salt."""
    return (f"select s as series, {FIRST} + d as day, (s * 7919 + d * 104729 + {salt} * 31) % 1000 as value "
            f"from generate_series({first}, {first + days - 1}) d, generate_series(1, {SERIES}) s")


def last_step(server, schema):
    """Seconds, kind of decision and rows written, of the last step of the model, by the ledger."""
    seconds, decision, rows = server.value(
        f"select extract(epoch from ended_at - started_at), decision, rows_inserted + rows_updated + rows_deleted from "
        f"sluice.steps where schema_name = '{schema}' and table_name = 'rolling' order by step_id desc limit 1").split("|")
    return float(seconds), decision, int(rows)


class Delivered:
    """Rows come as CSV files."""

    def __init__(self, server, home, schema, key):
        self.server, self.home, self.schema, self.days = server, home, schema, DAYS
        self.file = os.path.join(home, schema + ".csv")
        self.path = project(home, self.schema, self.schema)
        write_file(os.path.join(self.path, "sources", "readings.yaml"),
                   f"csv: {self.file}\ncolumns: {{series: integer, day: date, value: integer}}\n"
                   f"unique_key: [{key}]\ntime_column: day\nmode: upsert\nmin_rows: 1\n"
                   "checks: [{not_null: [value]}]\n")
        write_file(os.path.join(self.path, "models", "rolling.sql"), MODEL.replace("series, day", key, 1))
        server.psql(f"create schema {schema}")
        self.deliver(0, DAYS)
        self.sluice()
        server.psql("vacuum analyze")

    def deliver(self, first, days, salt=0):
        self.server.psql(f"\\copy ({readings(first, days, salt)}) to '{self.file}' (format csv, header)\n")

    def sluice(self, *options):
        self.server.psql("checkpoint")
        return run([SLUICE, "-q", "run", *options], env=self.server.env, cwd=self.path)

    def prepare_by_hand(self):
        self.server.psql(
            f"create schema by_hand_series; set search_path = by_hand_series;"
            f"create table readings as {readings(0, DAYS)}; create table rolling with (fillfactor = 90) as {QUERY};"
            "alter table readings add primary key (series, day); create index on readings (day);"
            "alter table rolling add primary key (series, day); create index on rolling (day); vacuum analyze")

    def by_hand(self, first, days):
        """Load and recompute by days that somebody worked out in his head, without a check or a record."""
        self.server.psql("checkpoint")
        to = f"{FIRST} + {first + days + 6}"
        return self.server.psql(f"""
            set search_path = by_hand_series;
            begin;
            create temp table arrived (series integer, day date, value integer) on commit drop;
            \\copy arrived from '{self.file}' (format csv, header)
            insert into readings select * from arrived
              on conflict (series, day) do update set value = excluded.value;
            insert into rolling select * from ({QUERY.replace("from readings", f'''from (
                select * from readings where day >= {FIRST} + {first - 6} and day < {to}) readings''')}) q
              where day >= {FIRST} + {first} and day < {to}
              on conflict (series, day) do update set value = excluded.value, average = excluded.average
              where (rolling.value, rolling.average) is distinct from (excluded.value, excluded.average);
            commit;
            """)

    def limit(self, first):
        """The rows of a corrected day and of the six that follow, computed beforehand: to write them, and no more."""
        days = f"r.day >= {FIRST} + {first} and r.day < {FIRST} + {first + 7}"
        self.server.psql(
            "set client_min_messages = warning; set search_path = by_hand_series; drop table if exists known;"
            f"create table known as select series, day, average + 0.5 as average from rolling r where {days};"
            "analyze known; checkpoint")
        return self.server.psql("update by_hand_series.rolling r set average = k.average from by_hand_series.known k "
                                f"where r.series = k.series and r.day = k.day and {days}")

    def full(self):
        self.server.psql("checkpoint")
        return self.server.psql(f"set search_path = {self.schema}; create table whole as {QUERY}")

    def forget(self):
        self.server.psql(f"drop table {self.schema}.whole")

    def right(self):
        """The table holds what the query gives."""
        count = self.server.value(
            f"set search_path = {self.schema}; select count(*) from (select * from rolling except all {QUERY}) q")
        target("the table equals its query", count == "0", f"{count} differ")


def change(table, other, turn, first, days, salt):
    """One delivery, taken by sluice, by sluice with the other order of the key, and by hand, and the full query: seconds
    of step, run and these."""
    table.deliver(first, days, salt)
    other.deliver(first, days, salt)
    alternatives = [("run", table.sluice), ("hand", lambda: table.by_hand(first, days)), ("full", table.full),
                    ("run_other", other.sluice)]
    seconds = {}
    for name, thunk in alternatives[turn % 4:] + alternatives[:turn % 4]:
        seconds[name] = thunk().seconds
    table.forget()
    for name, which in (("step", table), ("step_other", other)):
        seconds[name], decision, rows = last_step(which.server, which.schema)
        if decision != "range" or rows < days * SERIES:
            target("recomputed by range", False, f"{decision}, {rows} rows")
    return seconds


def tell_change(what, rounds, wanted):
    mid = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    good = mid["full"] >= wanted * mid["step"] or ROWS < 5000000  # a step takes some time, however small
    target(f"{what}: the full query takes, {wanted} x wanted", good, f"{mid['full'] / mid['step']:.0f} x")
    say("  the model's step; the full query", f"{mid['step']:.3f} s", f"{mid['full']:.1f} s")
    say("  the whole run, with the load: the full query takes", f"{mid['full'] / mid['run']:.0f} x", f"{mid['run']:.3f} s")
    say("  the key's columns in the order day, series: step", f"{mid['full'] / mid['step_other']:.0f} x",
        f"{mid['step_other']:.3f} s, run {mid['run_other']:.3f} s")
    say("  by hand, for these days, without checks: share reached", f"{mid['hand'] / mid['run']:.0%}",
        f"{mid['hand']:.3f} s")


class Watched:
    """Others write the table, with triggers that record what they change."""

    def __init__(self, server, home):
        self.server, self.schema = server, "watched"
        self.path = project(home, self.schema, self.schema)
        write_file(os.path.join(self.path, "sources", "readings.yaml"),
                   "time_column: day\nchanges: trigger\n")
        write_file(os.path.join(self.path, "models", "rolling.sql"), MODEL)
        server.psql(f"create schema {self.schema}; set search_path = {self.schema};"
                    f"create table readings as {readings(0, DAYS)};"
                    "alter table readings add primary key (series, day); create index on readings (day);")
        self.sluice()
        server.psql("vacuum analyze")

    def sluice(self):
        return run([SLUICE, "-q", "run"], env=self.server.env, cwd=self.path)

    def change(self, days):
        """Rows of so many days in the middle, or one row: seconds of step and run."""
        where = f"day >= {FIRST} + 400 and day < {FIRST} + 400 + {days}" if days else f"day = {FIRST} + 400 and series = 1"
        self.server.psql(f"set search_path = {self.schema}; update readings set value = (value + 1) % 1000 where {where};"
                         "vacuum analyze readings; vacuum analyze rolling; checkpoint")
        whole = self.sluice().seconds
        step, decision, rows = last_step(self.server, self.schema)
        if decision != "range":
            target("recomputed by range", False, f"{days} days: {decision}")
        return {"step": step, "run": whole, "rows": rows}

    def full(self):
        self.server.psql("checkpoint")
        seconds = self.server.psql(f"set search_path = {self.schema}; create table whole as {QUERY}").seconds
        self.server.psql(f"drop table {self.schema}.whole")
        return seconds


def cost_by_size(server, home):
    print(f"\ncost by size of change, the table written by others with changes: trigger; {ROUNDS} rounds")
    table = Watched(server, home)
    found, full = {days: [] for days, _ in SIZES}, []
    for _ in range(ROUNDS):
        for days, _ in SIZES:
            found[days].append(table.change(days))
        full.append(table.full())
    full = statistics.median(full)
    points = []
    for days, name in SIZES:
        step, whole = (statistics.median(f[which] for f in found[days]) for which in ("step", "run"))
        points.append((max(1, days * SERIES), name, step, whole))
        say(f"{name}: the full query takes", f"{full / step:.0f} x",
            f"{step:.3f} s, {found[days][0]['rows']} rows written; the run {whole:.3f} s")
    say("the full query", f"{full:.1f} s")
    if ROWS == 5000000:
        plot.write(PLOT, points, full)
        say("plot", "written", os.path.relpath(PLOT, ROOT))


def part_incremental(server, home):
    print(f"\na seven-day average over {DAYS} days of {SERIES} series, loaded from CSV; {ROUNDS} rounds")
    table, other = Delivered(server, home, "delivered", "series, day"), Delivered(server, home, "other", "day, series")
    table.prepare_by_hand()
    weeks, corrections = [], []
    for turn in range(ROUNDS):
        weeks.append(change(table, other, turn, table.days, 7, 0))
        table.days += 7
        corrections.append(change(table, other, turn, 500 + 10 * turn, 1, turn + 1))
    tell_change("a week more", weeks, 40)
    tell_change("one day corrected", corrections, 100)
    limit = median(in_turns(ROUNDS, {"limit": lambda: table.limit(600)})["limit"])
    say("  the same rows, computed beforehand, written: share reached",
        f"{limit / statistics.median(r['step'] for r in corrections):.0%}", f"{limit:.3f} s")
    anew = table.sluice("rolling", "--full-refresh").seconds
    say("sluice run rolling --full-refresh takes, of the step of a week",
        f"{anew / statistics.median(r['step'] for r in weeks):.0f} x", f"{anew:.1f} s")
    table.right()
    other.right()
    server.psql("drop schema delivered, other, by_hand_series cascade")
    cost_by_size(server, home)
    server.psql("drop schema watched cascade")


# --- many models ----------------------------------------------------------------------------------------------------


def trivial(home, server, name, count):
    """count models over a table that sluice loads from a file of one row."""
    path = project(home, name, name)
    server.psql(f"create schema {name}")
    write_file(os.path.join(path, "sources", "base.yaml"),
               "csv: base.csv\ncolumns: {id: integer, v: integer}\nunique_key: [id]\n")
    write_file(os.path.join(path, "base.csv"), "id,v\n1,1\n")
    for i in range(count):
        write_file(os.path.join(path, "models", f"model_{i}.sql"), query_of(i) + "\n")
    return path


def query_of(i):
    return f"select {i} as a, 'text {i}' as b, v from base"


def part_unchanged(server, home):
    print("\nruns in which nothing changed")
    path = os.path.join(home, "loans_unchanged")
    shutil.copytree(os.path.join(ROOT, "examples", "loans"), path, ignore=shutil.ignore_patterns(".sluice", "tests"))
    write_file(os.path.join(path, "sluice.yaml"),
               "name: loans_unchanged\ntarget: b\ntargets: {b: {url: \"${DATABASE_URL}\", schema: loans_unchanged}}\n")
    server.psql("create schema loans_unchanged")
    turn_incremental(path)
    loans = lambda: run([SLUICE, "-q", "run"], env=server.env, cwd=path)
    loans(), loans()
    runs = in_turns(25, {"sluice": loans, "psql": lambda: server.psql("select 1")})
    mine = median(runs["sluice"])
    target("the example, its model made incremental, under 20 ms", mine < 0.020, f"{mine * 1000:.1f} ms")
    say("against psql that selects 1", f"{mine / median(runs['psql']):.1f} x", f"{median(runs['psql']) * 1000:.1f} ms")
    many = trivial(home, server, "unchanged", 1000)
    again = lambda: run([SLUICE, "-q", "run"], env=server.env, cwd=many)
    again(), again()
    mine = median(in_turns(7, {"sluice": again})["sluice"])
    target("1,000 models, under 1 s", mine < 1, f"{mine * 1000:.0f} ms")


def turn_incremental(path):
    """A history has rows to add in every run: the example's model as a table that is kept up to date."""
    name = os.path.join(path, "models", "default_liquidation_rolling_avg_hist.sql")
    with open(name) as f:
        text = f.read()
    write_file(name, text.replace("materialized: history", "materialized: incremental").replace("-- keep: 7 days\n", ""))
    view = os.path.join(path, "models", "default_liquidation_rolling_avg.sql")
    write_file(view, "-- ---\n-- materialized: view\n-- ---\nselect * from default_liquidation_rolling_avg_hist\n")


def part_many(server, home):
    count = 1000
    print(f"\n{count} trivial models, --threads 2, against two psql at once running the same statements")
    path = trivial(home, server, "many_two", count)
    server.psql("create schema two_by_hand; create table two_by_hand.base as select 1 as id, 1 as v")
    sluice = lambda: run([SLUICE, "-q", "run", "--threads", "2"], env=server.env, cwd=path)

    def psql():
        halves = []
        for half in range(2):
            name = os.path.join(home, f"half_{half}.sql")
            write_file(name, "set search_path = two_by_hand; set client_min_messages = warning;\n" + "".join(
                f"begin; drop table if exists model_{i}; create table model_{i} as {query_of(i)}; commit;\n"
                for i in range(half, count, 2)))
            halves.append(f"'{server.psql_program}' -XqAt -v ON_ERROR_STOP=1 -f '{name}'")
        return run(["/bin/sh", "-ec", f"{halves[0]} & {halves[1]}; wait $!"], env=server.env)

    def afresh(thunk, schema):
        server.psql(f"select format('drop table %I.%I', schemaname, tablename) from pg_tables "
                    f"where schemaname = '{schema}' and tablename like 'model%' \\gexec\n")
        if schema == "many_two" and server.value("select to_regclass('sluice.relations')"):
            server.psql("delete from sluice.relations where schema_name = 'many_two' and table_name like 'model%'")
        return thunk()
    value = [1]

    def changed():
        value[0] += 1
        write_file(os.path.join(path, "base.csv"), f"id,v\n1,{value[0]}\n")
        return sluice()
    compare("new tables", in_turns(ROUNDS, {"sluice": lambda: afresh(sluice, "many_two"),
                                            "psql": lambda: afresh(psql, "two_by_hand")}), count)
    compare("all changed", in_turns(ROUNDS, {"sluice": changed, "psql": psql}), count)


def compare(what, runs, count):
    mine, other = median(runs["sluice"]), median(runs["psql"])
    target(f"{what}: of psql's time, 1.5 x wanted at most", mine <= 1.5 * other, f"{mine / other:.2f} x")
    say("  a model", f"{mine / count * 1000:.2f} ms", f"psql {other / count * 1000:.2f} ms")


def large_project(home, count):
    """Sources, and models that read a source and one of the 200 models before them."""
    chance = random.Random(1)
    path = os.path.join(home, "large")
    write_file(os.path.join(path, "sluice.yaml"),
               "name: large\nvars: {first: 2023-01-01}\ndefaults:\n  models/: {tags: [all]}\n")
    for i in range(20):
        write_file(os.path.join(path, "sources", f"source_{i}.yaml"),
                   f"csv: data/{i}.csv\ncolumns: {{d: date, id: integer, v: numeric}}\nunique_key: [d, id]\n"
                   "time_column: d\nchecks: [{not_null: [v]}]\n")
    for i in range(count):
        first = f"m{chance.randrange(max(0, i - 200), i)}" if i > 50 else f"source_{i % 20}"
        write_file(os.path.join(path, "models", f"g{i // 100}", f"m{i}.sql"), f"""-- ---
-- description: Model number {i}
-- materialized: {"incremental" if i % 3 else "table"}
-- time_column: d
-- indexes: [[id]]
-- columns: {{v: {{description: the value, checks: [not_null]}}}}
-- checks:
--   - unique: [d, id]
--   - expression: v >= 0
-- ---
with x as (select d, id, v from {first} where d >= :'first'),
     y as (select d, id, sum(v) as v from source_{i % 20} group by d, id)
select x.d, x.id, x.v + coalesce(y.v, 0) as v,
       avg(x.v) over (partition by x.id order by x.d range between interval '7 days' preceding and current row) as w
from x left join y on y.d = x.d and y.id = x.id
""")
    return path


def part_validate(server, home):
    print("\nsluice validate of 10,000 models")
    path = large_project(home, 10000)
    validate = lambda: run([SLUICE, "validate"], cwd=path)
    validate()
    runs = in_turns(7, {"sluice": validate})["sluice"]
    memory = max(r.rss for r in runs)
    cpu = statistics.median(r.cpu for r in runs)
    target("processor time, under 1 s", cpu < 1, f"{cpu:.2f} s")
    say("with what else the machine does", f"{median(runs):.2f} s")
    target("memory, under 150 MB", memory < 150e6, f"{memory / 1e6:.0f} MB")


PARTS = {"incremental": part_incremental, "unchanged": part_unchanged, "many": part_many, "validate": part_validate}
