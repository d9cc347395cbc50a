"""Makes cases.tsv: cron expressions with the times they stand for, worked out without any of the program's code.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install croniter==7.0.0
    /tmp/venv/bin/python tests/data/cron/expect.py > tests/data/cron/cases.tsv

Two sources, named in the last column:
  croniter   the library of that name (implement_cron_bug: days as in Debian's cron, stars and all), for UTC
             and for PLAIN. Each row of it is compared with the second source before it is printed.
  zoneinfo   the loop below, for times near a change of clocks, where croniter means something else. It tries every
             minute of every day against the expression, and maps each that matches to instants by Python's own
             zoneinfo and PEP 495 (fold): no shared algorithm with src/schedule, which goes span by span.
Columns: expression, zone, after, next times separated by blanks, source.
"""
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from croniter import croniter

UTC = timezone.utc
MINUTE = timedelta(minutes=1)
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
BOUNDS = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
SHORT = {"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
         "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *"}


def value(text, field):
    text = text.lower()
    if field == 3 and text in MONTHS:
        return MONTHS.index(text) + 1
    if field == 4 and text in DAYS:
        return DAYS.index(text)
    return int(text)


def expand(text, field):
    found = set()
    for item in text.split(","):
        base, _, step = item.partition("/")
        low, high = BOUNDS[field]
        if base != "*":
            first, dash, last = base.partition("-")
            low = value(first, field)
            high = value(last, field) if dash else low
            if dash and field == 4 and last.lower() == "sun" and low > 0:
                high = 7
        found.update(range(low, high + 1, int(step or 1)))
    return {n % 7 for n in found} if field == 4 else found


class Expr:
    def __init__(self, text):
        words = SHORT.get(text.lower(), text).split()
        self.minute, self.hour, self.dom, self.month, self.dow = (expand(w, i) for i, w in enumerate(words))
        self.both = words[2].startswith("*") or words[4].startswith("*")
        self.repeating = words[0].startswith("*") or words[1].startswith("*")

    def day(self, d):
        if d.month not in self.month:
            return False
        dom, dow = d.day in self.dom, d.isoweekday() % 7 in self.dow
        return (dom and dow) if self.both else (dom or dow)

    def minutes(self, day):
        """Naive datetimes of a day that match."""
        return [day + timedelta(hours=h, minutes=m) for h in sorted(self.hour) for m in sorted(self.minute)]


def after_gap(wall, zone):
    """The first moment at which clocks are past wall, to the second, by trying."""
    t = wall.replace(tzinfo=UTC) - timedelta(hours=30)
    while t.astimezone(zone).replace(tzinfo=None) < wall:
        t += MINUTE
    while (t - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) >= wall:
        t -= timedelta(seconds=1)
    return t


def instants(wall, zone, repeating):
    found = []
    for fold in (0, 1):
        t = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if t.astimezone(zone).replace(tzinfo=None) == wall and t not in found:
            found.append(t)
    if not found:
        return [after_gap(wall, zone)]
    return sorted(found) if repeating else [min(found)]


def simulate(text, zone, after, count):
    expr, found = Expr(text), set()
    day = (after.astimezone(zone) - timedelta(days=3)).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    while True:
        # What later days add is later than all but the last three days' finds.
        sure = sorted(t for t in found if (day - timedelta(days=3)).replace(tzinfo=UTC) > t)
        if len(sure) >= count:
            return sure[:count]
        if expr.day(day):
            for wall in expr.minutes(day):
                found.update(t for t in instants(wall, zone, expr.repeating) if t > after)
        day += timedelta(days=1)


def by_croniter(text, zone, after, count):
    it = croniter(SHORT.get(text.lower(), text), after.astimezone(zone), ret_type=datetime, implement_cron_bug=True,
                  max_years_between_matches=100)
    return [it.get_next() for _ in range(count)]


def iso(t, zone):
    return t.astimezone(zone).isoformat(timespec="seconds")


def row(text, name, after, count, plain):
    zone = ZoneInfo(name)
    start = datetime.fromisoformat(after)
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    times = [iso(t, zone) for t in simulate(text, zone, start, count)]
    if plain:
        theirs = [iso(t, zone) for t in by_croniter(text, zone, start, count)]
        if theirs != times:
            sys.exit(f"{text} in {name} after {after}: croniter has {theirs}, the loop {times}")
    print(text, name, start.isoformat(), " ".join(times), "croniter" if plain else "zoneinfo", sep="\t")


