#!/usr/bin/env python3
"""Compares how sluice reads the text of values with how PostgreSQL does.

Starts a PostgreSQL of its own in a temporary directory, makes some thousand strings per type from a seed (edge cases,
and small damage done to them), and asks the server's own input functions and values_driver.c about each:
    OK            the server's binary form must be the same
    BAD, RANGE    the server must refuse the string
    UNSURE        promises nothing, but plain cases (listed as such) must not be UNSURE
Types with dates are asked under each DateStyle, for OK must not depend on it. Prints `values: N passed, N failed`.

usage: values.py [--seed N] [--count N] [DRIVER]     without DRIVER it is built, below $O (default: build)
"""
import argparse
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
R = random.Random()

# --- strings --------------------------------------------------------------------------------------------------

SPACES = ["", "", "", "", " ", "  ", "\t", "\n", "\r\n", "\v", "\f"]


def digits(low, high):
    return "".join(R.choice("0123456789") for _ in range(R.randint(low, high)))


def padded(s):
    return R.choice(SPACES) + s + R.choice(SPACES)


def damaged(s, alphabet):
    """s with one to three characters put in, taken out or exchanged."""
    for _ in range(R.randint(1, 3)):
        i = R.randint(0, len(s))
        s = R.choice([s[:i] + R.choice(alphabet) + s[i:], s[:i] + s[i + 1:], s[:i] + R.choice(alphabet) + s[i + 1:]])
    return s


def integer():
    edges = [2**15, 2**31, 2**63, 2**64, 10**18, 10**19, 10**20, 0, 1, 42]
    kind = R.randint(0, 5)
    if kind == 0:
        return digits(1, 25)
    if kind == 1:
        return R.choice(["0x1F", "0o17", "0b101", "1_000", "_1", "1_", "0x", "1__0", "0x_1", "-0x10", "1e3", "1.0", "",
                         "+", "-", "--1", "+-1", "- 1", "0X1f", "abc", "NaN", "1,000", "0b12", "0o8", "00_1", "é"])
    value = R.choice(edges) + R.randint(-2, 2)
    return R.choice(["", "", "+", "-", "0", "-000"]) + str(value)


def decimal():
    kind = R.randint(0, 7)
    sign = R.choice(["", "", "", "-", "+"])
    if kind == 0:
        return R.choice(["NaN", "nan", "-NaN", "+nan", "inf", "-inf", "+Infinity", "infinity", "INFINITY", "infinit",
                         "-infinity", "nan(1)", "0x1p3", "0x1F", "1_000.5", "1e1_0", ".", "", "e5", "1e", "1e+", "1.e5",
                         ".e5", "1..2", "1.2.3", "1,5", "1.5f", "1d5", "Infinityx", "- 1", "0x", "0b1", "1e99999999999",
                         "1e-99999999999", "0e99999", "-0", "-0.0", "0e-5", "in", "naN ", "é1", "١"])
    if kind == 1:
        exponent = R.choice([37, 38, 39, 44, 45, 46, 307, 308, 309, 323, 324, 325, 400, R.randint(0, 30)])
        return sign + R.choice(["1", "1.", "3.4028235", "3.4028236", "1.17549435", "1.4", "4.9", "2.4", "1.7976931348623157",
                                "1.7976931348623159", "2.2250738585072014", digits(1, 3) + "." + digits(0, 20)]) + \
            R.choice("eE") + R.choice(["", "+", "-"]) + str(exponent)
    if kind == 2:  # halves, nines and zeros: what rounding trips over
        return sign + R.choice(["9", "99", "999", "9999", "0", "", "1", "10000", "99999", "0000"]) + "." + \
            R.choice(["5", "05", "005", "995", "9995", "9949999", "99999999", "49999", "50001", "0", "00000", "125", "00005"])
    if kind == 3:
        return sign + digits(1, 40) + "." + digits(1, 40)
    if kind == 4:
        return sign + R.choice(["0." + "0" * R.randint(0, 12), "0" * R.randint(0, 9)]) + digits(1, 12) + "0" * R.randint(0, 9)
    if kind == 5:
        return sign + digits(1, 18) + R.choice(["", ".", "." + digits(1, 6)]) + R.choice(["", "e" + str(R.randint(-9, 9))])
    return sign + digits(0, 8) + R.choice(["", ".", "." + digits(0, 8)])


