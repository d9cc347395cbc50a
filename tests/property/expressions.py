"""Relations and queries as random models are made of them, and random expressions over their columns.

What a query gives must be determined by the rows it reads: where an order matters it is made total, sums are of exact
numbers, and floats are only ever compared.
"""
import re

UNITS = ["day", "week", "month", "month", "quarter", "year", "hour"]
INTERVALS = ["1 day", "3 days", "7 days", "7 days", "30 hours", "1 month", "1 month 2 days", "2 weeks", "0 days", "90 minutes"]


class Relation:
    """Something to stand in FROM. columns: name -> kind (time, int, num, float, text, bool, other)."""

    def __init__(self, item, ref, columns, time=None, time_type=None, unique=(), key=False):
        self.item, self.ref, self.columns = item, ref, columns
        self.time, self.time_type = time, time_type
        self.unique = tuple(unique)  # columns that together tell rows apart, or none known
        self.key = key  # unique is a key without nulls
        self.solid = False  # time is never null

    def col(self, name):
        return f"{self.ref}.{name}" if self.ref else name

    def bare(self):
        """The same, with columns called by their names alone."""
        bare = Relation(self.item, "", self.columns, self.time, self.time_type, self.unique, self.key)
        bare.solid = self.solid
        return bare

    @property
    def t(self):
        return self.col(self.time)

    def of(self, *kinds):
        return [name for name, kind in self.columns.items() if kind in kinds]


class Query:
    def __init__(self, sql, columns, time, time_type, kind, unique=(), key=False, volatile=False):
        self.sql, self.columns, self.time, self.time_type = sql, columns, time, time_type
        self.kind, self.unique, self.key, self.volatile = kind, tuple(unique), key, volatile


class Output:
    """A select list in the making."""

    def __init__(self, gen):
        self.gen, self.items, self.columns = gen, [], {}
        self.time = self.time_type = None

    def add(self, expression, kind, name=None):
        """Its name, a new one where it has none of its own, or one that is taken."""
        if name is None and (plain := re.fullmatch(r'(?:\w+\.)?([a-z]\w*|"\w+")', expression)):
            name = plain[1]
        if name is None or name in self.columns:
            name = self.gen.name("x")
        self.items.append(expression if expression == name or expression.endswith("." + name) else f"{expression} as {name}")
        self.columns[name] = kind
        return name

    def add_time(self, expression, time_type, name=None):
        self.time = self.add(expression, "time", name or (self.gen.name("t") if self.gen.often(0.2) else None))
        self.time_type = time_type
        return self.time

    def text(self):
        if self.gen.often(0.9):
            return ", ".join(self.items)
        return ",\n       ".join(self.items)


