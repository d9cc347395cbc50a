"""What a step says it recomputed, and whether it wrote outside of that."""
import re

LOW, HIGH = "0000-00-00", "9999-99-99"  # -infinity and infinity among days, which are compared as text


def day_sql(column, kind):
    """SQL text of a row's place in time, as touched ranges tell it: whole days (of timestamptz by UTC), or integers."""
    if kind.startswith("timestamp") and kind.endswith("with time zone"):
        return f"({column} at time zone 'UTC')::date::text"
    return f"{column}::date::text" if kind.startswith(("date", "timestamp")) else f"{column}::text"


class Touched:
    """Read from the text in sluice.steps.touched. Where it does not say all ("and 3 more") it holds everything."""

    def __init__(self, text, integer):
        self.integer, self.ranges, self.nulls = integer, [], False
        self.all = text is None or "more" in text or "everything" in text
        for part in [] if self.all else filter(None, text.split(", ")):
            if "without a time" in part:
                self.nulls = True
            elif part == "all times":
                self.ranges.append((self.low, self.high))
            elif part.startswith("up to "):
                self.ranges.append((self.low, self.point(part[6:])))
            elif found := re.fullmatch("from (.*) on", part):
                self.ranges.append((self.point(found[1]), self.high))
            else:
                ends = part.split(" to ")
                self.ranges.append((self.point(ends[0]), self.point(ends[-1])))

    @property
    def low(self):
        return float("-inf") if self.integer else LOW

    @property
    def high(self):
        return float("inf") if self.integer else HIGH

    def point(self, text):
        if self.integer:
            return int(text)
        if text in ("infinity", "-infinity") or len(text) > 10:  # a year far away stands for an infinite time
            return LOW if text.startswith("-") else HIGH
        return text

    def holds(self, time):
        if self.all:
            return True
        if time is None:
            return self.nulls
        return any(low <= self.point(time) <= high for low, high in self.ranges)


class Dated:
    """Which column dates the rows of each table, by the ledger."""

    def __init__(self, pg):
        self.columns = {}
        for table, column, kind in pg.rows(
                "select r.table_name, quote_ident(r.time_column), format_type(a.atttypid, null) from sluice.relations r "
                "join pg_attribute a on a.attrelid = to_regclass(format('%I.%I', r.schema_name, r.table_name)) "
                "and a.attname = r.time_column"):
            self.columns[table] = (column, kind)

    def time_sql(self, table):
        return day_sql(*self.columns[table]) if table in self.columns else "null"

    def touched(self, table, text):
        return Touched(text if table in self.columns else None, "int" in self.columns.get(table, ("", ""))[1])


def written_wrongly(before, after, decision, touched):
    """before, after: (ctid, xmin) -> (digest, time) of a table's rows. What is wrong with what was written, or None."""
    if decision == "full":
        return None
    gone = [row for place, row in before.items() if place not in after]
    come = [row for place, row in after.items() if place not in before]
    if decision == "skip" and (gone or come):
        return f"decision skip, and {len(come)} rows were written, {len(gone)} deleted"
    outside = [row for row in gone + come if not touched.holds(row[1])]
    if outside:
        return f"decision {decision}: rows outside of what is touched were written, such as of {outside[0][1]}"
    left = {}
    for digest, _ in gone:
        left[digest] = left.get(digest, 0) + 1
    again = sum(left.get(digest, 0) > 0 for digest, _ in come)
    return f"decision {decision}: {again} rows were written again, and are the same" if again else None