# expressions tried in UTC from a few starts
UTC_EXPRESSIONS = """
* * * * *|*/5 * * * *|*/7 * * * *|*/59 * * * *|0 * * * *|30 * * * *|59 23 * * *|0 0 * * *|15 6 * * *
0,15,30,45 * * * *|0-10/3 * * * *|5-59/10 8-18 * * *|1,2,3-5,50-59/4 * * * *|0 */2 * * *|0 */5 * * *|0 1-23/2 * * *
0 9-17 * * 1-5|*/15 9-17 * * mon-fri|0 0 * * 0|0 0 * * 7|0 0 * * sun|0 0 * * SUN|0 12 * * Mon,Wed,Fri
0 0 * * 1-7/2|0 0 * * 0-7/7|0 0 * * 5-7|0 0 * * 6,7|0 0 1 * *|0 0 31 * *|0 0 30 * *|0 0 29 2 *|59 23 29 2 *
0 0 1 1 *|0 0 1 jan *|0 0 1 JAN,Jul *|0 0 31 12 *|0 0 1 */3 *|0 0 1 1-12/5 *|0 0 */10 * *|0 0 1-7 * *
0 0 13 * 5|0 0 13 * fri|0 0 1,15 * 3|0 0 */2 * 1|0 0 1-31/2 * 1|0 0 1 * */2|0 0 13 * *|0 0 * 6 1|0 0 * feb sat
0 0 29 2 1|0 0 29 2 */7|0 0 31 4 1|0 0 30 2 3|30 4 1,15 * 5|5 4 * * sun|0 22 * * 1-5|23 0-20/2 * * *
0 0 1-7 * */7|0 0 */31 * *|15 14 1 * *|0 0 28-31 * *|0 0 29-31 2 *|10 3 * feb-apr *|0 0 * * tue-thu
@yearly|@annually|@monthly|@weekly|@daily|@midnight|@hourly
""".replace("\n", "|").split("|")

PLAIN = [  # away from any change of clocks
    ("0 9 * * 1-5", "Europe/Berlin", "2023-05-05T12:00:00", 4),
    ("30 6 * * *", "America/New_York", "2023-07-31T23:00:00", 3),
    ("0 0 1 * *", "Asia/Tokyo", "2024-01-31T15:00:00+00:00", 4),
    ("*/20 * * * *", "Asia/Kathmandu", "2024-02-28T23:10:00", 5),
    ("0 0 29 2 *", "Asia/Kathmandu", "2021-01-01T00:00:00", 3),
    ("0 12 * * *", "Asia/Kolkata", "2022-12-31T11:59:59", 3),
    ("45 17 * * fri", "Australia/Adelaide", "2023-06-01T00:00:00", 4),
    ("0 0 13 * 5", "America/St_Johns", "2023-06-10T00:00:00", 5),
    ("0 0 * * *", "Pacific/Kiritimati", "2023-12-30T10:00:00+00:00", 3),
    ("15 3 * * *", "Asia/Dubai", "2023-02-27T00:00:00", 4),
    ("0 8-18/5 * * *", "Africa/Johannesburg", "2023-02-27T00:00:00", 5),
    ("@hourly", "America/Caracas", "2023-03-01T00:30:00", 3),
]