def year():
    return R.choice(["2023", "2024", "1900", "2000", "1999", "0001", "0000", "0004", "9999", "10000", "294276", "294277",
                     "5874897", "5874898", "4713", "4714", "99", "5", "099", "12023", "02023", "%04d" % R.randint(1, 9999)])


WORDS = ["jan", "mon", "utc", "z", "am", "bc", "ad", "t", "j", "at", "on", "infinit", "tod", "no", "w", "-", "/", ":", ".",
         " ", "+", "today", "now", "epoch", "infinity", "julian", "dst", "zulu", "invalid", "current", "undefined", "é"]


def date():
    kind = R.randint(0, 9)
    if kind == 0 and R.random() < .5:
        return "".join(R.choice(WORDS) for _ in range(R.randint(1, 4)))
    if kind == 0:
        return R.choice(["infinity", "-infinity", "+infinity", "Infinity", "INFINITY", "inf", "epoch", "now", "today",
                         "tomorrow", "yesterday", "", "null", "n/a", "abc", "Jan 5 2023", "5/9/2023", "2023.05.09",
                         "2023/05/09", "20230509", "20231301", "20230230", "00000101", "230509", "2023129", "J2451187",
                         "2023-05", "2023", "2023-05-09-", "2023-05-09x", "2023--05-09", "-2023-05-09", "2023-May-09",
                         "09-May-2023", "2023 05 09", "allballs", "2023-W10-1", "2023-129", "99991231", "2023-05-09T",
                         "today 10:00", "-", "--", "infinityx", "current", "bc", "mon", "2023-05-09 allballs", "jan"])
    y, m, d = year(), R.randint(0, 13) if R.random() < .2 else R.randint(1, 12), R.randint(26, 32)
    if kind < 5:
        d = R.randint(1, 28)
    if kind == 9:
        m, d = R.choice([(11, 23), (11, 24), (11, 25), (1, 1), (12, 31), (6, 3), (2, 28), (2, 29), (2, 30)])
    text = R.choice(["%s-%02d-%02d"] * 6 + ["%s-%d-%d", "%s%02d%02d", "%s/%02d/%02d"]) % (y, m, d)
    return text + R.choice([""] * 8 + [" BC", " AD", " bc", "BC"])


def clock():
    hour = R.choice([0, 1, 9, 10, 12, 23, 24, 25, R.randint(0, 23)])
    minute = R.choice([0, 5, 30, 59, 60, R.randint(0, 59)]) if R.random() < .6 else 0
    second = R.choice([0, 1, 59, 60, 61, R.randint(0, 59)]) if R.random() < .6 else 0
    text = R.choice(["%02d:%02d:%02d"] * 6 + ["%d:%02d:%02d", "%d:%d:%d", "%02d%02d%02d"]) % (hour, minute, second)
    if R.random() < .2:
        text = text[:R.choice([5, 5, 2])]
    elif R.random() < .5:
        text += R.choice([".", ".", ".", ".", ","]) + R.choice([digits(1, 6), digits(0, 9), "999999", "9999995", "000000", "5"])
    return text + R.choice([""] * 12 + [" AM", " PM", "pm"])


def zone():
    offset = "%s%02d" % (R.choice("+-"), R.choice([0, 1, 2, 5, 12, 14, 15, 16, 20]))
    return R.choice([""] * 6 + ["Z", "z", " Z", " UTC", "UTC", " GMT", offset, offset, " " + offset, offset + ":30", offset + "30",
                                offset + ":59", offset + ":60", offset + "0", offset + ":", offset + ":30:15", "+5", "-5:30",
                                " Europe/Berlin", " CET", "+", " +", " zulu", " EST"])


def clean_timestamp():
    text = "%04d-%02d-%02d%s%02d:%02d" % (R.choice([1, 1582, 1899, 1999, 2000, 2024, 9999, R.randint(1, 9999)]), R.randint(1, 12),
                                         R.randint(1, 29), R.choice(" T"), R.randint(0, 24), R.randint(0, 60))
    if R.random() < .8:
        text += ":%02d" % R.randint(0, 60) + R.choice(["", "", "." + digits(1, 6)])
    return text + R.choice(["", "", "Z", " UTC", "%s%02d" % (R.choice("+-"), R.randint(0, 16)),
                            "%s%02d:%02d" % (R.choice("+-"), R.randint(0, 15), R.choice([0, 15, 30, 45, 59, 60])),
                            "%s%04d" % (R.choice("+-"), R.randint(0, 1600))]) + R.choice([""] * 9 + [" BC"])


