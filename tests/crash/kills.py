"""kill -9 of the program and of its server, at random moments (laws 1 and 3)."""
import contextlib
import os
import signal
import time

from lab import Delivery, expect, version_of, wait_for

ROWS = 20000
SHARE = 10  # the history keeps every tenth row

SOURCE = """csv: data/items.csv
mode: replace
unique_key: [id]
columns:
  id: integer
  version: integer
  amount: bigint
  note: text
checks:
  - row_count: {min: 1}
  - expression: amount >= 0
"""
ITEMS_TABLE = "select id, version, amount, upper(note) as note from items\n"
ITEMS_HIST = f"""-- ---
-- materialized: history
-- checks:
--   - unique: [id]
-- ---
select id, version, amount from items where id % {SHARE} = 0
"""
ITEMS_VIEW = """-- ---
-- materialized: view
-- ---
select * from items_hist where created_at = (select max(created_at) from items_hist)
"""
RELATIONS = {"items", "items_table", "items_hist", "items_view"}


def write_project(lab):
    lab.write("sources/items.yaml", SOURCE)
    lab.write("models/items_table.sql", ITEMS_TABLE)
    lab.write("models/items_hist.sql", ITEMS_HIST)
    lab.write("models/items_view.sql", ITEMS_VIEW)


def deliver(lab, version):
    lab.write("data/items.csv", Delivery(ROWS, version).csv())


def versions(pg):
    """What each table holds; each is whole, or this raises."""
    return {
        "items": version_of(pg, "items", ROWS),
        "items_table": version_of(pg, "items_table", ROWS),
        "items_view": version_of(pg, "items_view", ROWS, SHARE),
    }


def check_history(pg):
    """Every run in the history is whole, and the ledger says of exactly these runs that they published it."""
    times = pg.rows("select distinct created_at from items_hist order by 1")
    for (created,) in times:
        version_of(pg, "items_hist", ROWS, SHARE, f" where created_at = '{created}'")
    recorded = pg.rows("select r.started_at from sluice.steps s join sluice.runs r using (run_id) "
                       "where s.table_name = 'items_hist' and s.outcome in ('ok', 'unchanged') order by 1")
    expect(times == recorded, "history and ledger differ:", len(times), "runs against", len(recorded), "in the ledger")


def check_no_leftovers(pg, also=(), usual=frozenset(RELATIONS)):
    found = {name for (name,) in pg.rows(
        "select relname from pg_class c join pg_namespace n on n.oid = relnamespace where relkind in ('r', 'v', 'm') "
        "and nspname !~ '^pg_|^information_schema$|^sluice$' or relname ~ 'sluice_stage'")}
    wanted = usual | set(also)
    expect(found == wanted, "relations left over or gone:", found ^ wanted)


def check_ledger(pg):
    running = pg.rows("select 'run ' || run_id from sluice.runs where outcome = 'running' union all "
                      "select 'step ' || step_id from sluice.steps where outcome = 'running'")
    expect(not running, "the ledger says of dead processes that they run:", running)
    odd = pg.rows("select run_id from sluice.runs r where outcome = 'ok' and exists (select from sluice.steps s "
                  "where s.run_id = r.run_id and s.outcome not in ('ok', 'unchanged', 'skipped'))")
    expect(not odd, "runs that are ok with steps that are not:", odd)
    torn = pg.rows("select r.table_name from sluice.relations r left join sluice.steps s on s.run_id = published_run "
                   "and s.table_name = r.table_name and s.outcome in ('ok', 'unchanged') where s.step_id is null")
    expect(not torn, "published by runs of which the ledger knows nothing:", torn)


def next_run(lab, pg, version):
    lab.run("run", status=0)
    found = versions(pg)
    expect(set(found.values()) == {version}, f"after the next run: {found}, expected {version} everywhere")
    check_history(pg)
    check_ledger(pg)


def kill_at(child, moment):
    left = moment - (time.monotonic() - child.begun)
    if left > 0:
        time.sleep(left)
    child.send_signal(signal.SIGKILL)


def kill_runs(lab, chance, kills, progress):
    write_project(lab)
    deliver(lab, 1)
    lab.run("run", status=0)
    deliver(lab, 2)
    usual = lab.run("run", status=0).seconds
    pg = lab.connect()
    inside = 0
    for i in range(kills):
        version = 3 + i
        progress(f"kill {i + 1} of {kills} of run")
        deliver(lab, version)
        child = lab.popen("run")
        kill_at(child, chance.uniform(0, usual * 1.05))
        inside += lab.finish(child).status == -signal.SIGKILL
        for relation, found in versions(pg).items():
            expect(found in (version - 1, version), f"kill {i}: {relation} holds {found}")
        begun = time.monotonic()
        next_run(lab, pg, version)
        expect(time.monotonic() - begun < usual * 4 + 5, f"kill {i}: the next run took long")
        check_no_leftovers(pg)
    expect(inside >= kills / 2, f"only {inside} of {kills} kills hit")
    lost = int(pg.value("select count(*) from sluice.runs where outcome = 'lost'"))
    expect(lost >= inside / 2, f"{inside} runs were killed, the ledger knows of {lost}")


