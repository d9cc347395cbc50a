#!/usr/bin/env python3
"""Judges the output of the loans example by an independent computation: exact fractions, no SQL.

    loans.py LOANS.csv DUMP.csv [--runs N]   compare a dump of the model's table with what LOANS.csv demands
    loans.py LOANS.csv --cut N SEED          write LOANS.csv with N days cut out, chosen by SEED

DUMP.csv comes from `\\copy (select * from default_liquidation_rolling_avg_hist) to stdout csv header`. Rows with
different created_at are different runs; each must hold every day of LOANS.csv once and nothing else. With --runs N
there must be exactly N of them. Exit status 0: all equal. 1: differences, listed.

What counts as equal:
- dates and counts: the same;
- a ratio: null where there were no defaults; else the exact fraction, rounded half away from zero to as many
  decimals as the dump shows, which must be at least 16 significant digits, as PostgreSQL's numeric division gives;
- an average: null where none of the 7 calendar days before has a ratio; else within 1e-15 of the exact average of the
  exact ratios, relative to it (PostgreSQL averages ratios already rounded), and exactly 0 where that is 0.
"""
import argparse
import csv
import datetime
import random
import re
import sys
from fractions import Fraction

COUNTS = ["number_of_loans", "default", "liquidation"]
COLUMNS = ["date_of_repayment", *COUNTS, "liquidation_to_default_ratio", "rolling_avg_7_days", "created_at"]
SHOWN_AT_MOST = 20


def read_loans(path):
    """{date: (number of loans, defaults, liquidations)}"""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = [re.sub(r"[^a-z0-9]+", "_", h.lower().split("(")[0]).strip("_") for h in next(reader)]
        place = [header.index(name) for name in COLUMNS[:4]]
        loans = {}
        for row in reader:
            day = datetime.date.fromisoformat(row[place[0]])
            if day in loans:
                sys.exit(f"{path}: {day} twice")
            loans[day] = tuple(int(row[i]) for i in place[1:])
    return loans


def expect(loans):
    """{date: (ratio or None, average or None)}"""
    ratios = {day: Fraction(paid, bad) if bad else None for day, (_, bad, paid) in loans.items()}
    expected = {}
    for day in loans:
        week = [ratios.get(day - datetime.timedelta(days=back)) for back in range(1, 8)]
        week = [ratio for ratio in week if ratio is not None]
        expected[day] = (ratios[day], sum(week, Fraction(0)) / len(week) if week else None)
    return expected


def rounded(value, decimals):
    """A non-negative fraction, rounded half away from zero."""
    scale = 10**decimals
    return Fraction((2 * value.numerator * scale + value.denominator) // (2 * value.denominator), scale)


def ratio_equal(exact, shown):
    if exact is None or shown == "":
        return exact is None and shown == ""
    decimals = len(shown.partition(".")[2])
    significant = len(shown.replace(".", "").lstrip("0"))
    return Fraction(shown) == rounded(exact, decimals) and (exact == 0 or significant >= 16)


def average_equal(exact, shown):
    if exact is None or shown == "":
        return exact is None and shown == ""
    return abs(Fraction(shown) - exact) <= exact / 10**15


def compare(loans, dump):
    """(rows that are equal, {run: number of rows}, list of differences)"""
    expected = expect(loans)
    differences, equal, runs = [], 0, {}
    reader = csv.DictReader(dump)
    if reader.fieldnames != COLUMNS:
        return 0, {}, [f"columns: expected {COLUMNS}, found {reader.fieldnames}"]
    for row in reader:
        day, run = datetime.date.fromisoformat(row["date_of_repayment"]), row["created_at"]
        seen = runs.setdefault(run, set())
        where = f"{day} of run {run}"
        if not run:
            differences.append(f"{where}: no created_at")
        if day in seen or day not in loans:
            differences.append(f"{where}: {'twice' if day in seen else 'not in the input'}")
            continue
        seen.add(day)
        wrong = [
            f"{where}: {name}: expected {want}, found {row[name]!r}"
            for name, want in zip(COUNTS, loans[day])
            if row[name] != str(want)
        ]
        ratio, average = expected[day]
        for name, want, judge in [
            ("liquidation_to_default_ratio", ratio, ratio_equal),
            ("rolling_avg_7_days", average, average_equal),
        ]:
            if not judge(want, row[name]):
                near = "" if want is None else f" (about {float(want)!r})"
                wrong.append(f"{where}: {name}: expected {want}{near}, found {row[name]!r}")
        differences += wrong
        equal += not wrong
    for run, seen in runs.items():
        differences += [f"{day} of run {run}: missing" for day in sorted(loans.keys() - seen)]
    return equal, {run: len(seen) for run, seen in runs.items()}, differences


def cut(path, count, seed):
    with open(path, encoding="utf-8", newline="") as file:
        header, *lines = file.readlines()
    if count > len(lines):
        sys.exit(f"{path}: has only {len(lines)} rows")
    gone = set(random.Random(seed).sample(range(len(lines)), count))
    sys.stdout.reconfigure(newline="")
    sys.stdout.write(header + "".join(line for i, line in enumerate(lines) if i not in gone))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1])
    parser.add_argument("loans")
    parser.add_argument("dump", nargs="?")
    parser.add_argument("--runs", type=int)
    parser.add_argument("--cut", type=int, nargs=2, metavar=("N", "SEED"))
    args = parser.parse_args()
    if args.cut:
        return cut(args.loans, *args.cut)
    if not args.dump:
        parser.error("which dump?")
    loans = read_loans(args.loans)
    with open(args.dump, newline="", encoding="utf-8") as dump:
        equal, runs, differences = compare(loans, dump)
    if args.runs is not None and len(runs) != args.runs:
        differences.append(f"expected {args.runs} runs, found {len(runs)}")
    if not runs:
        differences.append("no rows at all")
    for line in differences[:SHOWN_AT_MOST]:
        print(line)
    if len(differences) > SHOWN_AT_MOST:
        print(f"... and {len(differences) - SHOWN_AT_MOST} more")
    if differences:
        print(f"oracle: {len(differences)} differences, {equal} rows equal")
        return 1
    print(f"oracle: {equal} rows equal" + (f" in {len(runs)} runs" if len(runs) > 1 else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
