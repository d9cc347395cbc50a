#!/usr/bin/env python3
"""Writes the example's loans.csv to standard output: the same bytes every time, wherever it runs.

    python3 make_loans.py > loans.csv

The rows are made up. They have the shape of a lender's daily record: one row for each day on which loans fell
due, how many there were, how many of them defaulted and how many were paid off (liquidated) by the day of the
delivery, which the header names. Loans per day drift with the season and the weekday. About one loan in
fifteen defaults. Over the last months fewer and fewer loans are settled either way, and of the newest none
is, because they are not yet due: those days have zero defaults, and in the end zero liquidations too.

The noise comes from a linear congruential generator with the constants of Numerical Recipes (Press et al.,
2nd ed., section 7.1), and all arithmetic is on integers, so no library or processor can change the result.
"""
import datetime
import sys

FIRST = datetime.date(2021, 8, 28)
LAST = datetime.date(2023, 5, 9)
SETTLED_UNTIL = datetime.date(2022, 11, 20)  # up to here every loan is settled
NONE_SETTLED_AFTER = datetime.date(2023, 2, 20)  # from here on none is, but for a stray one
NO_DEFAULT_AFTER = datetime.date(2023, 1, 22)  # defaults are called later than payments come in
SEASON = [62, 58, 66, 84, 98, 112, 96, 74, 60, 52, 58, 66]  # loans a day, January first
WEEKDAY = [100, 96, 98, 102, 110, 104, 90]  # percent, Monday first


class Noise:
    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        """A whole number from 0 to bound - 1, from the generator's upper bits."""
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) * bound >> 24


def rows():
    noise = Noise(20230509)
    pending_days = (NONE_SETTLED_AFTER - SETTLED_UNTIL).days
    day = FIRST
    while day <= LAST:
        growth = 80 + 50 * (day - FIRST).days // (LAST - FIRST).days  # percent
        mean = SEASON[day.month - 1] * WEEKDAY[day.weekday()] * growth // 10000
        loans = mean * (80 + noise.below(41)) // 100
        bad = sum(noise.below(15) == 0 for _ in range(loans))
        settled = 1000 - 1000 * (day - SETTLED_UNTIL).days // pending_days  # per mille
        settled = max(0, min(1000, settled))
        paid = (loans - bad) * settled // 1000
        default = bad * settled // 1000
        if day > NO_DEFAULT_AFTER:
            default = 0
        if settled == 0 and noise.below(14) == 0 and (LAST - day).days > 40:
            paid = 1 + noise.below(2)
        yield day, loans, default, paid
        day += datetime.timedelta(days=1)


def main():
    out = sys.stdout
    out.reconfigure(newline="\n")
    out.write(f"Date of Repayment,Number of Loans,Default (as of {LAST}),Liquidation (as of {LAST})\n")
    for day, loans, default, paid in rows():
        out.write(f"{day},{loans},{default},{paid}\n")


if __name__ == "__main__":
    main()
