"""A project of random models over random tables, its changes, and what is compared after each run.

Everything follows from the seed. The oracle is the server itself: a model's query run from scratch, over the tables as
they are published, in a session with the project's settings.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))

from lab import PgError, Wrong  # noqa: E402
from changes import Changes  # noqa: E402
from models import Generator  # noqa: E402
from reach import Dated, written_wrongly  # noqa: E402
from tables import random_tables  # noqa: E402

FUNCTIONS = """
create function plus_one(x integer) returns integer language sql immutable as 'select x + 1';
create function plus_one_stable(x integer) returns integer language plpgsql stable as 'begin return x + 1; end';
create function plus_one_volatile(x integer) returns integer language plpgsql volatile as 'begin return x + 1; end';
create function rows_of_h() returns bigint language plpgsql stable as 'begin return (select count(*) from h); end';
"""
MOST_ROWS = 1500  # of a model's result
NO_STEP = ("none", "?", None, None, None)
INCREMENTAL, VIEW, EPHEMERAL, TABLE = "incremental", "view", "ephemeral", "table"


class Model:
    def __init__(self, name, query, reads, materialized, front):
        self.name, self.query, self.reads, self.materialized, self.front = name, query, reads, materialized, front
        self.needs = set(reads)  # reads, and what those read

    def file(self):
        lines = [f"materialized: {self.materialized}", *self.front]
        return "-- ---\n" + "".join(f"-- {line}\n" for line in lines) + f"-- ---\n{self.query.sql}\n"


class Failure:
    def __init__(self, model, number, what):
        self.model, self.number, self.what = model, number, what


class Project:
    def __init__(self, lab, seed, models, rounds, only=None):
        self.begin(lab, seed, only)
        chance = random.Random(f"tables {seed}")
        self.tables, self.calendar = random_tables(chance)
        self.zone = self.calendar.zone
        self.chance = random.Random(f"models {seed}")
        self.first = {t.name: t.text(list(t.rows.values())) for t in self.tables if t.csv}
        self.creates = [s for t in self.tables if not t.csv for s in t.create(chance)]
        self.trials = [f"create table {t.name} ({', '.join(f'{n} {k}' for n, k in t.columns)}); "
                       f"insert into {t.name} values {', '.join(t.values(r) for r in t.rows.values())}"
                       for t in self.tables if t.csv]
        self.count = models
        self.rounds = Changes(random.Random(f"changes {seed}"), self.tables).rounds(rounds)

    def begin(self, lab, seed, only):
        self.lab, self.seed, self.only = lab, seed, only
        self.models, self.failures, self.decisions, self.odd, self.notes = [], {}, {}, 0, []
        self.seconds = {"program": 0.0, "oracle": 0.0, "models": 0.0}

    # --- models ---

    def settle(self, pg):
        pg.rows(f"set timezone = '{self.zone}'; set search_path = public, oracle; set jit = off; "
                "set max_parallel_workers_per_gather = 0; set client_min_messages = error")

    def front(self, query, materialized):
        front = []
        if materialized != INCREMENTAL:
            return front
        if query.time and self.chance.random() < 0.2:
            name = query.time.strip('"')
            front.append(f"time_column: {name}")
        if query.key and self.chance.random() < 0.4:
            front.append(f"unique_key: [{', '.join(n.strip(chr(34)) for n in query.unique)}]")
        if query.time_type in ("date", "timestamp", "timestamptz") and self.chance.random() < 0.1:
            front.append("lookback: 2 days")
        return front

    def make_models(self, pg):
        """Each candidate is made as a table first: what the server refuses, or makes too large, is left out."""
        generator = Generator(self.chance, self.calendar, self.tables)
        pg.rows("; ".join(self.trials))
        while len(self.models) < self.count:
            query, used = generator.make()
            name = f"m{len(self.models) + 1}"
            try:
                pg.rows(f"create table {name} as {query.sql}")
                rows = int(pg.value(f"select count(*) from {name}"))
            except PgError as e:
                self.odd += 1
                if os.environ.get("VERBOSE"):
                    print(e, query.kind, query.sql, file=sys.stderr)
                continue
            if rows > MOST_ROWS:
                pg.rows(f"drop table {name}")
                continue
            kind = self.chance.choices([INCREMENTAL, VIEW, EPHEMERAL, TABLE], [16, 1, 1, 1])[0]
            kind = INCREMENTAL if query.volatile else kind
            model = Model(name, query, used, kind, self.front(query, kind))
            for other in self.models:
                if other.name in model.needs:
                    model.needs |= other.needs
            self.models.append(model)
            if not query.volatile and len(query.columns) < 9:
                generator.models.append((name, query))
            if kind == EPHEMERAL:
                generator.hidden.add(name)
        for table in self.models + [t for t in self.tables if t.csv]:
            pg.rows(f"drop table {table.name}")
        if self.only:
            needs = {self.only}.union(*(m.needs for m in self.models if m.name == self.only))
            self.models = [m for m in self.models if m.name in needs]

    @property
    def compared(self):
        return [m for m in self.models if m.materialized in (INCREMENTAL, TABLE) and not m.query.volatile
                and (not self.only or m.name == self.only)]

    # --- the server and the files ---

    def clean(self):
        """An empty project on an empty database, and a session for the oracle."""
        self.lab.name = "property"
        self.lab.reset()
        self.pg = self.lab.connect("oracle")
        self.pg.rows("create schema if not exists oracle")
        self.settle(self.pg)
        self.lab.write("sluice.yaml", f"name: property\ntimezone: {self.zone}\ntarget: local\ntargets:\n  local: {{}}\n"
                       "defaults:\n  models/: {max_shrink: 100%}\n")

    def set_up(self):
        self.clean()
        self.pg.rows(FUNCTIONS)
        for statement in self.creates:
            self.pg.rows(statement)
        begun = time.monotonic()
        self.make_models(self.pg)
        self.seconds["models"] += time.monotonic() - begun
        for table in self.tables:
            if not table.listed:
                continue
            self.lab.write(f"sources/{table.name}.yaml", table.source())
            if table.csv:
                self.lab.write(f"data/{table.name}.csv", self.first[table.name])
        for model in self.models:
            self.lab.write(f"models/{model.name}.sql", model.file())

    def act(self, action):
        if action[0] == "csv":
            self.lab.write(f"data/{action[1].name}.csv", action[2])
            return
        _, writer, statement = action
        if writer not in self.writers:
            self.writers[writer] = self.lab.again(f"writer {writer}")
            self.writers[writer].rows("set lock_timeout = '2s'")
            self.settle(self.writers[writer])
        try:
            self.writers[writer].rows(statement)
        except PgError as e:  # a row that is gone, a partition that is not there: changes as well
            if os.environ.get("VERBOSE"):
                print(e, statement, file=sys.stderr)

    # --- runs and comparisons ---

    def run(self, number, during=()):
        begun = time.monotonic()
        child = self.lab.popen("run")
        for action in during:
            time.sleep(random.random() * 0.15)
            self.act(action)
        result = self.lab.finish(child)
        self.seconds["program"] += time.monotonic() - begun
        if result.status not in (0, 1):
            raise Wrong(f"sluice run: {result}")
        steps = self.pg.rows("select table_name, outcome, coalesce(decision, '?'), touched, error, sqlstate from sluice.steps "
                             "where run_id = (select max(run_id) from sluice.runs)")
        if result.status == 1 and not any(s[1] == "failed" for s in steps):
            raise Wrong(f"sluice run failed, but no step did: {result}")
        return {s[0]: s[1:] for s in steps}

    def fail(self, model, number, what):
        self.failures.setdefault(model.name, Failure(model, number, what))

    def state(self):
        """Per table that is kept up to date: where each row lies and the transaction that wrote it, a hash, its time."""
        dated = Dated(self.pg)
        parts = [f"select '{m.name}', ctid::text, xmin::text, md5({m.name}::text), {dated.time_sql(m.name)} from {m.name}"
                 for m in self.compared if m.name not in self.failures]
        state = {m.name: {} for m in self.compared}
        for name, ctid, xmin, digest, at in self.pg.rows(" union all ".join(parts)) if parts else []:
            state[name][(ctid, xmin)] = (digest, at)
        return state

    def compare(self, model, number):
        sql = f"with __q as materialized ({model.query.sql}), __a as (table __q except all table {model.name}), " \
              f"__b as (table {model.name} except all table __q) " \
              "(select 'missing', __a::text from __a limit 5) union all (select 'too many', __b::text from __b limit 5)"
        try:
            rows = self.pg.rows(sql)
        except PgError as e:
            if e.sqlstate == "42P01":
                self.fail(model, number, f"no such table: {e}")
            else:
                self.notes.append(f"{model.name}: the query itself fails: {e}")
                self.broken.add(model.name)
            return
        if rows:
            self.fail(model, number, "\n".join(f"{what}: {row}" for what, row in rows))

    def judge(self, number, steps, before):
        begun = time.monotonic()
        for model in self.compared:
            if model.name in self.failures or model.name in self.broken:
                continue
            outcome, decision, touched, error, _ = steps.get(model.name, NO_STEP)
            if outcome == "failed":
                self.judge_error(model, number, error)
            elif outcome in ("ok", "unchanged"):
                self.compare(model, number)
            elif not self.blocked(model, steps):
                self.fail(model, number, f"the step ended {outcome}")
            if number > 0:
                key = model.query.kind if model.materialized == INCREMENTAL else "(table)"
                counts = self.decisions.setdefault(key, {})
                counts[decision] = counts.get(decision, 0) + 1
        after = self.state()
        dated = Dated(self.pg)
        for model in self.compared:
            _, decision, touched, _, _ = steps.get(model.name, NO_STEP)
            if before and model.name not in self.failures and model.materialized == INCREMENTAL:
                wrong = written_wrongly(before[model.name], after[model.name], decision, dated.touched(model.name, touched))
                if wrong:
                    self.fail(model, number, f"{wrong}; touched: {touched}")
        self.seconds["oracle"] += time.monotonic() - begun
        return after

    def blocked(self, model, steps):
        """Its inputs failed, which is told of them; or a writer that is at work did not let their triggers be mended."""
        waits = any(s[0] == "failed" and s[4] == "55P03" for name, s in steps.items() if name in model.needs)
        return waits or bool(model.needs & (set(self.failures) | self.broken))

    def judge_error(self, model, number, error):
        try:
            self.pg.rows(f"select count(*) from ({model.query.sql}) __q")
        except PgError as e:
            self.notes.append(f"{model.name}: the query itself fails: {e}")
            self.broken.add(model.name)
            return
        self.fail(model, number, f"the step failed: {error}")

    def first_round(self):
        steps = self.run(0)
        for model in self.models:
            if model.materialized == EPHEMERAL:
                self.pg.rows(f"create view oracle.{model.name} as {model.query.sql}")
        return self.judge(0, steps, None)

    def verify(self, number):
        """The program's own comparison must come to the same."""
        models = [m for m in self.compared if m.name not in self.failures and m.name not in self.broken]
        if models and self.lab.run("verify", *(m.name for m in models)).status != 0:
            for model in models:
                result = self.lab.run("verify", model.name)
                if result.status != 0:
                    self.fail(model, number, f"sluice verify finds what is not so: {result}")

    def go(self, rounds=None):
        """Sets up and plays all rounds; what failed is in failures, by model."""
        self.writers, self.broken = {}, set()
        try:
            self.set_up()
            state = self.first_round()
            for number, actions in enumerate(rounds or self.rounds, 1):
                for action in actions["before"]:
                    self.act(action)
                steps = self.run(number, actions["during"])
                if actions["during"]:
                    state = None
                    steps = self.run(number)
                state = self.judge(number, steps, state)
                if self.only and self.only in self.failures:
                    break
            self.verify(len(rounds or self.rounds))
        finally:
            for pg in self.writers.values():
                pg.close()
            if getattr(self, "pg", None):
                self.pg.close()
        return self


def show_rounds(rounds, number):
    for i, actions in enumerate(rounds[:number], 1):
        yield f"  round {i}:"
        for when in ("before", "during"):
            for action in actions[when]:
                what = f"{action[1].name}.csv:\n{indent(action[2])}" if action[0] == "csv" else \
                    f"writer {action[1]}: {action[2]}"
                yield f"    {'' if when == 'before' else '(during the run) '}{what}"


def indent(text, by=6):
    lines = text.splitlines()
    return "\n".join(" " * by + line for line in lines[:12] + (["..."] if len(lines) > 12 else []))


