"""kill -9 of a backfill: the same call goes on with the chunks that are missing, and with no others."""
import os
import re
import signal
import time

from kills import check_ledger
from lab import expect, wait_for

DAYS = 40
THREADS = 2
RANGE = ("--from", "2026-01-01", "--to", "2026-02-10", "--chunk", "1 day")

SOURCE = """csv: data/loans.csv
columns: {day: date, n: integer}
unique_key: [day]
time_column: day
"""
# Each chunk takes a while, so that a kill finds some at work.
MODEL = """-- ---
-- materialized: incremental
-- unique_key: [day]
-- checks:
--   - expression: slowly(total) >= 0
-- ---
select day, n, sum(n) over (order by day range between interval '7 days' preceding and current row) as total from loans
"""
READER = "select count(*) as days, sum(total) as total from daily\n"
SLOWLY = ("create function slowly(n bigint) returns bigint language plpgsql as "
          "$$ begin perform pg_sleep(0.05); return n; end $$")


def write_project(lab):
    lab.write("sources/loans.yaml", SOURCE)
    lab.write("models/daily.sql", MODEL)
    lab.write("models/all_days.sql", READER)
    days = [f"2026-{1 + i // 31:02}-{1 + i % 31:02},{i}" for i in range(DAYS)]
    lab.write("data/loans.csv", "day,n\n" + "\n".join(days) + "\n")


def damage(pg):
    pg.rows("update daily set total = -1 where day >= '2026-01-01'")
    pg.rows("delete from daily where extract(day from day) in (5, 17)")


def done(pg):
    return {row[0]: row[1] for row in pg.rows(
        "select c.from_value, s.run_id from sluice.backfill_chunks c join sluice.steps s using (step_id) where backfill_id "
        "= (select max(backfill_id) from sluice.backfills) and done_at is not null")}


def check_chunks(pg, backfills):
    """Each chunk was published once, by the step that says so."""
    odd = pg.rows("select logical_run, count(*) from sluice.steps where outcome in ('ok', 'unchanged') and logical_run "
                  "~ '^backfill' group by 1 having count(*) > 1")
    expect(not odd, "chunks that were published twice:", odd)
    recorded = pg.value("select count(*) from sluice.backfill_chunks c join sluice.steps s using (step_id) "
                        "where s.outcome in ('ok', 'unchanged')")
    expect(int(recorded) == backfills * DAYS, "chunks done in the ledger:", recorded)


def resume(lab, pg, killed):
    """The same call, to its end: what was done before it, and the chunks that it ran. (A backend may come to the end of
    its COMMIT after the program was killed.)"""
    seen = done(pg)
    result = lab.run("backfill", "daily", *RANGE, "--threads", str(THREADS), status=0)
    ran = re.findall(r"daily \[(\S+), \S+\): .*\(chunk", result.err)
    after = done(pg)
    newest = pg.value("select max(run_id) from sluice.runs")
    before = {chunk: run for chunk, run in after.items() if run != newest}
    expect(len(after) == DAYS, "chunks that are done at the end:", len(after), result)
    if len(seen) < DAYS:  # else it was killed when all was done
        expect(sorted(ran) == sorted(set(after) - set(before)), "ran", ran, "though done were", sorted(before), result)
        expect(seen.items() <= before.items() and len(before) <= len(seen) + THREADS, "done were", seen, "then", before)
        if before:
            expect(f"{len(before)} of {DAYS} chunks were done by run" in result.err, "does not tell:", result)
    expect("what depends on daily follows on the next run: all_days" in result.err, "does not tell:", result)
    expect(lab.run("verify", "daily").status == 0, "not equal after", killed)
    return before, ran


def kill_backfills(lab, chance, kills, progress, say):
    write_project(lab)
    pg = lab.connect()
    pg.rows(SLOWLY)
    lab.run("run", status=0)
    for i in range(kills):
        progress(f"kill {i + 1} of {kills} of backfill")
        damage(pg)
        child = lab.popen("backfill", "daily", *RANGE, "--threads", str(THREADS))
        wait_for("the backfill", lambda: child.poll() is not None or pg.value(
            f"select count(*) from sluice.backfills where backfill_id = {i + 1}") == "1")
        time.sleep(chance.uniform(0, 1.2))
        child.send_signal(signal.SIGKILL)
        lab.finish(child)
        before, ran = resume(lab, pg, f"kill {i + 1}")
        say(f"crash: backfill: killed with {len(before)} of {DAYS} chunks done; resumed: "
            f"{len(ran)} ran ({ran[0]} to {ran[-1]}), equal after")
    lab.run("run", status=0)
    expect(lab.run("verify").status == 0, "not equal after the next run")
    check_chunks(pg, kills)
    check_ledger(pg)


def runs_meanwhile(lab, chance, rounds, progress):
    """Runs and a backfill of one table, its inputs changed all the time: each waits for the other."""
    write_project(lab)
    pg = lab.connect()
    pg.rows(SLOWLY)
    lab.run("run", status=0)
    for i in range(rounds):
        progress(f"runs during backfill {i + 1} of {rounds}")
        damage(pg)
        child = lab.popen("backfill", "daily", *RANGE, "--threads", "3", "--wait")
        runs = 0
        while child.poll() is None:
            day = chance.randrange(DAYS)
            path = "data/loans.csv"
            with open(f"{lab.dir}/{path}", encoding="ascii") as f:
                lines = f.read().splitlines()
            lines[1 + day] = re.sub(r",.*", f",{chance.randrange(1000)}", lines[1 + day])
            lab.write(path, "\n".join(lines) + "\n")
            lab.run("run", "--wait", status=0)
            runs += 1
        result = lab.finish(child)
        expect(result.status == 0, "the backfill failed beside runs:", result)
        expect(runs > 1, "no run took place meanwhile")
        lab.run("run", status=0)
        expect(lab.run("verify").status == 0, "not equal after runs beside a backfill")
    check_ledger(pg)


def kill_server(lab, chance, kills, progress, say):
    """The program starts the server again, and goes on."""
    write_project(lab)
    pg = lab.connect()
    pg.rows(SLOWLY)
    lab.run("run", status=0)
    for i in range(kills):
        progress(f"kill {i + 1} of {kills} of the server under a backfill")
        damage(pg)
        child = lab.popen("backfill", "daily", *RANGE, "--threads", str(THREADS))
        wait_for("the backfill", lambda: child.poll() is not None or pg.value(
            "select count(*) from sluice.backfills where ended_at is null") == "1")
        time.sleep(chance.uniform(0, 0.6))
        os.kill(lab.postmaster(), signal.SIGKILL)
        result = lab.finish(child)
        pg = lab.connect()
        finished = len(done(pg)) == DAYS
        expect(result.status == 0 or not finished, "all chunks are done, and yet", result)
        if result.status != 0:
            resume(lab, pg, f"kill {i + 1} of the server")
        say(f"crash: backfill: server killed, program ended with {result.status}"
            f"{'' if result.status == 0 else ', resumed'}; equal after")
        expect(lab.run("verify", "daily").status == 0, "not equal after", result)
    lab.run("run", status=0)
    check_chunks(pg, kills)
    check_ledger(pg)
