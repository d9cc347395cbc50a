"""Connections that break, around COMMIT above all (law 3: one publish)."""
import os
import signal
import time

from kills import ROWS, check_history, check_ledger, check_no_leftovers, deliver, next_run, versions, write_project
from lab import expect, wait_for
from proxy import Proxy


def times(pg):
    return int(pg.value("select count(distinct created_at) from items_hist"))


def begin(lab):
    write_project(lab)
    deliver(lab, 1)
    lab.run("run", status=0)
    return lab.connect()


def cut(lab, chance, kills, progress):
    """pg_terminate_backend at random moments: the run goes on, and publishes once."""
    pg = begin(lab)
    deliver(lab, 2)
    usual = lab.run("run", status=0).seconds
    done = hits = 0
    for i in range(kills):
        progress(f"cut {i + 1} of {kills}")
        version, before = 3 + i, times(pg)
        deliver(lab, version)
        child = lab.popen("run")
        time.sleep(chance.uniform(0.05, 1) * usual)
        hits += len(pg.rows("select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^sluice/'"))
        result = lab.finish(child)
        expect(result.status in (0, 3), f"cut {i}: expected status 0 or 3", result)
        for relation, found in versions(pg).items():
            expect(found in (version - 1, version), f"cut {i}: {relation} holds {found}")
        expect(times(pg) - before in ((1,) if result.status == 0 else (0, 1)), f"cut {i}: published",
               times(pg) - before, "times", result)
        done += result.status == 0
        next_run(lab, pg, version)
        check_no_leftovers(pg)
    expect(hits >= kills / 2, f"only {hits} of {kills} cuts hit a connection")
    expect(done >= kills / 2, f"only {done} of {kills} runs went on")


def through_proxy(lab):
    """A second target: the same database, through a socket of the test's own."""
    directory = os.path.join(lab.base, "s")
    os.makedirs(directory, exist_ok=True)
    lab.write("sluice.yaml", f"""name: lab
timezone: UTC
target: local
targets:
  local: {{}}
  proxy: {{url: "host={directory} port=5432 user={lab.pg_user} dbname={lab.database} sslmode=disable"}}
""")
    return directory, f"{lab.socket}/.s.PGSQL.{lab.port}"


def commit_lost(lab, mode, at, _progress):
    """at: which of the run's COMMITs are hit; items, items_table, items_hist each have one."""
    pg = begin(lab)
    directory, server = through_proxy(lab)
    deliver(lab, 2)
    before = times(pg)
    with Proxy(directory, server, mode, at) as proxy:
        result = lab.run("--target", "proxy", "run", status=0)
        expect(proxy.hits == len(at), f"{proxy.hits} of {len(at)} COMMITs were hit")
    expect(times(pg) - before == 1, "published", times(pg) - before, "times", result)
    expect(set(versions(pg).values()) == {2}, "the run did not arrive:", versions(pg), result)
    check_history(pg)
    check_ledger(pg)
    check_no_leftovers(pg)
    said = pg.rows("select outcome from sluice.runs order by run_id desc limit 1")
    expect(said == [["ok"]], "the ledger says", said, result)
    steps = pg.rows("select table_name, outcome, reason from sluice.steps where run_id = "
                    "(select max(run_id) from sluice.runs) and outcome not in ('ok', 'unchanged')")
    expect(not steps, "the ledger says of the steps", steps, result)


def killed_at_commit(lab, at, _progress):
    """kill -9 at the moment of a COMMIT that still takes place."""
    pg = begin(lab)
    directory, server = through_proxy(lab)
    before = times(pg)
    for i, number in enumerate(at):
        deliver(lab, 2 + i)
        children = []

        def strike():
            children[0].send_signal(signal.SIGKILL)

        with Proxy(directory, server, "call", (number,), strike) as proxy:
            children.append(lab.popen("--target", "proxy", "run"))
            lab.finish(children[0])
            expect(proxy.hits == 1, "no COMMIT was hit")
        for relation, found in versions(pg).items():
            expect(found in (1 + i, 2 + i), f"{relation} holds {found}")
        next_run(lab, pg, 2 + i)
        check_no_leftovers(pg)
    expect(times(pg) - before in range(len(at), 2 * len(at) + 1), "published", times(pg) - before, "times")