class Expressions:
    """The part of a generator that makes expressions. chance: random.Random."""

    def __init__(self, chance, calendar):
        self.chance, self.calendar, self.names = chance, calendar, 0

    def name(self, prefix):
        self.names += 1
        return f"{prefix}{self.names}"

    def often(self, share):
        return self.chance.random() < share

    def one(self, *choices):
        return self.chance.choice(choices)

    # --- values ---

    def value(self, rel):
        """(expression, kind) over one relation, row by row."""
        kind = self.one("int", "int", "num", "text", "float", "bool", "time")
        names = rel.of(kind)
        if not names:
            names = rel.of("int", "num", "text", "float", "bool", "time", "other")
            name = self.one(*names)
            return rel.col(name), rel.columns[name]
        name = self.one(*names)
        c = rel.col(name)
        if kind == "time":
            return self.time_value(c, rel.time_type) if name == rel.time else (c, "other")
        if self.often(0.4):
            return c, kind
        other = rel.col(self.one(*names))
        return {
            "int": lambda: (self.one(f"{c} + 1", f"coalesce({c}, 0)", f"abs({c})", f"greatest({c}, {other})", f"-{c}",
                                     f"nullif({c}, 2)", f"case when {c} > 3 then {other} else 0 end", f"{c} % 3",
                                     f"plus_one({c}::integer)" if name in ("k", "v") else f"{c} - 1"), "int"),
            "num": lambda: (self.one(f"{c} * 2", f"round({c}, 1)", f"coalesce({c}, {other}, 0)", f"{c} - {other}",
                                     f"trunc({c})"), "num"),
            "text": lambda: self.one((f"{c} || '!'", "text"), (f"upper({c})", "text"), (f"coalesce({c}, '-')", "text"),
                                     (f"length({c})", "int"), (f"left({c}, 1)", "text"), (f"{c} like 'a%'", "bool"),
                                     (f"md5({c})", "text"), (f"concat({c}, '/', {other})", "text")),
            "float": lambda: (f"greatest({c}, {other})", "float"),
            "bool": lambda: (self.one(f"not {c}", f"{c} is true", f"coalesce({c}, {other})"), "bool"),
        }[kind]()

    def time_value(self, t, time_type):
        if time_type in ("integer", "bigint"):
            return self.one((f"{t} * 2", "int"), (f"{t} / 7", "int"), (f"{t} is null", "bool"))
        choices = [(f"extract(dow from {t})", "num"), (f"{t} is null", "bool"), (f"extract(year from {t})", "num"),
                   (f"{t} + interval '1 day'", "other"), (f"date_trunc('month', {t})", "other"),
                   (f"to_char({t}, 'YYYY-MM-DD HH24')", "text"), (f"isfinite({t})", "bool")]
        if time_type == "timestamptz":
            choices += [(f"{t} at time zone 'Asia/Kolkata'", "other"), (f"{t}::date", "other")]
        return self.one(*choices)

    # --- conditions ---

    def condition(self, rel, depth=1):
        kind = self.chance.randint(0, 9)
        if depth and kind == 0:
            return f"({self.condition(rel, 0)} or {self.condition(rel, 0)})"
        if depth and kind == 1:
            return f"not ({self.condition(rel, 0)})"
        if rel.time and kind < 4:
            return self.time_condition(rel.t, rel.time_type)
        kind = self.one("int", "int", "text", "num", "bool")
        names = rel.of(kind)
        if not names:
            return "true"
        c = rel.col(self.one(*names))
        if kind == "text":
            return self.one(f"{c} like 'a%'", f"{c} is not null", f"{c} <> 'b'", f"{c} in ('a', 'ab', 'c')", f"{c} > 'a'")
        if kind == "num":
            return self.one(f"{c} > 1.5", f"{c} is not null", f"{c} between -1 and 12.25")
        if kind == "bool":
            return self.one(c, f"{c} is not true", f"{c} is not null")
        return self.one(f"{c} > 0", f"{c} in (0, 1, 2)", f"{c} is not null", f"{c} <> 1", f"{c} < 10",
                        f"coalesce({c}, 1) >= 1", f"{c} between 0 and 5", f"{c} is distinct from 2")

    def moment(self, time_type):
        value = self.calendar.time(self.chance, time_type, null=False)
        return str(value) if isinstance(value, int) else f"'{value}'"

    def time_condition(self, t, time_type):
        a = self.moment(time_type)
        choices = [f"{t} >= {a}", f"{t} < {a}", f"{t} is not null", f"{t} <> {a}"]
        if time_type in ("integer", "bigint"):
            choices += [f"{t} % 2 = 0", f"{t} > -30"]
        else:
            choices += [f"extract(dow from {t}) <> 0", f"isfinite({t})", f"{t} < now()" if self.often(0.1) else "true"]
        return self.one(*choices)

    def where(self, rel, share=0.4):
        if not self.often(share):
            return ""
        conditions = [self.condition(rel) for _ in range(self.one(1, 1, 2))]
        return " where " + " and ".join(conditions)

    # --- times ---

    def plus(self, t, time_type, amount=None):
        """t moved: (expression, type). amount: as an offset of time_type, signed."""
        if time_type in ("integer", "bigint"):
            return f"{t} + {self.one(1, 7, 30)}", time_type
        if time_type == "date" and self.often(0.6):
            return f"{t} {self.one('+', '-')} {self.one(1, 3, 7)}", "date"
        offset = f"interval '{self.one(*INTERVALS)}'"
        kind = "timestamp" if time_type == "date" else time_type
        return f"{t} {self.one('+', '-')} {offset}", kind

    def truncated(self, t, time_type):
        """t rounded down: (expression, type)."""
        unit = self.one(*UNITS)
        if time_type in ("integer", "bigint"):
            return self.one((f"{t} / 10", time_type), (f"({t} / 7) * 7", time_type))
        if time_type == "date":
            unit = "day" if unit == "hour" else unit
            return self.one((f"date_trunc('{unit}', {t})::date", "date"), (f"date_trunc('{unit}', {t})::date", "date"),
                            (f"date_trunc('{unit}', {t})", "timestamptz"),
                            (f"date_trunc('{unit}', {t}::timestamp)", "timestamp"))
        if time_type == "timestamp":
            return self.one((f"date_trunc('{unit}', {t})", "timestamp"), (f"date_trunc('{unit}', {t})", "timestamp"),
                            (f"{t}::date", "date"), (f"date_bin('7 days', {t}, timestamp '2001-01-01')", "timestamp"),
                            (f"date_trunc('{unit}', {t})::date", "date"))
        return self.one((f"date_trunc('{unit}', {t})", "timestamptz"), (f"date_trunc('{unit}', {t})", "timestamptz"),
                        (f"date_trunc('{unit}', {t}, 'America/New_York')", "timestamptz"), (f"{t}::date", "date"),
                        (f"({t} at time zone 'Asia/Kolkata')::date", "date"),
                        (f"date_trunc('{unit}', {t} at time zone 'Europe/Berlin')", "timestamp"))

    def out_time(self, t, time_type):
        """The time as it is put out: mostly as it is."""
        kind = self.chance.randint(0, 9)
        if kind == 0:
            return self.plus(t, time_type)
        if kind == 1:
            return self.truncated(t, time_type)
        if kind == 2 and time_type == "date":
            return f"{t}::timestamp", "timestamp"
        if kind == 2 and time_type == "timestamptz":
            return f"{t} at time zone 'UTC'", "timestamp"
        if kind == 2 and time_type == "integer":
            return f"{t}::bigint", "bigint"
        return t, time_type

    # --- aggregates ---

    def aggregate(self, rel, window=False):
        """(expression, kind) of an aggregate whose value does not depend on the order of its rows."""
        kinds = self.one("int", "int", "num", "text", "float", "bool", "count", "time")
        names = rel.of(kinds) if kinds != "count" else []
        if not names:
            return f"count(*){self.filter(rel)}", "int"
        c = rel.col(self.one(*names))
        if kinds == "int":
            call, kind = self.one((f"sum({c})", "num"), (f"min({c})", "int"), (f"max({c})", "int"), (f"count({c})", "int"),
                                  (f"avg({c})", "num"), (f"sum({c})", "num"))
        elif kinds == "num":
            call, kind = self.one((f"sum({c})", "num"), (f"avg({c})", "num"), (f"max({c})", "num"))
        elif kinds == "bool":
            call, kind = self.one((f"bool_or({c})", "bool"), (f"every({c})", "bool"))
        elif kinds in ("text", "float"):
            call, kind = f"{self.one('min', 'max')}({c})", kinds
        else:
            call, kind = f"{self.one('min', 'max')}({c})", "other"
        if not window and self.often(0.25):
            call, kind = self.ordered_aggregate(rel, c, kinds)
        return call + self.filter(rel), kind

    def ordered_aggregate(self, rel, c, kind):
        if kind == "text":
            return self.one((f"string_agg({c}, ',' order by {c})", "text"), (f"count(distinct {c})", "int"))
        if kind == "int":
            return self.one((f"array_agg({c} order by {c})::text", "text"), (f"count(distinct {c})", "int"),
                            (f"percentile_disc(0.5) within group (order by {c})", "int"), (f"sum(distinct {c})", "num"))
        return f"count(distinct {c})", "int"

    def filter(self, rel):
        return f" filter (where {self.condition(rel, 0)})" if self.often(0.2) else ""
