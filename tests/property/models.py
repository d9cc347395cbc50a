"""Random models: shapes over tables, over each other and over models before them, and what lies just outside."""
from expressions import Output, Query, Relation
from shapes import Shapes

DATED = ("date", "timestamp", "timestamptz")
INTEGERS = ("integer", "bigint")


def comparable(a, b):
    return a == b or a in DATED and b in DATED or a in INTEGERS and b in INTEGERS


class Generator(Shapes):
    def __init__(self, chance, calendar, tables):
        super().__init__(chance, calendar)
        self.tables, self.models = tables, []  # models: (name, Query) of those that others may read
        self.hidden = set()  # ephemeral models: no schema holds them
        self.used = set()  # tables and models that the query in the making reads

    # --- what stands in FROM ---

    def table(self, table, alias=True):
        columns = {"id": "int"} | ({table.time: "time"} if table.time else {})
        columns |= {"k": "int", "v": "int", "n": "num", "f": "float", "s": "text"}
        self.used.add(table.name)
        rel = self.named(table.name, columns, table.time, table.time_type, ("id",), table.how == "upsert", alias)
        rel.solid = table.time is not None and self.calendar.odd == 0
        return rel

    def named(self, name, columns, time, time_type, unique, key, alias=True):
        full = f"public.{name}" if name not in self.hidden and self.often(0.1) else name
        if alias and self.often(0.7):
            ref = self.name("a")
            full += self.one(" as ", " ") + ref
        else:
            ref = name
        return Relation(full, ref, columns, time, time_type, unique, key)

    def model(self, name, query, alias=True):
        self.used.add(name)
        return self.named(name, query.columns, query.time, query.time_type, query.unique, query.key, alias)

    def derived(self, query):
        ref = self.name("q")
        return Relation(f"({query.sql}) as {ref}", ref, query.columns, query.time, query.time_type, query.unique, query.key)

    def relation(self, depth, like=None, dated=True):
        """A relation, with a time unless dated is False; like: a time type that its own must be comparable to."""

        def fits(it):
            return (bool(it.time) or not dated) and (like is None or comparable(it.time_type, like))

        models = [m for m in self.models if fits(m[1])]
        if depth > 0 and self.often(0.35):
            for _ in range(4):
                query = self.query(depth - 1)
                if fits(query) and not query.volatile:
                    return self.derived(query)
        if models and self.often(0.3):
            return self.model(*self.one(*models))
        tables = [t for t in self.tables if fits(t)]
        weights = [1 if t.how not in ("unknown", "unlisted", "view") else 0.2 for t in tables]
        return self.table(self.chance.choices(tables, weights)[0])

    def pair(self, depth, dated=True):
        """Two relations with comparable times; now and then the same one twice."""
        a = self.relation(depth)
        if self.often(0.2):
            again = [t for t in self.tables if a.item.split(" ")[0] == t.name]
            if again:
                b = self.table(again[0])
                return (a, b) if b.ref != a.ref else self.pair(depth, dated)
        b = self.relation(depth, like=a.time_type, dated=dated)
        return (a, b) if a.ref != b.ref else self.pair(depth, dated)

    # --- conditions between two ---

    def between(self, a, b):
        """(condition that bounds b's time by a's, whether it is an equality)."""
        x, y = b.t, a.t
        if a.time_type in INTEGERS:
            low, high = self.one("1", "3", "7"), self.one("0", "2", "7")
            day = "1"
        elif a.time_type == "date" and b.time_type == "date":
            low, high = self.one("1", "3", "7", "interval '1 month'"), self.one("0", "2", "interval '7 days'")
            day = "1"
        else:
            low, high = (f"interval '{self.one('1 day', '3 days', '7 days', '30 hours', '1 month')}'" for _ in "ab")
            day = "interval '1 day'"
        if a.time_type != b.time_type and a.time_type in DATED and self.often(0.5):
            return self.one(f"{x}::date = {y}::date", f"date_trunc('day', {x}) = {y}",
                            f"{x} >= {y} and {x} < {y} + interval '1 day'"), False
        kind = self.chance.randint(0, 6)
        if kind < 3:
            return (f"{x} = {y}" if self.often(0.5) else f"{y} = {x}"), True
        return self.one(f"{x} between {y} - {low} and {y}", f"{x} > {y} - {low} and {x} <= {y} + {high}",
                        f"{y} between {x} and {x} + {high}", f"{x} = {y} - {day}", f"{x} - {day} = {y}",
                        f"{x} >= {y} and {x} < {y} + {day}", f"{y} - {low} < {x} and {y} >= {x}",
                        f"{x} between {y} - {low} and {y} + {high}"), False

    def keys(self, a, b):
        if "k" in a.columns and "k" in b.columns and self.often(0.4):
            return f" and {a.col('k')} = {b.col('k')}"
        return f" and {self.condition(b, 0)}" if self.often(0.2) else ""

    def link(self, a, b):
        """A condition between two relations: mostly one that bounds b's time, else something that does not."""
        kind = self.chance.randint(0, 9)
        if b.time is None or kind == 0:
            return f"{self.equal_keys(a, b)}"
        if kind == 1:
            return self.one(f"{b.t} <= {a.t}", f"{b.t} > {a.t}") + self.keys(a, b)
        return self.between(a, b)[0] + self.keys(a, b)

    @staticmethod
    def equal_keys(a, b):
        if "k" in a.columns and "k" in b.columns:
            return f"{a.col('k')} = {b.col('k')}"
        return "true"

    # --- shapes over two ---

    def join(self, depth):
        a, b = self.pair(depth, dated=self.often(0.8))
        kind = self.one("inner", "inner", "left", "left", "right", "full", "comma", "using")
        out, where = Output(self), ""
        side, c = a, None
        if kind == "using" and a.time != b.time or b.time is None and kind in ("full", "using"):
            kind = "left"
        if kind == "full":
            item = f"{a.item} full join {b.item} on {a.t} = {b.t}" + (f" and {self.equal_keys(a, b)}" if self.often(0.3) else "")
        elif kind == "comma":
            item, where = f"{a.item}{self.one(', ', ' cross join ')}{b.item}", f" where {self.link(a, b)}"
        elif kind == "using":
            both = "k" in a.columns and "k" in b.columns and self.often(0.5)
            join = self.one("join", "left join", "full join")
            item = f"{a.item} {join} {b.item} using ({a.time}{', k' if both else ''})"
        else:
            item = f"{a.item} {self.one(kind, kind + ' outer') if kind in ('left', 'right') else kind} join {b.item} " \
                   f"on {self.link(a, b)}"
            side = b if b.time and (kind == "right" or self.often(0.25)) else a  # at times the one that may be missing
        if b.time and kind != "using" and self.often(0.25):
            c = self.relation(depth - 1, like=a.time_type)
            if c.ref not in (a.ref, b.ref):
                other = b if kind == "comma" else self.one(a, b)
                item += f" {self.one('left join', 'join', 'right join')} {c.item} on {self.link(other, c)}"
                kind = f"{kind}, third"
        if kind == "using":
            out.time, out.time_type = out.add(a.time, "time", a.time), a.time_type
            out.items[-1] = a.time
        elif kind == "full" and self.often(0.6):
            out.add_time(f"coalesce({a.t}, {b.t})", a.time_type if a.time_type == b.time_type else "timestamptz")
            if a.time_type != b.time_type:
                out.items[-1] = out.items[-1].replace(" as ", "::timestamptz as ", 1)
        else:
            out.add_time(side.t, side.time_type)
        self.passed_on(a, out)
        self.passed_on(b, out)
        if c and kind.endswith("third"):
            self.passed_on(c, out)
        if self.often(0.3):
            where += (" and " if where else " where ") + self.condition(self.one(a, b))
        unique = ()
        if kind in ("inner", "left", "comma") and a.unique and b.unique and self.often(0.4):
            unique = self.with_unique(a, out, 1) + self.with_unique(b, out, 1)
        if len(unique) != len(a.unique) + len(b.unique):
            unique = ()
        return Query(f"select {out.text()} from {item}{where}", out.columns, out.time, out.time_type, f"join {kind}", unique)

    def join_group(self, depth):
        a, b = self.pair(depth)
        out = Output(self)
        by = a if self.often(0.8) else b
        expression, time_type = (by.t, by.time_type) if self.often(0.6) else self.truncated(by.t, by.time_type)
        out.add_time(expression, time_type)
        out.add(*self.aggregate(b))
        out.add(*self.aggregate(a))
        sql = f"select {out.text()} from {a.item} {self.one('left join', 'join')} {b.item} on {self.link(a, b)} " \
              f"group by {expression}"
        return Query(sql, out.columns, out.time, out.time_type, "join, grouped", (out.time,))

    def exists(self, depth):
        a, b = self.pair(depth, dated=self.often(0.9))
        out = Output(self)
        out.add_time(a.t, a.time_type)
        unique = self.with_unique(a, out)
        self.passed_on(a, out)
        kind = self.one("exists", "exists", "not exists", "in", "not in", "any", "latest")
        b = b.bare() if self.often(0.3) else b
        if kind in ("in", "not in") and b.time and self.often(0.7):
            test = f"{a.t} {kind} (select {b.t} from {b.item}{self.where(b)})"
        elif kind in ("in", "not in") and b.time and "k" in a.columns and "k" in b.columns:
            test = f"({a.t}, {a.col('k')}) {kind} (select {b.t}, {b.col('k')} from {b.item})"
        elif kind == "latest" and b.time and a.time_type == b.time_type:
            test = f"{a.t} {self.one('=', '>=', '<')} (select {self.one('max', 'min')}({b.t}) from {b.item}{self.where(b)})"
        elif kind == "any" and "v" in a.columns and "v" in b.columns:
            test = f"{a.col('v')} {self.one('>= any', '> all', '= any')} (select {b.col('v')} from {b.item} where {self.link(a, b)})"
        else:
            kind = kind if kind.endswith("exists") else "exists"
            test = f"{kind} (select {self.one('1', '*')} from {b.item} where {self.link(a, b)})"
        if self.often(0.2):
            test += f" and {self.condition(a)}"
        return Query(f"select {out.text()} from {a.item} where {test}", out.columns, out.time, out.time_type, kind, unique,
                     a.key and bool(unique))

    def scalar(self, depth):
        a, b = self.pair(depth, dated=self.often(0.9))
        out = Output(self)
        out.add_time(a.t, a.time_type)
        unique = self.with_unique(a, out)
        self.passed_on(a, out)
        b = b.bare() if self.often(0.3) else b
        call, kind = self.aggregate(b)
        where = f" where {self.link(a, b)}" if self.often(0.85) else ""
        out.add(f"(select {call} from {b.item}{where})", kind)
        sql = f"select {out.text()} from {a.item}{self.where(a, 0.3)}"
        return Query(sql, out.columns, out.time, out.time_type, "scalar subquery", unique, a.key and bool(unique))

    def lateral(self, depth):
        a, b = self.pair(depth, dated=self.often(0.9))
        out, inner = Output(self), Output(self)
        out.add_time(a.t, a.time_type)
        self.passed_on(a, out)
        ref = self.name("l")
        if self.often(0.6):
            name = inner.add(*self.aggregate(b), name=self.name("x"))
            tail = ""
        else:
            name = inner.add(*self.value(b), name=self.name("x"))
            tail = f" order by {', '.join(b.col(n) for n in b.unique)} limit 2" if b.unique and self.often(0.3) else ""
        out.add(f"{ref}.{name}", inner.columns[name])
        body = f"(select {inner.text()} from {b.item} where {self.link(a, b)}{tail}) {ref}"
        item = self.one(f"{a.item} cross join lateral {body}", f"{a.item}, lateral {body}",
                        f"{a.item} left join lateral {body} on true")
        return Query(f"select {out.text()} from {item}{self.where(a, 0.3)}", out.columns, out.time, out.time_type, "lateral")

    # --- sets, CTEs ---

    def branch(self, rel, time_type):
        t, kind = self.plus(rel.t, rel.time_type) if self.often(0.15) else (rel.t, rel.time_type)
        cast = "" if kind == time_type and self.often(0.7) else f"::{time_type}"
        t = f"({t})" if cast else t
        columns = [self.one(*names) if (names := rel.of(kind)) else None for kind in ("int", "num")]
        k = f"{rel.col(columns[0])}::integer" if columns[0] and rel.columns[columns[0]] == "int" else "0"
        v = f"{rel.col(columns[1])}::numeric(14,2)" if columns[1] else "1.00::numeric(14,2)"
        return f"select {t}{cast} as t, {k} as k, {v} as n from {rel.item}{self.where(rel)}"

    def set_operation(self, depth):
        a, b = self.pair(depth)
        kind = self.one("union all", "union all", "union", "except", "intersect", "except all", "intersect all")
        sql = f"{self.branch(a, a.time_type)} {kind} {self.branch(b, a.time_type)}"
        if self.often(0.25):
            c = self.relation(depth - 1, like=a.time_type)
            sql = f"({sql}) {self.one('union all', 'union', 'except')} {self.branch(c, a.time_type)}"
        return Query(sql, {"t": "time", "k": "int", "n": "num"}, "t", a.time_type, kind)

    def cte(self, depth):
        query = self.query(depth - 1)
        if query.time is None or query.volatile or query.sql.startswith("with"):
            return query
        name = self.name("c")
        shadows = [u for u in sorted(self.used) if f" {u} " in query.sql + " "]
        if shadows and self.often(0.25):
            name = self.one(*shadows)
        how = self.one("", "", "", "materialized ", "not materialized ")
        head = f"with {name} as {how}({query.sql}) "
        refs = [Relation(f"{name} {ref}", ref, query.columns, query.time, query.time_type, query.unique, query.key)
                for ref in (self.name("a"), self.name("a"))]
        if self.often(0.3):
            pair, self.pair = self.pair, lambda *_, **__: tuple(refs)
            try:
                over = self.one(self.join, self.exists, self.scalar, self.set_operation, self.join_group)(0)
            finally:
                self.pair = pair
            return Query(head + over.sql, over.columns, over.time, over.time_type, f"cte twice, {over.kind}")
        over = self.over_one(refs[0])
        return Query(head + over.sql, over.columns, over.time, over.time_type, f"cte, {over.kind}", over.unique, over.key)

    # --- just outside ---

    def outside(self, depth):
        rel = self.relation(depth)
        kind = self.one("limit", "recursive", "now()", "random()", "series", "values", "only", "function", "sublimit", "today")
        columns, time = {"t": "time", "x": "int"}, ("t", rel.time_type)
        volatile = kind in ("now()", "random()")
        if kind == "limit" and rel.unique:
            sql = f"select {rel.t} as t, 1 as x from {rel.item} order by {self.total_order(rel)} limit 7"
        elif kind == "recursive":
            r = self.name("rec")
            sql = f"with recursive {r} (t, x) as (select {rel.t}, 1 from {rel.item} union all " \
                  f"select t, x + 1 from {r} where x < 3) select t, x from {r}"
        elif kind == "now()":
            sql = f"select {rel.t} as t, now() as x from {rel.item}"
        elif kind == "random()":
            sql = f"select {rel.t} as t, random() as x from {rel.item}"
        elif kind == "today":
            sql = f"select {rel.t} as t, case when {rel.t}::text < current_date::text then 1 else 0 end as x from {rel.item}"
        elif kind == "series" and rel.time_type in DATED:
            s = self.calendar.start
            sql = f"select g.t::date as t, count({rel.t}) as x from generate_series(timestamp '{s}', timestamp '{s}' + " \
                  f"interval '60 days', interval '1 day') as g (t) left join {rel.item} on {rel.t}::date = g.t group by g.t"
            time = ("t", "date")
        elif kind == "values":
            sql = f"select {rel.t} as t, o.x from {rel.item} join (values (0, 'a'), (1, 'b'), (1, 'c')) as o (k, x) on " + \
                  (f"o.k = {rel.col('k')}" if "k" in rel.columns else "true")
            columns["x"] = "text"
        elif kind == "function":
            f = self.one("rows_of_h()", "plus_one(1)", "plus_one_volatile(1)", "plus_one_stable(1)")
            sql = f"select {rel.t} as t, {f} as x from {rel.item}"
        elif kind == "sublimit" and rel.unique:
            sql = f"select t, x from (select {rel.t} as t, 1 as x from {rel.item} order by {self.total_order(rel, ' desc')} " \
                  "nulls last offset 2 fetch first 9 rows only) q"
            sql = sql.replace(" nulls last", "")
        else:
            kind = "only"
            table = self.one(*[t for t in self.tables if t.time])
            self.used.add(table.name)
            sql, time = f"select {table.time} as t, k as x from only {table.name}", ("t", table.time_type)
        return Query(sql, columns, *time, kind, volatile=volatile)

    # --- all together ---

    def over_one(self, rel):
        if not rel.time:
            return self.star(rel)
        rel = rel.bare() if self.often(0.3) else rel
        shape = self.chance.choices(
            [self.row_wise, self.star, self.window_range, self.window_order, self.window_whole, self.group, self.group_odd,
             self.group_window, self.distinct], [4, 1, 6, 4, 0.5, 6, 1, 2, 2])[0]
        return shape(rel)

    def query(self, depth):
        shape = self.chance.choices(
            ["one", self.join, self.join_group, self.exists, self.scalar, self.lateral, self.set_operation, self.cte, self.outside],
            [10, 4, 1.5, 2, 1.5, 1.5, 2.5, 3 if depth > 0 else 0, 0.8])[0]
        if shape != "one":
            return shape(depth)
        return self.over_one(self.relation(depth, dated=not self.often(0.03)))

    def make(self):
        """(Query, names of the tables and models it reads)."""
        self.used = set()
        query = self.query(self.one(0, 0, 1, 1, 2))
        return query, self.used