def timestamp():
    kind = R.randint(0, 19)
    if kind > 9:
        return clean_timestamp()
    if kind == 0:
        return date()
    if kind == 1:  # the ends of what a timestamp can hold
        return R.choice(["294276-12-31", "294277-01-01", "4714-11-24", "4714-11-23", "4714-11-25"]) + " " + \
            R.choice(["00:00:00", "23:59:59.999999", "24:00:00", "12:00:00", "23:59:60"]) + zone() + R.choice(["", " BC"])
    separator = R.choice([" "] * 5 + ["T"] * 3 + ["  ", "t", "_", ""])
    return date() + separator + clock() + zone() + R.choice([""] * 9 + [" BC", " AD"])


def boolean():
    words = ["true", "false", "yes", "no", "on", "off", "1", "0", "10", "o", "2", "null", "y n", "tru e", "01", "-1", "wahr"]
    word = R.choice(words)
    word = word[:R.randint(0, len(word))] if R.random() < .4 else word
    return "".join(R.choice([c.upper(), c.lower()]) for c in word)


def string():
    alphabet = "ab éß漢😀  \t,'\"\\x"
    return "".join(R.choice(alphabet) for _ in range(R.randint(0, 9))) + " " * R.choice([0, 0, 0, 1, 3, 8])


def uuid():
    h = "".join(R.choice("0123456789abcdefABCDEF") for _ in range(R.choice([32, 32, 32, 32, 32, 31, 33, 0, 16])))
    kind = R.randint(0, 4)
    if kind == 0:
        return h
    if kind == 1:
        return "".join(h[i:i + 4] + R.choice(["-", ""]) for i in range(0, len(h), 4))
    text = "-".join([h[:8], h[8:12], h[12:16], h[16:20], h[20:]])
    return R.choice([text, text, "{%s}" % text, "{%s" % text, "%s}" % text, "{%s}}" % text])


def formatted():
    return R.choice(["%02d/%02d/%s", "%d/%d/%s", "%02d-%02d-%s"]) % (R.randint(0, 13), R.randint(0, 32), year())


def formatted_time():
    month = R.choice(["Jan", "feb", "MAR", "Sep", "Dec", "Foo", "January"])
    return "%02d-%s-%02d %02d:%02d:%02d.%s %s" % (R.randint(1, 31), month, R.randint(0, 99), R.randint(0, 13), R.randint(0, 60),
                                                R.randint(0, 60), digits(1, 6), R.choice(["AM", "pm", "Pm", "xm"]))


def formatted_zone():
    return "%s-%02d-%02dT%02d:%02d:%02d%s%02d:%02d" % (year(), R.randint(1, 12), R.randint(1, 31), R.randint(0, 24),
                                                     R.randint(0, 60), R.randint(0, 60), R.choice("+-"), R.randint(0, 16),
                                                     R.choice([0, 30, 45, 60]))


