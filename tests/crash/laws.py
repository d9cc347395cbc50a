"""What readers and dependents see of runs: laws 1, 5 and 6."""
import time

from kills import ROWS, SOURCE, deliver, write_project
from lab import Delivery, PgError, Watcher, expect, version_of

# A delivery whose version is a multiple of 3 fails its check.
CHECKED = """-- ---
-- checks:
--   - expression: version % 3 <> 0
-- ---
select id, version, amount from items
"""


class Reader(Watcher):
    """Asks again and again; keeps the versions seen and the longest wait."""

    def __init__(self, lab, relation):
        super().__init__(lab.again("reader"), 0.01)
        self.relation = relation
        self.versions, self.longest, self.reads = [], 0.0, 0

    def step(self):
        begun = time.monotonic()
        version = version_of(self.pg, self.relation, ROWS)
        self.longest = max(self.longest, time.monotonic() - begun)
        self.reads += 1
        expect(version is not None, f"{self.relation} was empty or gone")
        expect(not self.versions or version >= self.versions[-1], "went back to version", version)
        if not self.versions or version != self.versions[-1]:
            self.versions.append(version)


def readers(lab, progress):
    lab.write("sources/items.yaml", SOURCE)
    lab.write("models/checked.sql", CHECKED)
    lab.write("models/keyed.sql", CHECKED.replace("-- checks", "-- unique_key: [id]\n-- checks"))
    deliver(lab, 1)
    lab.run("run", status=0)
    pg = lab.connect()
    old = lab.again("old snapshot")
    old.rows("begin isolation level repeatable read")
    version_of(old, "checked", ROWS)
    watchers = [Reader(lab, "checked"), Reader(lab, "keyed")]
    for watcher in watchers:
        watcher.start()
    try:
        for version in range(2, 12):
            progress(f"readers, version {version} of 11")
            deliver(lab, version)
            result = lab.run("run", status=1 if version % 3 == 0 else 0)
            expect(version % 3 or "checked.sql:3" in result.err, "the error does not name the check:", result)
            wanted = version if version % 3 else version - 1
            expect(version_of(pg, "checked", ROWS) == wanted, f"version {version}: published",
                   version_of(pg, "checked", ROWS))
        expect(version_of(old, "checked", ROWS) == 1, "an old snapshot lost its rows")
    finally:
        for watcher in watchers:
            watcher.end()
    for watcher in watchers:
        expect(not [v for v in watcher.versions if v % 3 == 0], "an unchecked version was seen:", watcher.versions)
        expect(len(watcher.versions) >= 5, "readers saw too little:", watcher.versions)
        expect(watcher.longest < 3, f"a reader waited {watcher.longest:.1f} s")
    kept = pg.one("select count(*), count(distinct run_id) from sluice.failed_rows where table_name = 'checked'")
    expect(kept == ["300", "3"], "failing rows kept, and of how many runs:", kept)


IDENTITY = """
select 'oid', c.oid::text from pg_class c where c.oid = '{0}'::regclass
union all select 'kind', format('%s %s %s %s %s', relkind, relpersistence, relrowsecurity, relreplident, reloptions)
  from pg_class where oid = '{0}'::regclass
union all select 'grants', relacl::text from pg_class where oid = '{0}'::regclass
union all select 'column grants', format('%s %s %s', attname, attacl, attstattarget)
  from pg_attribute where attrelid = '{0}'::regclass and attnum > 0
union all select 'comment', format('%s %s', objsubid, description) from pg_description where objoid = '{0}'::regclass
union all select 'index', format('%s %s %s', i.indexrelid, pg_get_indexdef(i.indexrelid), indisvalid)
  from pg_index i where indrelid = '{0}'::regclass
union all select 'trigger', format('%s %s %s', oid, tgenabled, pg_get_triggerdef(oid)) from pg_trigger
  where tgrelid = '{0}'::regclass and not tgisinternal
union all select 'constraint', format('%s %s %s', oid, conname, convalidated) from pg_constraint
  where conrelid = '{0}'::regclass or confrelid = '{0}'::regclass
union all select 'policy', format('%s %s', polname, pg_get_expr(polqual, polrelid)) from pg_policy where polrelid = '{0}'::regclass
union all select 'statistics', format('%s %s', oid, stxname) from pg_statistic_ext where stxrelid = '{0}'::regclass
union all select 'publication', prpubid::text from pg_publication_rel where prrelid = '{0}'::regclass
order by 1, 2"""

