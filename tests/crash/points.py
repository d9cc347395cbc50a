"""kill -9 of the program, kill -9 of the server and a cut connection at every statement that a run sends (laws 1, 3).

One undisturbed run tells which statements there are, so those of later versions are covered without being named here.
"""
import contextlib
import os
import signal
import threading

import kept
from connections import through_proxy
from kills import check_ledger
from lab import expect, wait_for
from proxy import Proxy, is_commit, is_statement

LOADED = """csv: data/loaded.csv
mode: upsert
unique_key: [id]
time_column: day
columns: {id: integer, day: date, version: integer}
"""
MODELS = {
    **{name: (front, query) for name, (_, front, query) in kept.MODELS.items()},
    "by_day": ("materialized: incremental\nchecks:\n  - unique: [day]\n  - expression: n > 0",
               "select day, count(*) as n, max(version) as version from loaded group by day"),
    "fresh": ("materialized: incremental\nunique_key: [day]", "select day, total from daily where total > 0"),
}
WANTED = {**{name: decided for name, (decided, _, _) in kept.MODELS.items()}, "by_day": "range", "fresh": "full"}
QUERIES = {name: query for name, (_, query) in MODELS.items()}
TABLES = ("loaded", *MODELS)

# Version $: rows change, move to another time, come late, come without a time, go. New days come, too.
CHANGE = """
update events set version = {v}, amount = amount + {v} where day = {f} + {a};
update events set version = {v}, day = {f} + {b}
  where id in (select id from events where day = {f} + {c} order by id limit 3);
delete from events where id in (select id from events where day = {f} + {b} order by id desc limit 2);
insert into events (day, version, amount) select {f} + {d}, {v}, 50 + i from generate_series(1, 5) i;
drop table if exists fresh
"""


class Rounds:
    """A project, changed before each run."""

    def __init__(self, lab):
        self.lab, self.version = lab, 1
        lab.write("sources/events.yaml", kept.SOURCE)
        lab.write("sources/loaded.yaml", LOADED)
        for name, (front, query) in MODELS.items():
            lab.write(f"models/{name}.sql", kept.model_file(front, query))
        self.pg = lab.connect()
        kept.make_events(self.pg)
        self.deliver()
        lab.run("run", status=0)
        self.directory, self.server = through_proxy(lab)

    def deliver(self):
        """Of 600 rows over 60 days, all of one day and one more of another bear the new version."""
        lines = [f"{i},2024-03-{i % 28 + 1:02},{self.version if i % 28 == self.version % 28 or i == 3 else 1}"
                 for i in range(600 + self.version % 5)]
        self.lab.write("data/loaded.csv", "id,day,version\n" + "\n".join(lines) + "\n")

    def change(self):
        self.version += 1
        v = self.version
        self.pg.rows(CHANGE.format(v=v, f=kept.FIRST_DAY, a=v * 7 % 60, b=v * 11 % 60, c=v * 13 % 60, d=v % 70))
        self.deliver()

    def check_done(self, when):
        kept.expect_equal(self.pg, QUERIES, when)
        expect(self.pg.value(f"select count(*) from loaded where version = {self.version}") >= "1",
               f"{when}: the delivery did not arrive")
        check_ledger(self.pg)
        kept.check_nothing_left(self.pg, when)


def undisturbed(rounds):
    """The statements of one run."""
    rounds.change()
    with Proxy(rounds.directory, rounds.server, "lost", point=is_statement) as proxy:
        result = rounds.lab.run("--target", "proxy", "run", status=0)
    rounds.check_done("undisturbed")
    found = kept.decisions(rounds.pg)
    wrong = {name: found.get(name) for name, wanted in WANTED.items() if found.get(name) != wanted}
    expect(not wrong, "decisions that were not expected:", wrong, result)
    return proxy.seen


def spread(chance, statements, count):
    """Points from all over the run; all of them, where count says no less."""
    total = len(statements)
    if count >= total:
        return range(1, total + 1)
    return sorted({1 + int((i + chance.random()) * total / count) for i in range(count)})


def struck(rounds, when, wanted, strike):
    """A change, a run that strike() disturbs, and what must hold afterwards."""
    rounds.change()
    old = kept.digests(rounds.pg, TABLES)
    hits, result = strike()
    expect(result.status in wanted, f"{when}: expected status {wanted}", result)
    found = kept.digests(rounds.pg, TABLES)
    rounds.lab.run("run", status=0)
    rounds.check_done(f"{when}, and the next run")
    new = kept.digests(rounds.pg, TABLES)
    for name in TABLES:
        expect(found[name] in (old[name], new[name]), f"{when}: {name} is neither the old table nor the new", result)
    if result.status == 0 and hits:
        expect(found == new, f"{when}: the run said it was done, and the next one changed",
               [name for name in TABLES if found[name] != new[name]], result)
    return hits