DUE = """-- ---
-- materialized: history
-- schedule: "0 0 1 1 *"
-- ---
select 1 as a, pg_sleep(2)::text as b
"""


def paused(lab, _progress):
    """A run sleeps (SIGSTOP), loses its connection, and another does its tick: it wakes up and does nothing."""
    lab.write("models/due.sql", DUE)
    pg = lab.connect()
    first = lab.popen("run", "--due")
    working = "select pid from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid() " \
              "and state = 'active'"
    wait_for("the model's query", lambda: pg.value(working))
    first.send_signal(signal.SIGSTOP)
    pg.rows(f"select pg_terminate_backend({pg.value(working)})")
    lab.run("run", "--due", status=0)
    expect(pg.value("select count(distinct created_at) from due") == "1", "the second run published nothing")
    first.send_signal(signal.SIGCONT)
    result = lab.finish(first)
    expect(result.status == 0, "the run that woke up:", result)
    expect(pg.value("select count(*) from due") == "1", "the tick was published twice", result)
    expect(pg.value("select count(*) from sluice.steps where outcome = 'ok'") == "1", "the ledger has it twice")
    check_ledger(pg)


def stopped_and_continued(lab, _progress):
    pg = begin(lab)
    deliver(lab, 2)
    before = times(pg)
    child = lab.popen("run")
    for _ in range(3):
        time.sleep(0.04)
        child.send_signal(signal.SIGSTOP)
        time.sleep(1)
        child.send_signal(signal.SIGCONT)
    result = lab.finish(child)
    expect(result.status == 0, "a run that was stopped for a while:", result)
    expect(times(pg) - before == 1, "published", times(pg) - before, "times")
    expect(set(versions(pg).values()) == {2}, "the run did not arrive:", versions(pg))
    check_ledger(pg)


def interrupted(lab, number, name, status, _progress):
    """A signal during a long query, and during a COPY."""
    pg = begin(lab)
    lab.write("models/long.sql", "select id, pg_sleep(0)::text as z from items\n")
    lab.run("run", "long", status=0)
    state = "select md5(string_agg(l::text || xmin::text, '' order by id)) from long l"
    before = pg.value(state)
    lab.write("models/long.sql", "select 1 as id, pg_sleep(60)::text as z\n")
    working = "select count(*) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid() " \
              "and state = 'active'"
    child = lab.popen("run", "long")
    wait_for("the model's query", lambda: pg.value(working) == "1")
    begun = time.monotonic()
    child.send_signal(number)
    result = lab.finish(child)
    expect(result.status == status, f"{name}: expected status {status}", result)
    expect(time.monotonic() - begun < 3, f"{name}: it took", time.monotonic() - begun, "s to stop")
    expect(pg.value(working) == "0", f"{name}: the query goes on in the server")
    expect(pg.value(state) == before, f"{name}: the table was touched")
    outcomes = pg.one("select r.outcome, s.outcome, r.ended_at is not null, s.ended_at is not null from sluice.runs r "
                      "join sluice.steps s using (run_id) order by run_id desc limit 1")
    expect(outcomes == ["cancelled", "cancelled", "t", "t"], f"{name}: the ledger says", outcomes)
    stopped = 0
    for i in range(8):
        deliver(lab, 2 + i)
        child = lab.popen("run", "items")
        time.sleep(0.02 * (i + 1))
        child.send_signal(number)
        result = lab.finish(child)
        # Before its handler stands, a process dies of the signal itself.
        expect(result.status in (0, status, -number), f"{name} during a load: expected status {status}", result)
        stopped += result.status == status
    expect(stopped > 0, f"{name}: no load was hit")
    next_run_items(lab, pg, 9)


def next_run_items(lab, pg, version):
    lab.run("run", "items", "items_table", "items_hist", "items_view", status=0)
    expect(set(versions(pg).values()) == {version}, "after the next run:", versions(pg))
    check_ledger(pg)
    check_no_leftovers(pg, {"long"})
