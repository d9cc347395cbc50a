"""Writers with transactions of random length while runs go on: no change is lost (law 2). Beside them goes a loader that
trusts the newest updated_at it has seen, as people write them: it shows what is lost that way."""
import time

import kept
from lab import PgError, Watcher, Wrong, expect

WRITERS = 8
LONGEST, LONGEST_LOCK = 3.0, 0.5  # seconds of one transaction, and of one where TRUNCATE may lock all others out
PASSING = ("40001", "40P01")  # a writer may lose against another: it goes on with its next transaction

NAIVE = """
create table naive (like events, primary key (id));
create table naive_seen (at timestamptz not null);
insert into naive_seen values ('-infinity')
"""
NAIVE_LOAD = """
begin;
with fresh as materialized (select * from events where updated_at > (select at from naive_seen)),
seen as (update naive_seen set at = greatest(at, (select max(updated_at) from fresh)) where exists (select from fresh))
insert into naive select * from fresh
on conflict (id) do update set day = excluded.day, version = excluded.version, amount = excluded.amount,
  updated_at = excluded.updated_at;
commit
"""
NAIVE_LOST = """
select count(*) filter (where n.id is null), count(*) filter (where n.version <> e.version), count(*)
from events e left join naive n using (id)"""
NAIVE_GHOSTS = "select count(*) from naive n left join events e using (id) where e.id is null"


class Writer(Watcher):
    def __init__(self, lab, number, chance, truncates):
        super().__init__(lab.again(f"writer {number}"))
        self.number, self.chance, self.truncates = number, chance, truncates
        self.committed = self.rolled_back = self.failed = self.version = 0

    def day(self):
        return f"{kept.FIRST_DAY} + {self.chance.randrange(kept.DAYS + 10)}"

    def some(self, count):
        """Rows that are this writer's alone, so that writers seldom wait for each other."""
        return f"(select id from events where id % {WRITERS} = {self.number} order by random() limit {count})"

    def statement(self):
        self.version += 1
        version = self.version * WRITERS + self.number
        kind = self.chance.random()
        if kind < 0.4:
            day = self.day() if self.chance.random() < 0.97 else "null"
            return (f"insert into events (id, day, version, amount) select nextval(pg_get_serial_sequence('events', "
                    f"'id')) * {WRITERS} + {self.number}, {day}, {version}, i from generate_series(1, "
                    f"{self.chance.randrange(1, 9)}) i")
        if kind < 0.6:
            return (f"update events set amount = amount + {self.chance.randrange(9)}, version = {version}, "
                    f"updated_at = now() where id in {self.some(5)}")
        if kind < 0.8:
            return (f"update events set day = {self.day()}, version = {version}, updated_at = now() "
                    f"where id in {self.some(3)}")
        if kind < 0.97 or not self.truncates:
            return f"delete from events where id in {self.some(3)}"
        return "truncate events"

    def transaction(self):
        self.pg.rows("begin" if self.chance.random() < 0.7 else "begin isolation level repeatable read")
        left = self.chance.choice((0, 0.05, 0.3, LONGEST_LOCK if self.truncates else LONGEST)) * self.chance.random()
        count = self.chance.randrange(1, 5)
        for i in range(count):
            if self.chance.random() < 0.1:
                self.pg.rows(f"savepoint s; {self.statement()}; rollback to savepoint s")
            self.pg.rows(self.statement())
            self.done.wait(left / count)
        if self.chance.random() < 0.15:
            self.pg.rows("rollback")
            self.rolled_back += 1
        else:
            self.pg.rows("commit")
            self.committed += 1

    def step(self):
        try:
            self.transaction()
        except PgError as e:
            if e.sqlstate not in PASSING:
                raise
            self.failed += 1
            self.pg.rows("rollback")


class Naive(Watcher):
    def __init__(self, lab):
        super().__init__(lab.again("naive loader"), 0.2)
        self.loads = 0

    def step(self):
        self.pg.rows(NAIVE_LOAD)
        self.loads += 1

    def end(self):
        """With a last load after the last writer."""
        self.stop()
        self.pg.rows(NAIVE_LOAD)
        missing, old, total = self.pg.one(NAIVE_LOST)
        ghosts = self.pg.value(NAIVE_GHOSTS)
        self.pg.close()
        return int(missing), int(old), int(ghosts), int(total)


def run_meanwhile(lab, seconds, progress):
    """Runs without pause; how many."""
    count, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        progress(f"writers, run {count + 1}, {end - time.monotonic():.0f} s to go")
        result = lab.run("run", "--threads", str(1 + count % 2))
        expect(result.status == 0, f"run {count + 1} beside writers:", result)
        count += 1
    return count


def begin(lab):
    kept.write_models(lab, "\nmax_shrink: 100%")
    pg = lab.connect()
    kept.make_events(pg)
    pg.rows(NAIVE)
    lab.run("run", status=0)
    return pg


def check_equal(lab, pg):
    lab.run("run", status=0)
    kept.expect_equal(pg, {name: query for name, (_, _, query) in kept.MODELS.items()}, "after the last run")
    verified = lab.run("verify")
    expect(verified.status == 0, "verify after the last run:", verified)
    idle = lab.run("run", status=0)
    written = pg.rows("select table_name, outcome from sluice.steps where run_id = (select max(run_id) from "
                      "sluice.runs) and outcome <> 'unchanged'")
    expect(not written, "a run in which nothing changed wrote", written, idle)
    kept.check_nothing_left(pg, "after the last run")


def writers(lab, chance, seconds, truncates, progress, say):
    pg = begin(lab)
    loader = Naive(lab)
    crowd = [Writer(lab, i, type(chance)(chance.random()), truncates) for i in range(WRITERS)]
    for thread in (loader, *crowd):
        thread.start()
    try:
        runs = run_meanwhile(lab, seconds, progress)
    finally:
        problems = []
        for writer in crowd:
            try:
                writer.end()
            except Exception as e:
                problems.append(e)
    expect(not problems, "writers:", problems)
    missing, old, ghosts, total = loader.end()
    check_equal(lab, pg)
    said = pg.rows("select decision || ' ' || count(*) from sluice.steps where decision is not null group by decision "
                   "order by decision")
    parts = int(pg.value("select count(*) from sluice.steps where decision in ('range', 'from')"))
    expect(parts or truncates, "nothing was recomputed in part:", said)
    say(f"crash: {WRITERS} writers for {seconds} s: {sum(w.committed for w in crowd)} transactions committed, "
        f"{sum(w.rolled_back for w in crowd)} rolled back, {sum(w.failed for w in crowd)} lost against others; "
        f"{runs} runs ({', '.join(x for (x,) in said)}), every table equal to its query")
    say(f"crash: a watermark on updated_at beside them ({loader.loads} loads): of {total} rows {missing} never arrived "
        f"and {old} are old versions; {ghosts} rows that were deleted are still there")
    if missing + old == 0 and seconds >= 60 and not truncates:
        raise Wrong("the watermark lost nothing: the writers are too tame to show anything")
    pg.close()
