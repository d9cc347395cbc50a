"""What readers of tables that are kept up to date in parts see while runs go on (laws 1 and 6)."""
import time

import kept
from lab import Watcher, expect
from laws import DEPENDENTS, IDENTITY

# The sum of all amounts never changes, and all rows of a touched day bear the version of the change: so each published
# state is known in advance. A version that is a multiple of BAD has a row that breaks the check.
BAD = 7
MODELS = {
    "daily": ("materialized: incremental\nunique_key: [day]\nchecks:\n  - expression: lowest_amount >= 0",
              "select day, day - date '2024-01-01' as id, count(*) as n, sum(amount)::bigint as amount, "
              "min(version) as lowest, max(version) as version, min(amount) as lowest_amount, 'day ' || day::text as note "
              "from events group by day"),
    "kept": ("materialized: incremental\nunique_key: [id]\nchecks:\n  - expression: amount >= 0",
             "select id, day, version, amount, 'row ' || id as note from events"),
    "rolling": ("materialized: incremental",
                "select day, id, sum(amount) over (order by day range between interval '6 days' preceding and "
                "current row) as amount, version, 'week to ' || day::text as note from daily"),
}
QUERIES = {name: query for name, (_, query) in MODELS.items()}
DAY_STATES = "select string_agg(day - date '2024-01-01' || ':' || {}, ' ' order by day) from {}"
CHANGE = """
update events set version = {v} where day = any (array[{days}]);
update events set amount = amount + 3 where id = (select min(id) from events where day = {first});
update events set amount = amount - 3 where id = (select id from events where day = {last} and amount > 10 order by id desc limit 1)
"""


class Plan:
    """Which days each version touches, and so what every published state looks like."""

    def __init__(self, chance, versions):
        self.days = {v: sorted(chance.sample(range(kept.DAYS), 3)) for v in range(2, versions + 2)}
        states, now = {1: [1] * kept.DAYS}, [1] * kept.DAYS
        for version, days in self.days.items():
            for day in days:
                now[day] = version
            states[version] = list(now)
        self.texts = {v: " ".join(f"{d}:{x}" for d, x in enumerate(s)) for v, s in states.items()}

    def apply(self, pg, version):
        days = [f"{kept.FIRST_DAY} + {d}" for d in self.days[version]]
        pg.rows(CHANGE.format(v=version, days=", ".join(days), first=days[0], last=days[2]))
        if version % BAD == 0:
            pg.rows(f"update events set amount = amount - 1000 where id = {version}; "
                    f"update events set amount = amount + 1000 where id = {version + 1}")
        if version % BAD == 1 and version > BAD:
            pg.rows(f"update events set amount = amount + 1000 where id = {version - 1}; "
                    f"update events set amount = amount - 1000 where id = {version}")


class Reader(Watcher):
    """Asks again and again, and judges each answer."""

    def __init__(self, lab, sql, judge):
        super().__init__(lab.again("reader"), 0.002)
        self.sql, self.judge = sql, judge
        self.waits, self.seen = [], set()

    def step(self):
        begun = time.monotonic()
        row = self.pg.one(self.sql)
        self.waits.append(time.monotonic() - begun)
        self.seen.add(self.judge(row))


class Judge:
    def __init__(self, plan, total):
        self.plan, self.total, self.latest = plan, total, {}

    def version(self, who, states, whole):
        """The version that a table is at; each is whole, checked, and no older than the one seen before."""
        version = max(int(s.split(":")[1]) for s in states.split())
        expect(states == self.plan.texts[version], f"{who}: a mixture at version {version}: {states}")
        expect(version % BAD, f"{who}: version {version}, which fails its check, was seen")
        expect(whole is None or whole == self.total, f"{who}: the sum was {whole}, expected {self.total}")
        expect(version >= self.latest.get(who, 0), f"{who}: went back to version {version}")
        self.latest[who] = version
        return version

    def table(self, row):
        expect(row[2] == "0", "a day with rows of several versions")
        return self.version("daily", row[0], row[1])

    def view(self, row):
        return self.version("the view", row[0], row[1])

    def child(self, row):
        expect(row[1:] == ["500", "500"], "rows that a child refers to:", row)
        return self.version("kept", row[0], None)

    def rolling(self, row):
        return self.version("rolling", row[0], None)