# type, what the server computes of v, generator, letters to damage with, plain strings that must be OK
NUMBERS, DATES = "0123456789+-.eE_x, \tnaif", "0123456789-:./TZ+ ,abJnBC'"
CASES = [
    ("boolean", "boolsend(boolin(v::cstring))", boolean, "tfyno10 ", ["true", "false", "t", "0", "YES", "off"]),
    ("smallint", "int2send(int2in(v::cstring))", integer, NUMBERS, ["-32768", "32767", " 7 ", "+1", "007"]),
    ("integer", "int4send(int4in(v::cstring))", integer, NUMBERS, ["-2147483648", "2147483647", "0"]),
    ("bigint", "int8send(int8in(v::cstring))", integer, NUMBERS, ["-9223372036854775808", "9223372036854775807"]),
    ("real", "float4send(float4in(v::cstring))", decimal, NUMBERS, ["1.5", "1e10", "NaN", "-inf", ".5", "5."]),
    ("double precision", "float8send(float8in(v::cstring))", decimal, NUMBERS, ["0.1", "1e300", "NaN", "Infinity"]),
    ("numeric", "numeric_send(numeric_in(v::cstring, 0, -1))", decimal, NUMBERS, ["0.10", "1e5", "NaN", "-12.50"]),
    ("numeric(5,2)", "numeric_send(numeric_in(v::cstring, 0, ((5 << 16) | 2) + 4))", decimal, NUMBERS, ["999.99", "1.005"]),
    ("numeric(3)", "numeric_send(numeric_in(v::cstring, 0, (3 << 16) + 4))", decimal, NUMBERS, ["999", "0.5"]),
    ("decimal(4,4)", "numeric_send(numeric_in(v::cstring, 0, ((4 << 16) | 4) + 4))", decimal, NUMBERS, ["0.99994", "0"]),
    ("numeric(38,9)", "numeric_send(numeric_in(v::cstring, 0, ((38 << 16) | 9) + 4))", decimal, NUMBERS, ["1.1234567895"]),
    ("date", "date_send(date_in(v::cstring))", date, DATES,
     ["2023-05-09", "20230509", "0044-03-15 BC", "infinity", "2023-5-9", "5874897-12-31", "2024-02-29 10:30:00"]),
    ("timestamp", "timestamp_send(timestamp_in(v::cstring, 0, -1))", timestamp, DATES,
     ["2023-05-09", "2023-05-09T10:30", "2023-05-09 24:00:00", "2023-05-09 10:30:60", "2023-05-09 10:30:00.123456"]),
    ("timestamp(0)", "timestamp_send(timestamp_in(v::cstring, 0, 0))", timestamp, DATES, ["1999-12-31 23:59:59.5"]),
    ("timestamptz", "timestamptz_send(timestamptz_in(v::cstring, 0, -1))", timestamp, DATES,
     ["2023-05-09 10:30:00+02", "2023-05-09T10:30:00Z", "2023-05-09 10:30:00+05:30", "2023-05-09 10:30:00 UTC"]),
    ("timestamp(3) with time zone", "timestamptz_send(timestamptz_in(v::cstring, 0, 3))", timestamp, DATES, []),
    ("text", "textsend(textin(v::cstring))", string, "aé ", ["", "a"]),
    ("varchar(5)", "varcharsend(varcharin(v::cstring, 0, 5 + 4))", string, "aé ", ["éßab漢", "abcde   "]),
    ("char(5)", "bpcharsend(bpcharin(v::cstring, 0, 5 + 4))", string, "aé ", ["abcde   ", "a"]),
    ("uuid", "uuid_send(uuid_in(v::cstring))", uuid, "0aF-{} g", []),
    ("date@MM/DD/YYYY", "date_send(to_date(v, 'MM/DD/YYYY'))", formatted, "0123/ ", ["05/09/2023", "5/9/2023"]),
    ("timestamp@DD-Mon-YY HH12:MI:SS.US AM", "timestamp_send(to_timestamp(v, 'DD-Mon-YY HH12:MI:SS.US AM')::timestamp)",
     formatted_time, "0123: ", ["09-May-23 12:30:00.5 AM"]),
    ("timestamptz@YYYY-MM-DDTHH24:MI:SSTZH:TZM", "timestamptz_send(to_timestamp(v, 'YYYY-MM-DD\"T\"HH24:MI:SSTZH:TZM'))",
     formatted_zone, "0123:", ["2023-05-09T10:30:00-05:30"]),
]


def strings_for(case, count):
    _, _, make, alphabet, plain = case
    made = set(plain)
    for _ in range(count):
        s = make()
        s = padded(s) if R.random() < .15 else s
        made.add(damaged(s, alphabet) if R.random() < .2 else s)
    return plain, sorted(made)


# --- the server -----------------------------------------------------------------------------------------------


def bindir():
    if os.environ.get("SLUICE_PG_BINDIR"):
        return os.environ["SLUICE_PG_BINDIR"]
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[-2].split(".")[0]))
    if found:
        return found[-1]
    return subprocess.check_output(["pg_config", "--bindir"], text=True).strip()