# (zone, start shortly before a change of clocks, expressions, how many)
CHANGES = [
    ("Europe/Berlin", "2023-03-25T12:00:00", 4, "30 2 * * *|0 2 * * *|0 3 * * *|59 1 * * *|*/30 2 * * *|0,30 2 * * *"),
    ("Europe/Berlin", "2023-03-26T01:20:00", 5, "*/30 * * * *|0 * * * *|30 * * * *|* * * * *|15,45 1-3 * * *|0 */2 * * *"
                                                "|*/20 2,3 * * *|59 * * * *"),
    ("Europe/Berlin", "2023-10-28T12:00:00", 4, "30 2 * * *|0 2 * * *|0 3 * * *|59 1 * * *|0,30 2 * * *|0 0 * * sun"),
    ("Europe/Berlin", "2023-10-29T01:20:00", 6, "*/30 * * * *|0 * * * *|30 * * * *|*/30 2 * * *|* 2 * * *|0-59 2 * * *"
                                                "|0 0-23 * * *|0 */2 * * *|0,30 1-3 * * *|*/15 1-3 * * *"),
    ("Europe/Berlin", "2023-10-29T00:30:00+00:00", 4, "30 2 * * *|*/30 * * * *|15 2 * * *"),
    ("Europe/Berlin", "2023-10-29T01:00:00+00:00", 4, "0 2 * * *|15 2 * * *|0 * * * *|15,45 * * * *"),
    ("Europe/Berlin", "2040-03-24T12:00:00", 4, "30 2 * * *|30 2 25 3 *"),
    ("Europe/Berlin", "2040-10-27T12:00:00", 4, "30 2 * * *|30 2-3 28 10 *|*/30 2 28 10 *"),
    ("Europe/London", "2024-03-31T00:30:00", 4, "15 1 * * *|*/15 * * * *|0 1 31 3 *|45 0-2 * * *"),
    ("Europe/London", "2024-10-26T23:30:00", 5, "15 1 * * *|*/30 * * * *|45 0-2 * * *"),
    ("Europe/Dublin", "2022-03-27T00:10:00", 4, "30 1 * * *|*/30 * * * *|0 1 * * *"),
    ("Europe/Dublin", "2022-10-30T00:10:00", 5, "30 1 * * *|*/30 * * * *|0 1 * * *"),
    ("America/New_York", "2024-03-09T20:00:00", 4, "30 2 * * *|0 2 * * *|0 3 * * *|30 2 10 3 *|0 2 * * sun"),
    ("America/New_York", "2024-11-02T20:00:00", 4, "30 1 * * *|0 1 * * *|0 2 * * *|30 1 3 11 *"),
    ("America/New_York", "2024-11-03T00:50:00", 6, "*/20 * * * *|0 * * * *|5,35 1 * * *|*/35 1 * * *"),
    ("America/New_York", "2045-03-11T20:00:00", 4, "30 2 * * *|15 2 12 3 *"),
    ("America/New_York", "2045-11-04T20:00:00", 4, "30 1 * * *|*/30 1 * * *"),
    ("America/St_Johns", "2006-04-01T20:00:00", 4, "30 0 * * *|*/15 0 * * *|1 0 * * *"),
    ("America/St_Johns", "2006-10-28T23:00:00", 5, "30 23 * * *|30 0 * * *|*/30 * * * *"),
    ("Australia/Lord_Howe", "2023-09-30T20:00:00", 4, "15 2 * * *|0 2 * * *|30 2 * * *|*/15 2 * * *|45 1-3 * * *"),
    ("Australia/Lord_Howe", "2023-04-02T01:10:00", 5, "45 1 * * *|30 1 * * *|0 2 * * *|*/15 * * * *|40 * * * *"
                                                      "|20 * * * *"),
    ("Pacific/Chatham", "2023-09-24T02:00:00", 4, "0 3 * * *|45 2 * * *|44 2 * * *|*/30 * * * *|30 * * * *|45 3 * * *"),
    ("Pacific/Chatham", "2023-04-02T02:00:00", 5, "0 3 * * *|45 2 * * *|44 2 * * *|*/30 * * * *|30 * * * *|45 3 * * *"),
    ("Pacific/Apia", "2011-12-28T12:00:00", 4, "0 0 * * *|30 12 * * *|0 12 30 12 *|0 */12 * * *|0 0 * * 5|0 0 30 * *"
                                               "|0 0 31 * *"),
    ("Pacific/Apia", "2011-12-29T22:10:00", 4, "*/30 * * * *|15 * * * *"),
    ("Pacific/Kwajalein", "1993-08-19T12:00:00", 4, "0 0 * * *|15 6 21 * *|0 */8 * * *"),
    ("America/Sao_Paulo", "2017-10-14T10:00:00", 4, "0 0 * * *|30 0 * * *|0 1 * * *|0 0 * * 0|@daily|*/20 0 * * *"),
    ("America/Sao_Paulo", "2017-10-14T22:10:00", 5, "*/30 * * * *|0 * * * *"),
    ("America/Sao_Paulo", "2018-02-17T10:00:00", 4, "30 23 * * *|0 0 * * *|*/30 23 * * *|59 23 17 2 *"),
    ("Asia/Beirut", "2021-03-27T10:00:00", 4, "0 0 * * *|30 0 * * *|15 0 28 * *|0 * * * *"),
    ("Asia/Beirut", "2021-10-30T22:10:00", 5, "30 23 * * *|*/30 * * * *|0 0 * * *"),
    ("Asia/Gaza", "2019-03-28T12:00:00", 4, "30 0 * * *|0 0 29 * *|0 1 * * *"),
    ("Africa/Casablanca", "2022-03-26T12:00:00", 4, "30 2 * * *|0 2 * * *|0 3 * * *"),
    ("Africa/Casablanca", "2022-03-27T01:10:00", 6, "*/30 * * * *"),
    ("Africa/Casablanca", "2022-05-07T12:00:00", 4, "30 2 * * *|0 2 * * *|*/30 2 8 * *"),
    ("Antarctica/Troll", "2023-03-26T00:10:00", 4, "30 1 * * *|30 2 * * *|0 1-4 * * *|*/45 * * * *|30 * * * *"),
    ("Antarctica/Troll", "2023-10-29T00:10:00", 6, "30 1 * * *|30 2 * * *|0 1-4 * * *|*/45 * * * *|30 * * * *"),
    ("Asia/Kathmandu", "1985-12-31T22:10:00", 4, "5 0 * * *|0 0 * * *|*/30 * * * *"),
    ("Asia/Pyongyang", "2018-05-04T22:00:00", 4, "45 23 * * *|30 23 * * *|*/15 23 * * *"),
    ("Asia/Pyongyang", "2015-08-14T22:00:00", 5, "45 23 * * *|0 0 * * *|*/15 23 * * *"),
    ("America/Caracas", "2007-12-09T01:00:00", 5, "45 2 * * *|*/30 * * * *|0 3 * * *"),
    ("America/Caracas", "2016-05-01T01:00:00", 4, "45 2 * * *|*/30 * * * *|30 2 * * *"),
    ("Europe/Samara", "2010-03-28T01:30:00", 4, "30 2 * * *|*/30 * * * *"),
    ("Africa/Juba", "2021-01-31T22:10:00", 5, "30 23 * * *|*/30 * * * *|0 0 * * *"),
]