def watchers(lab, judge):
    states = DAY_STATES.format
    kept_days = states("version", "(select day, max(version) as version from kept group by day) k")
    return [
        Reader(lab, f"select ({states('version', 'daily')}), (select sum(amount) from daily), "
                    "(select count(*) from daily where lowest <> version)", judge.table),
        Reader(lab, f"select ({states('version', 'daily_shown')}), (select sum(amount) from daily_shown)", judge.view),
        Reader(lab, f"select ({kept_days}), count(*), count(k.id) from kept_refs r left join kept k using (id)",
               judge.child),
        Reader(lab, f"select ({states('version', 'rolling')})", judge.rolling),
    ]


def latencies(readers):
    """p50 and p99 of all, from the mark on."""
    waits = [w for r in readers for w in r.waits]
    for r in readers:
        r.waits = []
    return (f"p50 {kept.milliseconds(kept.percentile(waits, 0.5))}, "
            f"p99 {kept.milliseconds(kept.percentile(waits, 0.99))} ({len(waits)} reads)")


def begin(lab):
    lab.write("sources/events.yaml", kept.SOURCE)
    for name, (front, query) in MODELS.items():
        lab.write(f"models/{name}.sql", kept.model_file(front, query))
    pg = lab.connect()
    kept.make_events(pg)
    lab.run("run", status=0)
    pg.rows("create role reader")
    for name in MODELS:
        pg.rows(DEPENDENTS.format(name))
    pg.rows("create table kept_refs (id bigint references kept (id)); insert into kept_refs select id from kept "
            "order by id limit 500; create table daily_refs (day date references daily (day)); "
            "insert into daily_refs select day from daily; alter table rolling replica identity full; "
            "create view daily_shown as select * from daily")
    return pg


def run_all(lab, pg, plan, progress):
    for version in plan.days:
        progress(f"readers, version {version} of {len(plan.days) + 1}")
        plan.apply(pg, version)
        result = lab.run("run", status=0 if version % BAD else 1)
        expect(version % BAD or "daily.sql" in result.err, "the error does not name the check:", result)


def readers(lab, chance, runs, progress, say):
    runs += runs % BAD == BAD - 1  # the last one is good
    plan = Plan(chance, runs)
    pg = begin(lab)
    before = {name: pg.rows(IDENTITY.format(name)) for name in MODELS}
    judge = Judge(plan, pg.value("select sum(amount) from events"))
    all_readers = watchers(lab, judge)
    for reader in all_readers:
        reader.start()
    try:
        time.sleep(2)
        idle = latencies(all_readers)
        run_all(lab, pg, plan, progress)
        busy = latencies(all_readers)
    finally:
        for reader in all_readers:
            reader.end()
    kept.expect_equal(pg, QUERIES, "after the runs")
    for reader in all_readers:
        expect(len(reader.seen) > runs / 4, "a reader saw too few versions:", len(reader.seen), "of", runs)
    for name in MODELS:
        after = pg.rows(IDENTITY.format(name))
        expect(after == before[name], f"{name}: changed",
               [x for x in before[name] + after if x not in before[name] or x not in after])
        expect(pg.value(f"select count(*) from {name}_dependent") > "0", f"{name}: dependent view")
    decided = dict(pg.rows("select table_name || ' ' || decision, count(*) from sluice.steps "
                           "where decision is not null and outcome = 'ok' group by 1"))
    for name in MODELS:
        expect(int(decided.get(f"{name} range", 0)) >= runs * 0.7, f"{name}: too few ranges:", decided)
    say(f"crash: readers of {runs} runs: {busy}; without runs: {idle}")
    pg.close()