def kill_loads(lab, chance, kills, progress):
    """Of a new table, of one with a primary key (replace, upsert) and of one without, in turn."""
    path = os.path.join(lab.dir, "data", "other.csv")
    lab.write("sources/keyed.yaml", SOURCE.replace("data/items.csv", "data/keyed.csv").replace("replace", "upsert"))
    lab.write("data/keyed.csv", Delivery(ROWS, 1).csv())
    lab.write("data/other.csv", Delivery(ROWS, 1).csv())
    usual = lab.run("load", path, "plain", status=0).seconds
    lab.run("run", "keyed", status=0)
    pg = lab.connect()
    made = {"plain", "keyed"}
    for i in range(kills):
        # Upserts keep what a delivery leaves out: these all have the same rows.
        table, version = ("plain", f"new_{i}", "keyed")[i % 3], 7 * (i + 1) + 1
        progress(f"kill {i + 1} of {kills} of load")
        lab.write("data/other.csv", Delivery(ROWS, version).csv())
        old = version_of(pg, table, ROWS)
        child = lab.popen("load", path, table)
        kill_at(child, chance.uniform(0, usual * 1.05))
        lab.finish(child)
        found = version_of(pg, table, ROWS)
        expect(found in (old, version), f"kill {i}: {table} holds {found}, expected {old} or {version}")
        lab.run("load", path, table, status=0)
        expect(version_of(pg, table, ROWS) == version, f"kill {i}: the next load of {table} did not arrive")
        made.add(table)
        check_no_leftovers(pg, made, frozenset())
        check_ledger(pg)
        if table.startswith("new_"):
            lab.run("drop", table, status=0)
            made.discard(table)


def kill_first_run(lab, chance, kills, progress):
    """The ledger's installation and every table's first publish."""
    write_project(lab)
    deliver(lab, 1)
    pg = lab.connect()
    lab.run("run", status=0)
    everything = ("drop schema sluice cascade; drop view items_view; drop table items, items_table, items_hist")
    pg.rows(everything)
    usual = lab.run("run", status=0).seconds
    for i in range(kills):
        progress(f"kill {i + 1} of {kills} of the first run")
        with contextlib.suppress(Exception):
            pg.rows(everything)
        child = lab.popen("run")
        kill_at(child, chance.uniform(0, usual * 1.05))
        lab.finish(child)
        for relation, found in versions(pg).items():
            expect(found in (None, 1), f"kill {i}: {relation} holds {found}")
        next_run(lab, pg, 1)
        check_no_leftovers(pg)


def kill_server(lab, chance, kills, progress):
    write_project(lab)
    deliver(lab, 1)
    lab.run("run", status=0)
    deliver(lab, 2)
    usual = lab.run("run", status=0).seconds
    lab.connect().close()
    for i in range(kills):
        progress(f"kill {i + 1} of {kills} of the server")
        version = 3 + i
        deliver(lab, version)
        child = lab.popen("run")
        time.sleep(chance.uniform(0.1, 0.9) * usual)
        os.kill(lab.postmaster(), signal.SIGKILL)
        result = lab.finish(child)
        expect(result.status in (0, 3), f"kill {i}: expected status 0 or 3", result)
        lab.run("db", "start", status=0)
        pg = lab.again()
        for relation, found in versions(pg).items():
            expect(found in (version - 1, version), f"kill {i}: {relation} holds {found}, run said {result}")
        if result.status == 0:
            expect(set(versions(pg).values()) == {version}, f"kill {i}: run said it was done", versions(pg))
        next_run(lab, pg, version)
        check_no_leftovers(pg)
        pg.close()


def kill_waiting(lab, _chance, _kills, _progress):
    """The backend of a killed run goes on computing: the next run ends it and takes over at once."""
    lab.write("models/slow.sql", "select 1 as a, pg_sleep(60)::text as b\n")
    pg = lab.connect()
    child = lab.popen("run", "slow")
    query = "select count(*) from pg_stat_activity where query ~ 'pg_sleep' and pid <> pg_backend_pid() " \
            "and state = 'active'"
    wait_for("the model's query", lambda: pg.value(query) == "1")
    child.send_signal(signal.SIGKILL)
    lab.finish(child)
    lab.write("models/slow.sql", "select 2 as a, ''::text as b\n")
    result = lab.run("run", "slow", status=0)
    expect(result.seconds < 10, "the next run took", result)
    expect(pg.value("select a from slow") == "2", "the next run did not publish")
    expect(pg.value(query) == "0", "the query of the killed run goes on")
    check_ledger(pg)