DEPENDENTS = """
create index {0}_version on {0} (version, id) include (amount);
create index {0}_partial on {0} (amount) where amount > 100;
comment on table {0} is 'what it holds';
comment on column {0}.amount is 'cents';
grant select on {0} to reader;
grant update (amount) on {0} to reader;
create table {0}_audit (rows bigint);
create function {0}_count() returns trigger language plpgsql as $$
begin
  insert into public.{0}_audit select count(*) from changed;
  return null;
end $$;
create trigger audit_{0} after update on {0} referencing new table as changed
  for each statement execute function {0}_count();
create view {0}_dependent as select id, amount from {0} where amount > 10;
create materialized view {0}_frozen as select count(*) as n from {0};
alter table {0} add constraint {0}_positive check (amount >= 0);
alter table {0} set (fillfactor = 90);
alter table {0} alter column note set statistics 50;
create statistics {0}_stats on id, amount from {0};
create publication {0}_changes for table {0};
"""
REFERRING = """
create table {0}_refs (id integer references {0} (id));
insert into {0}_refs select id from {0} order by id limit 1000;
"""


def identity(lab, progress):
    lab.write("sources/upserted.yaml", SOURCE.replace("mode: replace", "mode: upsert"))
    lab.write("sources/items.yaml", SOURCE)
    lab.write("models/keyed.sql", "-- ---\n-- unique_key: [id]\n-- ---\nselect * from items\n")
    lab.write("models/plain.sql", "select * from items\n")
    deliver(lab, 1)
    lab.run("run", status=0)
    pg = lab.connect()
    tables = ("items", "upserted", "keyed", "plain")
    pg.rows("create role reader")
    for table in tables:
        pg.rows(DEPENDENTS.format(table) + ("" if table == "plain" else REFERRING.format(table)))
    pg.rows("alter table plain replica identity full")  # or it could not both be published and lose rows
    before = {table: pg.rows(IDENTITY.format(table)) for table in tables}
    for version in range(2, 7):
        progress(f"identity, version {version} of 6")
        deliver(lab, version)
        lab.run("run", status=0)
        for table in tables:
            after = pg.rows(IDENTITY.format(table))
            expect(after == before[table], f"{table}: version {version} changed",
                   [x for x in before[table] + after if x not in before[table] or x not in after])
    for table in tables:
        if table != "upserted":
            expect(version_of(pg, table, ROWS) == 6, f"{table}: not brought up to date")
        else:
            expect(pg.value("select count(*) from upserted where version = 6") == str(ROWS + 6), "not upserted")
        expect(table == "plain" or pg.value(f"select count(*) from {table}_audit where rows > 0") == "5",
               f"{table}: the trigger saw not every update")
        expect(table == "plain" or pg.value(f"select count(*) from {table}_refs") == "1000", f"{table}: lost references")
        expect(pg.value(f"select count(*) from {table}_dependent") > "0", f"{table}: dependent view")


def identity_refused(lab, _progress):
    """A row that others refer to would go: refused, with the name of who refers, and nothing is changed."""
    lab.write("sources/items.yaml", SOURCE)
    lab.write("data/items.csv", Delivery(10, 1).csv())
    lab.run("run", status=0)
    pg = lab.connect()
    pg.rows("create table orders (item integer references items (id)); insert into orders values (7)")
    state = "select string_agg(i::text, ' ' order by id) from items i"
    before = pg.value(state)
    lab.write("data/items.csv", "id,version,amount,note\n1,2,3,x\n")
    result = lab.run("run", "items", "--accept", "items", status=1)
    expect("orders" in result.err, "the error does not name who refers to the row:", result)
    expect(pg.value(state) == before, "the table was changed")


CASCADE = """
alter table plain add primary key (id);
create table children (id integer references plain (id) on delete cascade);
insert into children select id from plain;
"""


def no_cascade(lab, _progress):
    """A changed row of a table without a declared key must not take with it what refers to it."""
    lab.write("sources/items.yaml", SOURCE)
    lab.write("models/plain.sql", "select * from items\n")
    lab.write("data/items.csv", Delivery(10, 1).csv())
    lab.run("run", status=0)
    pg = lab.connect()
    pg.rows(CASCADE)
    children = pg.value("select count(*) from children")
    lab.write("data/items.csv", Delivery(10, 8).csv())
    result = lab.run("run")
    expect(result.status == 0, "a table that others refer to was not brought up to date:", result)
    expect(pg.value("select count(*) from children") == children, "rows of another table were deleted:",
           children, "before,", pg.value("select count(*) from children"), "after", result)