def each_point(lab, chance, count, what, strike_with, progress, say):
    rounds = Rounds(lab)
    statements = undisturbed(rounds)
    hits = 0
    points = spread(chance, statements, count)
    for number in points:
        when = f"{what} at statement {number} ({kept.plain(statements[number - 1])})"
        progress(when)
        hits += strike_with(rounds, number, when)
    expect(hits >= len(points) * 0.8, f"only {hits} of {len(points)} points were hit")
    say(f"crash: {what}: {hits} points of {len(statements)} statements")
    rounds.pg.close()


def kill_program(lab, chance, count, progress, say):
    def strike_with(rounds, number, when):
        def strike():
            children, ready = [], threading.Event()

            def kill():
                ready.wait(20)
                children[0].send_signal(signal.SIGKILL)

            with Proxy(rounds.directory, rounds.server, chance.choice(("call", "during")), (number,), kill,
                       is_statement) as proxy:
                children.append(lab.popen("--target", "proxy", "run"))
                ready.set()
                result = lab.finish(children[0])
            return proxy.hits, result

        return struck(rounds, when, (0, -signal.SIGKILL), strike)

    each_point(lab, chance, count, "kill -9 of the program", strike_with, progress, say)


def state_of(pid):
    """The state of a process, a letter, and its parent; None: it is gone."""
    with contextlib.suppress(OSError, ValueError):
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
            state, parent = f.read().rsplit(")", 1)[1].split()[:2]
            return state, int(parent)
    return None


def kill_family(pid):
    """A process and its children, until they are gone."""
    found = [pid] + [int(name) for name in filter(str.isdigit, os.listdir("/proc"))
                     if (state_of(name) or ("", 0))[1] == pid]
    for one in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    wait_for("the processes to be gone", lambda: all((state_of(one) or "Z")[0] == "Z" for one in found), pause=0.002)


def kill_server(lab, chance, count, progress, say):
    def strike_with(rounds, number, when):
        def strike():
            dead = threading.Event()

            def kill():
                kill_family(lab.postmaster())
                dead.set()

            with Proxy(rounds.directory, rounds.server, chance.choice(("call", "during")), (number,), kill,
                       is_statement) as proxy:
                child = lab.popen("--target", "proxy", "run")
                while child.poll() is None and not dead.wait(0.02):
                    pass
                if proxy.hits:
                    dead.wait(20)
                    rounds.pg.close()
                    lab.run("db", "start", status=0)
                    rounds.pg = lab.again()
                result = lab.finish(child)
            return proxy.hits, result

        return struck(rounds, when, (0, 3), strike)

    each_point(lab, chance, count, "kill -9 of the server", strike_with, progress, say)


def cut(lab, chance, count, progress, say):
    def strike_with(rounds, number, when):
        mode = chance.choice(("lost", "unread", "answered"))

        def strike():
            with Proxy(rounds.directory, rounds.server, mode, (number,), point=is_statement) as proxy:
                result = lab.run("--target", "proxy", "run")
            return proxy.hits, result

        return struck(rounds, f"{when}, {mode}", (0, 3), strike)

    each_point(lab, chance, count, "a cut connection", strike_with, progress, say)


def commits(lab, chance, count, modes, progress, say):
    """COMMITs of a run that recomputes parts: answered or not, the run goes on and says what is true."""
    rounds = Rounds(lab)
    rounds.change()
    with Proxy(rounds.directory, rounds.server, "lost") as proxy:
        lab.run("--target", "proxy", "run", status=0)
    total = len(proxy.seen)
    for mode in modes:
        for number in spread(chance, proxy.seen, count):
            when = f"COMMIT {number} of {total} {mode}"
            progress(when)

            def strike(mode=mode, number=number):
                with Proxy(rounds.directory, rounds.server, mode, (number,), point=is_commit) as proxy:
                    result = lab.run("--target", "proxy", "run")
                return proxy.hits, result

            expect(struck(rounds, when, (0,), strike), f"{when}: not hit")
    say(f"crash: COMMIT {', '.join(modes)}: each at {min(count, total)} of {total} COMMITs of a run")
    rounds.pg.close()