class Server:
    """A PostgreSQL of one's own, as user postgres where we are root."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="values-")
        self.user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(self.dir, "postgres", "postgres")
        self.name = "postgres" if self.user else subprocess.check_output(["id", "-un"], text=True).strip()
        self.bin = bindir()
        try:
            self.run("initdb", "-D", self.dir + "/data", "-U", self.name, "-E", "UTF8", "--locale=C", "-A", "trust", "-N")
            self.run("pg_ctl", "-D", self.dir + "/data", "-w", "-l", self.dir + "/log", "-o",
                     "-k %s -h '' -F -c timezone=UTC" % self.dir, "start")
        except Exception:
            self.__exit__()
            raise
        return self

    def run(self, program, *arguments):
        subprocess.run([self.bin + "/" + program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd=self.dir, **self.user)

    def __exit__(self, *_):
        subprocess.run([self.bin + "/pg_ctl", "-D", self.dir + "/data", "-m", "immediate", "stop"], cwd=self.dir,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **self.user)
        shutil.rmtree(self.dir, ignore_errors=True)

    def answers(self, expression, strings, datestyle):
        """The hex form of each string by the server, or None where it refuses it."""
        script = """set datestyle = 'ISO, %s';
create temp table given (id int, v text);
create function pg_temp.ask(v text) returns text language plpgsql as $f$
begin return encode(%s, 'hex'); exception when others then return 'ERROR'; end $f$;
copy given from stdin;
%s\\.
copy (select pg_temp.ask(v) from given order by id) to stdout;
""" % (datestyle, expression, "".join("%d\t%s\n" % (i, escaped(s)) for i, s in enumerate(strings)))
        out = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U", self.name, "postgres"],
                             input=script.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
        return [None if line == "ERROR" else line for line in out.splitlines()]


def escaped(s):
    for raw, code in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"), ("\v", "\\v"), ("\f", "\\f")):
        s = s.replace(raw, code)
    return s


def build_driver():
    out = os.environ.get("O", "build")
    libraries = [os.path.join(out, "lib", room + ".a") for room in ("csv", "base")]
    subprocess.run(["make", "-s", "O=" + out, *libraries], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    driver = os.path.join(ROOT, out, "values_driver")
    subprocess.run([os.environ.get("CC", "gcc"), "-D_GNU_SOURCE", "-std=c17", "-O1", "-Isrc", "-o", driver,
                    "tests/property/values_driver.c", *libraries], cwd=ROOT, check=True)
    return driver


def compare(name, s, ours, theirs, plain):
    """What is wrong, or None."""
    result, _, value = ours.partition(" ")
    if result == "UNSURE":
        return "UNSURE, but is a plain case" if s in plain else None
    if result != "OK":
        # A format is stricter than to_date(), and says so.
        return None if theirs is None or "@" in name else "%s, but the server gives %s" % (result, theirs)
    if name.startswith("char("):  # the server pads on its side
        value += "20" * max(0, 5 - len(bytes.fromhex(value).decode()))
    return None if value == theirs else "OK %s, but the server %s" % (value, "refuses it" if theirs is None else "gives " + theirs)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("driver", nargs="?")
    options = parser.parse_args()
    R.seed(options.seed)
    driver = options.driver or build_driver()
    passed = failed = 0
    with Server() as server:
        for case in CASES:
            name, expression = case[0], case[1]
            plain, strings = strings_for(case, options.count)
            given = "".join("%s\t%s\n" % (name, escaped(s)) for s in strings).encode()
            ours = subprocess.run([driver], input=given, stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
            assert len(ours) == len(strings)
            for style in ("MDY", "DMY", "YMD") if "_in(" in expression and name[:4] in ("date", "time") else ("MDY",):
                theirs = server.answers(expression, strings, style)
                assert len(theirs) == len(strings)
                for s, our, their in zip(strings, ours, theirs):
                    wrong = compare(name, s, our, their, plain)
                    passed += wrong is None
                    failed += wrong is not None
                    if wrong and failed <= 60:
                        print("%s %r: %s (DateStyle %s)" % (name, s, wrong, style))
            counts = {r: sum(o.startswith(r) for o in ours) for r in ("OK", "BAD", "RANGE", "UNSURE")}
            print("%-45s %s" % (name, " ".join("%s %d" % item for item in counts.items())), file=sys.stderr)
    print("values: %d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
