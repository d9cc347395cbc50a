"""The tables that random models read, and random rows for them.

Each bears the columns id (unique), k, v, n, f, s and, but for the undated, a time column; they differ in its type and in
how their rows come to change: by CSV deliveries, or written by others, with triggers, a column, or nothing to tell of it.
"""
import csv
import datetime
import io

SHAPES = [  # name, time column, its type, how rows come
    ("d", "day", "date", "upsert"),
    ("r", "at", "timestamp", "replace"),
    ("a", "pos", "integer", "append"),
    ("e", "day", "date", "trigger"),
    ("z", "ts", "timestamptz", "trigger"),
    ("i", '"Pos"', "bigint", "trigger"),
    ("p", "day", "date", "partitions"),
    ("c", "ts", "timestamptz", "column"),
    ("w", "at", "timestamp", "trigger"),
    ("y", "day", "date", "upsert"),
    ("u", None, None, "replace"),
    ("h", None, None, "trigger"),
    ("x", "day", "date", "unknown"),
    ("l", "day", "date", "unlisted"),
    ("o", "day", "date", "view"),
]
WORDS = ["a", "ab", "b", "ba", "c", "", "é", "it's", "x y"]


def literal(value):
    if value is None:
        return "null"
    if isinstance(value, (int, float)):
        return str(value) if value == value else "'NaN'"
    return "'" + str(value).replace("'", "''") + "'"


class Calendar:
    """Where a project's times lie: some weeks around a change of the clocks, with holes."""

    def __init__(self, chance):
        self.start = chance.choice([datetime.date(2024, 2, 20), datetime.date(2023, 9, 25), datetime.date(2024, 1, 1)])
        self.span = chance.choice([40, 70, 110])
        self.zone = chance.choice(["Europe/Berlin", "UTC", "America/New_York", "Europe/Berlin", "Pacific/Apia"])
        self.odd = chance.choice([0, 0, 0, 0.02, 0.06])  # share of null and infinite times
        self.holes = {chance.randint(0, self.span) for _ in range(self.span // 3)}

    def day(self, chance):
        n = chance.randint(0, self.span)
        while n in self.holes and chance.random() < 0.9:
            n = chance.randint(0, self.span)
        return self.start + datetime.timedelta(days=n)

    def thirds(self):
        return [self.start + datetime.timedelta(days=n * self.span // 3) for n in (1, 2)]

    def clock(self, chance):
        kind = chance.randint(0, 6)
        if kind == 0:
            return "00:00:00"
        if kind == 1:
            return chance.choice(["23:59:59.999999", "00:00:00.000001", "02:30:00", "01:30:00", "12:00:00"])
        return f"{chance.randint(0, 23):02d}:{chance.choice([0, 15, 30, 59]):02d}:00"

    def time(self, chance, kind, null=True):
        """A value of a time column, as text (of an integer one: a number); None is null."""
        odd = self.odd if chance.random() < 0.999 else 0.5 * (self.odd > 0)
        if null and chance.random() < odd / 2:
            return None
        if kind in ("integer", "bigint"):
            return (self.day(chance) - self.start).days * 3 - 60 + chance.randint(0, 2)
        if chance.random() < odd / 2:
            return chance.choice(["infinity", "-infinity"])
        day = self.day(chance)
        if kind == "date":
            return day.isoformat()
        text = f"{day.isoformat()} {self.clock(chance)}"
        if kind == "timestamp":
            return text
        return text + chance.choice(["+00", "+00", "+01", "-05", "+13"])


class Table:
    def __init__(self, shape, calendar):
        self.name, self.time, self.time_type, self.how = shape
        self.calendar = calendar
        self.columns = [("id", "integer")] + ([(self.time, self.time_type)] if self.time else [])
        self.columns += [("k", "integer"), ("v", "integer"), ("n", "numeric(10,2)"), ("f", "double precision"),
                         ("s", "text")]
        self.csv = self.how in ("upsert", "replace", "append")
        self.rows = {}  # by id: what is known to have been written; transactions may have been rolled back
        self.last_id = 0
        self.listed = self.how not in ("unlisted", "view")
        self.keyed = False

    def null_time(self):
        return self.how not in ("partitions", "column")

    def new_id(self, writer=0):
        """Ids are parted among four writers, so that none waits for another's row."""
        self.last_id += 1
        return self.last_id * 4 + writer

    def row(self, chance, row_id):
        values = [row_id]
        if self.time:
            values.append(self.calendar.time(chance, self.time_type, self.null_time()))
        values.append(None if chance.random() < 0.08 else chance.randint(0, 3))
        values.append(None if chance.random() < 0.15 else chance.randint(-9, 20))
        values.append(None if chance.random() < 0.1 else f"{chance.randint(-500, 2000) / 100:.2f}")
        values.append(None if chance.random() < 0.1 else chance.choice([0.5, 1.25, -3.75, 1e10, 0.1, 1e-9, "NaN", "Infinity"]))
        values.append(None if chance.random() < 0.1 else chance.choice(WORDS))
        self.rows[row_id] = values
        return values

    def fill(self, chance):
        count = chance.choice([12, 25, 40, 60]) if self.time else chance.choice([4, 8])
        for _ in range(count):
            self.row(chance, self.new_id(chance.randint(0, 3)))

    # --- files ---

    def source(self):
        lines = [f"table: {self.name}"]
        if self.csv:
            lines += [f"csv: data/{self.name}.csv", "columns:"]
            lines += [f"  {name}: {kind}" for name, kind in self.columns]
            lines += ["checks: [{row_count: {min: 0}}]", f"mode: {self.how}", "min_rows: 0%", "max_shrink: 100%"]
            if self.how == "upsert":
                lines.append("unique_key: [id]")
        elif self.how == "column":
            lines.append("changes: {column: updated_at}")
        elif self.how != "unknown":
            lines.append("changes: trigger")
        if self.time:
            name = self.time.strip('"')
            lines.append(f"time_column: {name}")
        return "\n".join(lines) + "\n"

    def text(self, rows):
        """A CSV file; an empty text is quoted, for an empty field is null."""
        out = io.StringIO()
        writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\n")
        writer.writerow([name for name, _ in self.columns])
        lines = out.getvalue()
        for row in rows:
            lines += ",".join("" if x is None else '"' + str(x).replace('"', '""') + '"' for x in row) + "\n"
        return lines

    def create(self, chance):
        """The statements that make and fill a table which others write."""
        body = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        if self.how == "view":
            return ["create view o as select * from e where k is distinct from 3"]
        rows = ", ".join(self.values(row) for row in self.rows.values())
        insert = f"insert into {self.name} ({self.names()}) values {rows}"
        if self.how == "partitions":
            low, high = self.calendar.thirds()
            return [f"create table p ({body}, primary key (id, day)) partition by range (day)",
                    f"create table p_low partition of p for values from (minvalue) to ('{low}')",
                    f"create table p_mid partition of p for values from ('{low}') to ('{high}')",
                    f"create table p_high partition of p for values from ('{high}') to (maxvalue)", insert]
        if self.how == "column":
            body += ", updated_at timestamptz not null default clock_timestamp()"
        self.keyed = chance.random() < 0.7
        return [f"create table {self.name} ({body}{', primary key (id)' if self.keyed else ''})", insert]

    def names(self):
        return ", ".join(name for name, _ in self.columns)

    @staticmethod
    def values(row):
        return "(" + ", ".join(literal(x) for x in row) + ")"


def random_tables(chance):
    calendar = Calendar(chance)
    tables = [Table(shape, calendar) for shape in SHAPES]
    for table in tables:
        table.fill(chance)
    return tables, calendar
