"""Small projects, each of which was wrong once, or shows what a law was won by; played like the random ones.

Tables are (name, columns, rows as SQL, time column or None); all are written by others and tracked by triggers. Models
are in order, m1 and so on: SQL, or (how it is materialized, SQL). A round is a list of statements, each by writer 0, or
(writer, statement).
"""
from expressions import Query
from project import INCREMENTAL, VIEW, Model, Project

DAYS = "day date, id integer, k integer, v integer"
MARCH = "select date '2024-01-01' + i, i, i % 3, i * i % 17 from generate_series(0, 99) as i"

CASES = [
    {"name": "a month's group under a month's window", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["select m, sum(v) over (order by m range between '1 month' preceding and current row) as s from "
                "(select date_trunc('month', day)::date as m, sum(v) as v from d group by 1) as q"],
     "rounds": [["update d set v = 100 where day = '2024-01-31'"], ["delete from d where day >= '2024-02-01' and k = 1"],
                ["update d set day = '2024-02-29' where id = 3"]]},
    {"name": "GROUP BY means the input's column", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["select date_trunc('month', day)::date as day, count(*) as n, max(v) as v from d group by day"],
     "rounds": [["update d set v = 100 where day = '2024-02-10'"], ["delete from d where day = '2024-02-28'"]]},
    {"name": "a writer that began first commits last", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["select day, sum(v) over (order by day range '7 days' preceding) as s, id from d"],
     "rounds": [[(1, "begin"), (1, "update d set v = 50 where id = 10"), "update d set v = 60 where id = 70"],
                [(1, "commit"), (2, "begin"), (2, "delete from d where id = 20")], [(2, "commit")], []]},
    {"name": "the side of a join that may be missing", "tables": [("d", DAYS, MARCH, "day"), ("e", DAYS, MARCH, "day")],
     "models": ["select e.day, d.id from d left join e on e.day = d.day and e.k = 1",
                "select coalesce(d.day, e.day) as day, d.id, e.id as other from d full join e on e.day = d.day and d.id = e.id"],
     "rounds": [["delete from e where id between 4 and 7"], ["insert into e values ('2024-01-06', 5, 1, 5)"],
                ["delete from d where id = 40", "update e set day = day + 1 where id = 40"]]},
    {"name": "infinite times and rows without a time", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["select day, count(*) over (order by day range '3 days' preceding) as n from d",
                "select day, count(*) as n from d group by day", "select day, id, v from d where k = 1"],
     "rounds": [["insert into d values (null, 200, 1, 1), ('infinity', 201, 1, 1), ('-infinity', 202, 1, 2)"],
                ["update d set v = 9 where id >= 200"], ["update d set day = '2024-01-05' where day is null"],
                ["delete from d where not isfinite(day)"]]},
    {"name": "a CTE that bears a table's name", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["with d as (select day, v from d where k <> 2) select day, sum(v) as v from d group by day"],
     "rounds": [["update d set v = 77 where id = 33"], ["update d set k = 2 where id = 33"]]},
    {"name": "clocks that change", "zone": "Europe/Berlin",
     "tables": [("z", "ts timestamptz, id integer, v integer",
                 "select timestamptz '2024-03-29 22:30+00' + i * interval '47 minutes', i, i % 7 from generate_series(0, 99) as i",
                 "ts")],
     "models": ["select date_trunc('day', ts) as t, count(*) as n, sum(v) as v from z group by 1",
                "select ts, sum(v) over (order by ts range '1 day' preceding) as v from z",
                "select ts::date as day, max(v) as v from z group by 1"],
     "rounds": [["update z set v = 50 where id between 30 and 31"], ["update z set ts = ts + interval '1 hour' where id = 32"],
                ["delete from z where id % 5 = 0"]]},
    {"name": "a CTE used twice, each time with another reach", "tables": [("d", DAYS, MARCH, "day")],
     "models": ["with c as (select day as t from d) select a.t, count(*) as n from c a join c b on b.t > a.t group by a.t",
                "with c as (select day, count(*) as n from d group by day) select a.day, (select sum(b.n) from c b where "
                "b.day between a.day - interval '1 month' and a.day) as n from c a"],
     "rounds": [["update d set v = 100 where id = 50"], ["insert into d values ('2024-03-01', 500, 1, 1)"]]},
    {"name": "a CTE that bears the name of a table under a view",
     "tables": [("d", DAYS, MARCH, "day"), ("u", "w integer", "select 10", None)],
     "models": [(VIEW, "select d.day, d.v, u.w from d cross join u"),
                "with u as (select 99 as w) select m1.day, m1.v, m1.w, (select w from u) as other from m1"],
     "rounds": [["update d set v = 100 where id = 50"], ["update u set w = 11"], ["delete from d where id = 51"]]},
    {"name": "another table under a view", "tables": [("d", DAYS, MARCH, "day")],
     "models": [(VIEW, "select day, v from d"), "select day, sum(v) as v from m1 group by day"],
     "rounds": [["alter table d rename to d_old; create table d as select * from d_old", "update d set v = v + 1"],
                ["update d set v = 100 where id = 50"], ["update d_old set v = 0"]]},
    {"name": "functions that become others", "tables": [("d", DAYS, MARCH, "day")],
     "setup": ["create function more(x int, y int default 1) returns int immutable language sql as 'select x + y'",
               "create function whole(x int) returns int immutable begin atomic select x + 1; end",
               "create function inner_one(x int) returns int immutable language sql as 'select x + 1'",
               "create function outer_one(x int) returns int immutable language plpgsql as 'begin return inner_one(x); end'"],
     "models": ["select day, id, more(v) as v from d", "select day, id, whole(v) as v from d",
                "select day, id, outer_one(v) as v from d"],
     "rounds": [["create or replace function more(x int, y int default 2) returns int immutable language sql as 'select x + y'",
                 "create or replace function whole(x int) returns int immutable begin atomic select x + 2; end"],
                ["create or replace function inner_one(x int) returns int immutable language sql as 'select x + 2'"], []]},
    {"name": "columns that are functions",
     "tables": [("d", DAYS, MARCH, "day"), ("e", "id integer, name text", "select i, 'e' || i from generate_series(0, 99) i", None)],
     "setup": ["create function label(d) returns text stable language sql as 'select name from e where e.id = $1.id'",
               "create type pair as (a text, b integer)",
               "create function two(int) returns pair stable language sql as 'select name, id from e where e.id = $1'"],
     "models": ["select day, d.label as a from d", "select day, (d).label as a from d", "select day, (two(id)).* from d",
                "select day, (two(id)).a from d"],
     "rounds": [["update e set name = 'f' where id = 7"], ["update d set v = 5 where id = 8", "delete from e where id = 9"]]},
    {"name": "a cast that reads a table",
     "tables": [("d", DAYS, MARCH, "day"), ("e", "id integer, x date", "select i, date '2024-01-01' + i from generate_series(0, 99) i", None)],
     "setup": ["create function dated(int) returns date stable language sql as 'select x from e where e.id = $1'",
               "create cast (int as date) with function dated(int)"],
     "models": ["select day, id::date as x from d"], "rounds": [["update e set x = x + 1"], []]},
    {"name": "a column that sorts otherwise",
     "tables": [("d", "day date, id integer, x text collate \"C\"",
                 "select date '2024-01-01' + i / 5, i, case when i % 2 = 0 then 'a' else 'B' end from generate_series(0, 99) i", "day")],
     "models": ["select day, max(x) = 'a' as a from d group by day"],
     "rounds": [["alter table d alter x type text collate \"en-x-icu\""], ["update d set x = 'b' where id = 9"]]},
    {"name": "the last integers",
     "tables": [("b", "n bigint, v integer", "select 9223372036854775807 - i, i from generate_series(0, 20) i union all "
                 "select -9223372036854775808 + i, i from generate_series(0, 20) i", "n")],
     "models": ["select n, sum(v) over (order by n range between 5 preceding and 5 following) as s from b"],
     "rounds": [["update b set v = 100 where n in (9223372036854775807, -9223372036854775808)"],
                ["delete from b where n in (9223372036854775807, -9223372036854775808)"]]},
    {"name": "a zone further away than any",
     "tables": [("z", "ts timestamptz, id integer, v integer",
                 "select timestamptz '2024-03-29 22:30+00' + i * interval '7 hours', i, i % 7 from generate_series(0, 99) as i",
                 "ts")],
     "models": ["select ts at time zone 'Etc/GMT+100' as t, v from z", "select ts at time zone 'Etc/GMT+12' as t, v from z"],
     "rounds": [["update z set v = 50 where id = 30"], ["delete from z where id = 31"]]},
]


class Case(Project):
    def __init__(self, lab, case):
        self.begin(lab, case["name"], None)
        self.case, self.zone = case, case.get("zone", "UTC")
        for number, model in enumerate(case["models"], 1):
            how, sql = (INCREMENTAL, model) if isinstance(model, str) else model
            reads = {t[0] for t in case["tables"]} | {m.name for m in self.models}
            query = Query(sql, {}, None, None, f"case: {case['name']}")
            self.models.append(Model(f"m{number}", query, reads, how, case.get("front", [])))
        self.rounds = [{"before": [("sql", *(s if isinstance(s, tuple) else (0, s))) for s in statements], "during": []}
                       for statements in case["rounds"]]

    def set_up(self):
        self.clean()
        for name, columns, rows, time in self.case["tables"]:
            self.pg.rows(f"create table {name} ({columns}); insert into {name} {rows}")
            self.lab.write(f"sources/{name}.yaml", "changes: trigger\n" + (f"time_column: {time}\n" if time else ""))
        for statement in self.case.get("setup", []):
            self.pg.rows(statement)
        for model in self.models:
            self.lab.write(f"models/{model.name}.sql", model.file())