def main():
    print("# made by expect.py, which says how; expression, zone, after, next times, source")
    starts = ["2024-02-28T23:59:00+00:00", "2023-12-31T23:58:30+00:00", "2026-06-15T12:34:56+00:00"]
    for i, text in enumerate(e for e in UTC_EXPRESSIONS if e):
        rare = text.split()[2:4] in (["29", "2"], ["30", "2"])
        row(text, "UTC", "2095-12-31T00:00:00+00:00" if rare and i % 2 else starts[i % 3], 3 if rare else 5, True)
    row("0 0 29 2 *", "UTC", "2096-02-28T00:00:00+00:00", 3, True)
    row("0 0 29 2 *", "UTC", "2096-02-29T00:00:00+00:00", 2, True)
    row("0 0 29 feb *", "UTC", "1896-02-29T00:00:00+00:00", 2, True)
    row("0 0 29 2 *", "UTC", "1999-12-31T00:00:00+00:00", 2, True)
    # these croniter refuses, or takes for a star what begins with a number
    row("0 0 * * fri-sun", "UTC", "2024-02-28T00:00:00+00:00", 5, False)
    row("0 0 * * mon-sun", "UTC", "2024-02-28T00:00:00+00:00", 5, False)
    row("0 0 5,* * 1", "UTC", "2024-02-28T00:00:00+00:00", 4, False)
    row("0 0 *,5 * 1", "UTC", "2024-02-28T00:00:00+00:00", 4, False)
    for text, name, after, count in PLAIN:
        row(text, name, after, count, True)
    for name, after, count, texts in CHANGES:
        for text in texts.split("|"):
            row(text, name, after, count, False)


main()
