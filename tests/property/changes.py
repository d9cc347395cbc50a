"""Random changes to the tables: deliveries, and statements of up to three writers whose transactions stay open over
runs.

An action is ("csv", table, text) or ("sql", writer, statement). A round is {"before": actions done before the run,
"during": actions done while it is on}. Actions depend on the seed alone, so that any of them can be left out.
"""
from tables import literal

WRITERS = 4  # writer 0 commits each statement


class Changes:
    def __init__(self, chance, tables):
        self.chance = chance
        self.tables = [t for t in tables if t.csv]
        self.others = [t for t in tables if not t.csv and t.how != "view"]
        self.open = {}  # writer -> tables it has written in its transaction
        self.detached = False

    def often(self, share):
        return self.chance.random() < share

    def rounds(self, count):
        rounds = [self.round(i) for i in range(count)]
        rounds[-1]["before"] += [("sql", writer, "commit") for writer in sorted(self.open)]
        return rounds

    def round(self, _number):
        before, during = [], []
        size = self.chance.choice([0, 2, 4, 6, 8, 12])
        for _ in range(size):
            if self.often(0.4):
                before.append(self.delivery(self.chance.choice(self.tables)))
            else:
                before += self.writing()
        if self.often(0.25):
            during = [self.end(w) for w in sorted(self.open)] if self.open and self.often(0.6) else self.statements(0)
        return {"before": before, "during": during}

    # --- deliveries ---

    def some_ids(self, table, most, writer=None):
        ids = [i for i in table.rows if writer is None or i % WRITERS == writer]
        return self.chance.sample(ids, min(len(ids), self.chance.randint(1, most)))

    def altered(self, table, row_id):
        """The row with some of its values new; the time among them now and then."""
        old = table.rows.get(row_id)
        new = table.row(self.chance, row_id)
        if old is not None:
            keep_time = self.often(0.6)
            for i in range(1, len(new)):
                is_time = i == 1 and table.time is not None
                if keep_time if is_time else self.often(0.5):
                    new[i] = old[i]
        return new

    def delivery(self, table):
        most = self.chance.choice([1, 2, 3, 10])
        new = [table.row(self.chance, table.new_id()) for _ in range(self.chance.randint(0, most))]
        if table.how == "append":
            return ("csv", table, table.text(new or [table.row(self.chance, table.new_id())]))
        changed = [self.altered(table, i) for i in self.some_ids(table, most)]
        if table.how == "upsert":
            return ("csv", table, table.text(changed + [row for row in new if row[0] not in {c[0] for c in changed}]))
        kind = self.chance.randint(0, 9)
        if kind == 0 and self.often(0.3):
            table.rows.clear()
        elif kind < 4:
            for i in self.some_ids(table, most):
                del table.rows[i]
        elif kind == 4:  # all of a time moved or gone
            for i in [i for i, row in table.rows.items() if row[1] == self.chance.choice(list(table.rows.values()))[1]]:
                del table.rows[i]
        rows = list(table.rows.values())
        if self.often(0.3):
            self.chance.shuffle(rows)
        return ("csv", table, table.text(rows))

    # --- writers ---

    def end(self, writer):
        self.open.pop(writer)
        return ("sql", writer, "commit" if self.often(0.8) else "rollback")

    def writing(self):
        kind = self.chance.randint(0, 9)
        if kind < 5:
            return self.statements(0)
        if kind == 5 and not self.open and self.often(0.5):
            return self.structure()
        writer = self.chance.randint(1, WRITERS - 1)
        if writer in self.open:
            return [self.end(writer)] if self.often(0.6) else self.statements(writer)
        self.open[writer] = True
        isolation = self.chance.choice(["", "", " isolation level repeatable read", " isolation level serializable"])
        actions = [("sql", writer, "begin" + isolation)] + self.statements(writer)
        if self.often(0.3):
            actions += [("sql", writer, "savepoint s")] + self.statements(writer)
            actions.append(("sql", writer, self.chance.choice(["rollback to s", "release s"])))
        if self.often(0.35):
            actions.append(self.end(writer))
        return actions

    def statements(self, writer):
        table = self.chance.choice(self.others)
        return [("sql", writer, self.statement(table, writer)) for _ in range(self.chance.choice([1, 1, 1, 2, 3]))]

    def insert(self, table, writer):
        rows = [table.row(self.chance, table.new_id(writer)) for _ in range(self.chance.choice([1, 1, 2, 5]))]
        return f"insert into {table.name} ({table.names()}) values {', '.join(table.values(r) for r in rows)}"

    def statement(self, table, writer):
        stamp = ", updated_at = clock_timestamp()" if table.how == "column" else ""
        ids = self.some_ids(table, self.chance.choice([1, 1, 2, 4]), writer)
        which = f"id in ({', '.join(map(str, ids))})" if ids else f"id % {WRITERS} = {writer} and k = 1"
        plain = ["insert", "insert", "value", "value", "value", "key", "nothing", "many"]
        if table.how != "column":
            plain += ["delete", "delete", "span", "moved"]
            plain += ["time", "time", "shift", "truncate"] if table.time else ["truncate"]
        kind = self.chance.choice(plain)
        if kind == "insert" and ids and table.keyed and self.often(0.3):
            rows = ", ".join(table.values(self.altered(table, i)) for i in ids)
            time = f"{table.time} = excluded.{table.time}, " if table.time and table.how != "column" else ""
            return f"insert into {table.name} as it ({table.names()}) values {rows} on conflict (id) do update set {time}" \
                   f"v = excluded.v{stamp} where it.k is distinct from 2"
        if kind == "insert":
            return self.insert(table, writer)
        if kind == "value":
            column, value = self.chance.choice([("v", self.chance.randint(-9, 20)), ("n", "3.50"), ("s", "ba"), ("v", None),
                                                ("f", 2.5)])
            return f"update {table.name} set {column} = {literal(value)}{stamp} where {which}"
        if kind == "key":
            return f"update {table.name} set k = {self.chance.randint(0, 3)}{stamp} where {which}"
        if kind == "nothing":
            return f"update {table.name} set v = v{stamp} where {which}"
        if kind == "many" and self.often(0.3):
            return f"update {table.name} set v = v + 1{stamp} where id % {WRITERS} = {writer}"
        if kind == "time":
            value = table.calendar.time(self.chance, table.time_type, table.null_time())
            return f"update {table.name} set {table.time} = {literal(value)} where {which}"
        if kind == "shift":
            by = "3" if table.time_type in ("date", "bigint", "integer") else "interval '25 hours'"
            return f"update {table.name} set {table.time} = {table.time} + {by} where {which}"
        if kind == "delete":
            return f"delete from {table.name} where {which}"
        if kind == "span":
            return f"delete from {table.name} where id % {WRITERS} = {writer} and v between {self.chance.randint(0, 9)} and 12"
        if kind == "moved":  # in one statement gone from one place and come to another
            rest = ", ".join(name for name, _ in table.columns if name not in ("id", table.time))
            time = f", {table.time}" if table.time else ""
            at = f", {literal(table.calendar.time(self.chance, table.time_type, False))}::{table.time_type}" if time else ""
            new = table.new_id(writer) * 10000
            return f"with gone as (delete from {table.name} where {which} returning *) insert into {table.name} (id{time}, " \
                   f"{rest}) select {new} + id{at}, {rest} from gone"
        if kind == "truncate" and not self.open and self.often(0.2):
            return f"truncate {table.name}"
        return self.insert(table, writer)

    def structure(self):
        """Changes that triggers do not see."""
        kind = self.chance.choice(["partition", "partition", "part", "part", "off", "replica"])
        table = self.chance.choice([t for t in self.others if t.how == "trigger"])
        if kind == "partition" and not self.detached:
            self.detached = True
            return [("sql", 0, "alter table p detach partition p_mid")]
        if kind == "partition":
            self.detached = False
            low, high = self.bounds()
            inner = self.chance.choice(["update p_mid set v = v + 3", "delete from p_mid where v > 3", "truncate p_mid", "select 1"])
            return [("sql", 0, inner), ("sql", 0, f"alter table p attach partition p_mid for values from ('{low}') to ('{high}')")]
        if kind == "partition" or kind == "part":
            part = self.chance.choice(["p_low", "p_mid", "p_high"])
            return [("sql", 0, self.chance.choice([f"truncate {part}", f"update {part} set v = v + 2 where k = 1",
                                                   f"delete from {part} where k = 2"]))]
        if kind == "off":
            again = self.chance.choice(["enable trigger all", "enable trigger user"])
            return [("sql", 0, f"alter table {table.name} disable trigger all"), ("sql", 0, self.statement(table, 0)),
                    ("sql", 0, f"alter table {table.name} {again}")]
        return [("sql", 0, "set session_replication_role = replica"), ("sql", 0, self.statement(table, 0)),
                ("sql", 0, "reset session_replication_role")]

    def bounds(self):
        """Of the partition that comes and goes."""
        return self.others[0].calendar.thirds()
