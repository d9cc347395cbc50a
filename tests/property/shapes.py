"""Queries over one relation: row by row, windows, groups, distinct rows."""
from expressions import INTERVALS, Expressions, Output, Query

EXCLUDES = ["", "", "", "", " exclude current row", " exclude ties", " exclude group"]


class Shapes(Expressions):
    """Each shape takes a relation and gives a Query."""

    def passed_on(self, rel, out, most=3):
        """Some of the relation's columns or expressions over them."""
        for _ in range(self.chance.randint(0, most)):
            out.add(*self.value(rel))

    def with_unique(self, rel, out, share=0.6):
        """Puts out the columns that tell rows apart; their names, or none."""
        if not rel.unique or not self.often(share):
            return ()
        names = []
        for name in rel.unique:
            if name == rel.time:
                if rel.col(name) not in out.items:
                    return ()
                names.append(name)
            else:
                names.append(name if rel.col(name) in out.items else out.add(rel.col(name), rel.columns[name]))
        return tuple(names)

    def row_wise(self, rel):
        out = Output(self)
        if rel.time:
            # now and then what is put out bears the input column's name, and is something else
            out.add_time(*self.out_time(rel.t, rel.time_type), name=rel.time if self.often(0.2) else None)
        unique = self.with_unique(rel, out)
        self.passed_on(rel, out, 4)
        if self.often(0.06):
            out.add(self.one("generate_series(1, 2)", "unnest(array[1, null, 3])"), "int")
            unique = ()
        if not out.items:
            out.add(*self.value(rel))
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.7)}"
        if self.often(0.05):
            sql += " order by 1"
        return Query(sql, out.columns, out.time, out.time_type, "row by row", unique, rel.key and bool(unique))

    def star(self, rel):
        sql = f"select {self.one('*', rel.ref + '.*' if rel.ref else '*')} from {rel.item}{self.where(rel)}"
        return Query(sql, dict(rel.columns), rel.time, rel.time_type, "row by row", rel.unique, rel.key)

    # --- windows ---

    def offset(self, time_type):
        if time_type in ("integer", "bigint"):
            return self.one("0", "3", "7", "30")
        return self.one("interval '{}'", "'{}'").format(self.one(*INTERVALS))

    def bounds(self, time_type):
        """Start and end of a frame with bounded offsets."""
        a, b = self.offset(time_type), self.offset(time_type)
        return self.one(f"between {a} preceding and current row", f"between {a} preceding and current row", f"{a} preceding",
                        f"between {a} preceding and {b} following", f"between current row and {b} following",
                        f"between {a} preceding and {b} preceding", f"between {a} following and {b} following",
                        "between current row and current row")

    def partition(self, rel):
        names = [n for n in rel.of("int", "text") if n not in rel.unique]
        if not names or self.often(0.5):
            return ""
        return f"partition by {rel.col(self.one(*names))} "

    def order(self, rel):
        return f"order by {rel.t}" + self.one("", "", "", "", " asc", " desc", " desc") + \
            self.one("", "", "", "", " nulls first", " nulls last")

    def over(self, rel, window, named):
        """The OVER clause of a window, spelled out, or by a name, which is added to named."""
        if not self.often(0.3):
            return f"over ({window})"
        name = self.name("w")
        named.append(f"{name} as ({window})")
        return f"over {name}"

    def window_range(self, rel):
        out, named = Output(self), []
        out.add_time(rel.t, rel.time_type)
        unique = self.with_unique(rel, out)
        for _ in range(self.one(1, 1, 2)):
            window = f"{self.partition(rel)}{self.order(rel)} range {self.bounds(rel.time_type)}{self.one(*EXCLUDES)}"
            if self.often(0.2):
                call, kind = self.one((f"first_value({rel.t})", "other"), (f"last_value({rel.t})", "other"),
                                      (f"nth_value({rel.t}, 2)", "other"))
            else:
                call, kind = self.aggregate(rel, True)
            call = f"{call} {self.over(rel, window, named)}"
            if kind == "num" and self.often(0.2):
                call = f"coalesce({call}, 0)"
            out.add(call, kind)
        self.passed_on(rel, out, 2)
        tail = f" window {', '.join(named)}" if named else ""
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)}{tail}"
        return Query(sql, out.columns, out.time, out.time_type, "window range", unique, rel.key and bool(unique))

    def total_order(self, rel, desc=""):
        return ", ".join([f"{rel.t}{desc}"] + [f"{rel.col(n)}" for n in rel.unique if n != rel.time])

    def window_order(self, rel):
        """Windows that count rows or reach to an end."""
        out, named = Output(self), []
        out.add_time(rel.t, rel.time_type)
        unique = self.with_unique(rel, out, 0.8)
        partition, desc = self.partition(rel), self.one("", "", "", " desc")
        tied = f"{partition}order by {rel.t}{desc}"
        call, kind = self.aggregate(rel, True)
        choices = [("rank() over ({t})", "int"), ("dense_rank() over ({t})", "int"), ("percent_rank() over ({t})", "float"),
                   ("cume_dist() over ({t})", "float"), (f"{call} over ({{t}})", kind),
                   (f"{call} over ({{t}} range unbounded preceding)", kind),
                   (f"{call} over ({{t}} range between unbounded preceding and {self.offset(rel.time_type)} preceding)", kind),
                   (f"{call} over ({{t}} range between {self.offset(rel.time_type)} preceding and unbounded following)", kind),
                   (f"{call} over ({{t}} groups between 1 preceding and current row)", kind)]
        if rel.unique:
            column = rel.col(self.one(*rel.columns))
            whole = f"{partition}order by {self.total_order(rel, desc)}"
            choices += [(f"row_number() over ({whole})", "int")] * 2
            choices += [(f"lag({column}) over ({whole})", "other"), (f"lag({rel.t}, 2) over ({whole})", "other"),
                        (f"lead({rel.t}) over ({whole})", "other"), (f"ntile(4) over ({whole})", "int"),
                        (f"{call} over ({whole} rows between 3 preceding and current row)", kind),
                        (f"{call} over ({whole} rows unbounded preceding)", kind),
                        (f"{call} over ({whole} rows between 1 preceding and 1 following)", kind),
                        (f"first_value({column}) over ({whole})", "other"),
                        (f"last_value({column}) over ({whole} rows between unbounded preceding and unbounded following)", "other")]
        for _ in range(self.one(1, 1, 2)):
            text, kind = self.one(*choices)
            text = text.replace("{t}", tied)
            call, window = text.rsplit(" over (", 1) if self.often(0.7) else (text, None)
            out.add(f"{call} {self.over(rel, window[:-1], named)}" if window else text, kind)
        self.passed_on(rel, out, 2)
        tail = f" window {', '.join(named)}" if named else ""
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)}{tail}"
        return Query(sql, out.columns, out.time, out.time_type, "window order", unique, rel.key and bool(unique))

    def window_whole(self, rel):
        out = Output(self)
        out.add_time(rel.t, rel.time_type)
        call, kind = self.aggregate(rel, True)
        out.add(f"{call} over ({self.partition(rel)})", kind)
        self.passed_on(rel, out)
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)}"
        return Query(sql, out.columns, out.time, out.time_type, "window whole")

    # --- groups ---

    def having(self, rel):
        return self.one("", "", "", " having count(*) > 1", f" having {self.aggregate(rel)[0]} is not null")

    def group(self, rel):
        out = Output(self)
        trap = self.often(0.15)
        if trap:  # the name of the output is that of the input column, by which GROUP BY means the latter
            expression, time_type = self.truncated(rel.t, rel.time_type)
            out.time, out.time_type = out.add(expression, "time", rel.time), time_type
            keys = [rel.time]
        else:
            expression, time_type = (rel.t, rel.time_type) if self.often(0.4) else self.truncated(rel.t, rel.time_type)
            name = out.add_time(expression, time_type)
            by = expression
            if expression != rel.t:
                by = self.one(expression, "1", name if name not in rel.columns else expression)
            keys = [by]
        unique = [out.time]
        for _ in range(self.one(0, 0, 1)):
            names = rel.of("int", "text")
            if names:
                column = self.one(*names)
                if rel.col(column) not in keys:
                    unique.append(out.add(rel.col(column), rel.columns[column]))
                    keys.append(rel.col(column))
        for _ in range(self.one(1, 2, 2)):
            out.add(*self.aggregate(rel))
        if self.often(0.2):
            self.chance.shuffle(keys) if "1" not in keys else None
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)} group by {', '.join(keys)}{self.having(rel)}"
        return Query(sql, out.columns, out.time, out.time_type, "group, alias trap" if trap else "group",
                     () if trap else unique, rel.solid and len(unique) == 1 and not trap)

    def group_window(self, rel):
        """Windows over groups, in one SELECT."""
        out = Output(self)
        t, time_type = (rel.t, rel.time_type) if self.often(0.5) else self.truncated(rel.t, rel.time_type)
        name = out.add_time(t, time_type)
        kind = self.one("range", "range", "range", "lag", "number", "rows")
        inner = self.one(*[f"{call}({rel.col(n)})" for n in rel.of("int", "num") for call in ("sum", "max")] or ["count(*)"])
        window = f"order by {t}{self.one('', '', ' desc')}"
        out.add({"range": f"sum({inner}) over ({window} range {self.bounds(time_type)})",
                 "lag": f"lag({inner}) over ({window})",
                 "number": f"row_number() over ({window})",
                 "rows": f"max({inner}) over ({window} rows 2 preceding)"}[kind], "num")
        out.add(*self.aggregate(rel))
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)} group by {t}{self.having(rel)}"
        return Query(sql, out.columns, name, time_type, f"group, window {kind}", (name,))

    def group_odd(self, rel):
        """Grouping sets, groups without time, groups by a moved time, one row of everything."""
        out = Output(self)
        keys = "k" if "k" in rel.columns else self.one(*rel.columns)
        key = rel.col(keys)
        kind = self.one("rollup", "sets", "undated", "all", "moved")
        if kind == "undated":
            out.add(key, rel.columns[keys])
            tail = f" group by {key}"
        elif kind == "all":
            tail = self.one("", " having count(*) > 3")
        elif kind == "moved":
            expression, time_type = self.plus(rel.t, rel.time_type)
            out.add_time(expression, time_type)
            tail = f" group by {expression}"
        else:
            out.add_time(rel.t, rel.time_type)
            out.add(key, rel.columns[keys])
            tail = f" group by rollup ({rel.t}, {key})" if kind == "rollup" else \
                f" group by grouping sets (({rel.t}), ({rel.t}, {key}))"
        out.add(*self.aggregate(rel))
        if kind == "all" and self.often(0.7):
            out.time, out.time_type = out.add(f"max({rel.t})", "time"), rel.time_type
        sql = f"select {out.text()} from {rel.item}{self.where(rel, 0.3)}{tail}"
        return Query(sql, out.columns, out.time, out.time_type, f"group {kind}")

    def distinct(self, rel):
        out = Output(self)
        names = rel.of("int", "text")
        if rel.unique and self.often(0.4):
            on = [rel.t] + ([rel.col(self.one(*names))] if names and self.often(0.4) else [])
            out.add_time(rel.t, rel.time_type)
            self.passed_on(rel, out)
            order = on + [rel.col(n) for n in rel.unique if rel.col(n) not in on]
            sql = f"select distinct on ({', '.join(on)}) {out.text()} from {rel.item}{self.where(rel, 0.3)} " \
                  f"order by {', '.join(order)}"
            return Query(sql, out.columns, out.time, out.time_type, "distinct on")
        dated = self.often(0.85)
        if dated:
            out.add_time(*self.out_time(rel.t, rel.time_type))
        for name in names[:2]:
            out.add(rel.col(name), rel.columns[name])
        if not out.items:
            out.add(rel.t, "other")
        sql = f"select distinct {out.text()} from {rel.item}{self.where(rel, 0.3)}"
        return Query(sql, out.columns, out.time, out.time_type, "distinct")