ROWS_STATE = "select md5(string_agg(ctid::text || xmin::text || xmax::text, ' ' order by ctid)) from {}"
WRITES = "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables where schemaname = 'public' " \
         "and relname <> 'items_hist' order by 1"


def nothing_written(lab, _progress):
    write_project(lab)
    lab.write("sources/upserted.yaml", SOURCE.replace("mode: replace", "mode: upsert"))
    lab.write("sources/appended.yaml", SOURCE.replace("replace", "append").replace("unique_key: [id]\n", ""))
    lab.write("sources/plain.yaml", SOURCE.replace("unique_key: [id]\n", ""))
    lab.write("models/keyed.sql", "-- ---\n-- unique_key: [id]\n-- ---\nselect * from items\n")
    deliver(lab, 1)
    lab.run("run", status=0)
    pg = lab.connect()
    tables = ("items", "items_table", "upserted", "appended", "plain", "keyed")
    files = "select relname, relfilenode from pg_class where relnamespace = 'public'::regnamespace order by 1"
    time.sleep(1.2)  # the server gathers its statistics once a second
    before = {t: pg.value(ROWS_STATE.format(t)) for t in tables}, pg.rows(WRITES), pg.rows(files)
    result = lab.run("run", status=0)
    time.sleep(1.2)
    after = {t: pg.value(ROWS_STATE.format(t)) for t in tables}, pg.rows(WRITES), pg.rows(files)
    for what, old, new in zip(("rows", "statistics", "files"), before, after):
        expect(old == new, f"a second run wrote something ({what}):", old, new, result)
    said = dict(pg.rows("select table_name, outcome from sluice.steps where run_id = (select max(run_id) "
                        "from sluice.runs)"))
    expect(said.pop("items_hist") == "ok" and set(said.values()) == {"unchanged"}, "the ledger says", said)


def views_over_others(lab, _progress):
    """A view's definition changes where the role may only read the tables beneath."""
    pg = lab.connect()
    pg.rows("create role other superuser login; create role plain login; create table theirs (a integer); "
            "insert into theirs values (1); grant select on theirs to plain; create schema sluice authorization plain; "
            "create schema mine authorization plain")
    lab.write("sluice.yaml", f"""name: lab
target: plain
targets:
  local: {{}}
  plain: {{url: "host={lab.socket} port={lab.port} user=plain dbname={lab.database}", schema: mine}}
""")
    lab.write("models/shown.sql", "-- ---\n-- materialized: view\n-- ---\nselect a from public.theirs\n")
    lab.run("run", status=0)
    lab.write("models/shown.sql", "-- ---\n-- materialized: view\n-- ---\nselect a, 2 as b from public.theirs\n")
    lab.run("run", status=0)
    lab.write("models/shown.sql", "-- ---\n-- materialized: view\n-- ---\nselect 3 as b from public.theirs\n")
    lab.run("run", status=0)
    expect(pg.rows("select * from mine.shown") == [["3"]], "the view was not replaced")


def view_readers(lab, _progress):
    """A reader with a long query holds the view: the run gives way to readers that come later."""
    lab.write("sources/items.yaml", SOURCE)
    lab.write("models/shown.sql", "-- ---\n-- materialized: view\n-- ---\nselect id from items\n")
    lab.write("data/items.csv", Delivery(10, 1).csv())
    lab.run("run", status=0)
    holder, reader = lab.connect(), lab.again()
    holder.rows("begin; select count(*) from shown")
    lab.write("models/shown.sql", "-- ---\n-- materialized: view\n-- ---\nselect id, version from items\n")
    child = lab.popen("run", "shown")
    longest, end = 0.0, time.monotonic() + 1.5
    while time.monotonic() < end:
        begun = time.monotonic()
        reader.rows("select count(*) from shown")
        longest = max(longest, time.monotonic() - begun)
    holder.rows("rollback")
    result = lab.finish(child)
    expect(result.status == 0, "the run behind a reader:", result)
    expect(longest < 0.6, f"a reader waited {longest:.2f} s behind the run")
    try:
        reader.rows("select version from shown")
    except PgError as e:
        raise AssertionError(f"the view was not replaced: {e}") from e
