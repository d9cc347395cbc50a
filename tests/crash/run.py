#!/usr/bin/env python3
"""Crash tests: kill -9, broken connections, signals, full disks, and what readers see meanwhile.

    run.py [--kills N] [--seed N] [--long] [NAME...]      NAME: only tests whose name contains it

SLUICE names the program; VERBOSE=1 shows how long each test takes.
"""
import argparse
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import backfills  # noqa: E402
import connections  # noqa: E402
import disk  # noqa: E402
import kills  # noqa: E402
import laws  # noqa: E402
import overlap  # noqa: E402
import points  # noqa: E402
import readers  # noqa: E402
import writers  # noqa: E402
from lab import Lab, Suite, main_status, need_program, seeded, stop_on_signals  # noqa: E402


def tests_of(options, chance, lab, say):
    def in_lab(function, *args):
        def test(progress):
            lab.reset()
            function(lab, *args, progress)

        return test

    few = max(2, options.kills // 4)
    yield "kill -9 of run", in_lab(kills.kill_runs, chance, options.kills)
    yield "kill -9 of load", in_lab(kills.kill_loads, chance, options.kills)
    yield "kill -9 of the first run", in_lab(kills.kill_first_run, chance, few)
    yield "kill -9 of the server", in_lab(kills.kill_server, chance, few)
    yield "kill -9 during a long query", in_lab(kills.kill_waiting, chance, 1)
    yield "kill -9 at COMMIT", in_lab(connections.killed_at_commit, (1, 2, 3))
    yield "connection cut", in_lab(connections.cut, chance, max(4, options.kills // 2))
    for mode in ("lost", "unread", "answered", "late"):
        yield f"COMMIT {mode}", in_lab(connections.commit_lost, mode, (3,))
    yield "every COMMIT answered", in_lab(connections.commit_lost, "answered", (1, 2, 3))
    yield "COMMIT lost twice", in_lab(connections.commit_lost, "lost", (3, 4))
    yield "paused while another does its tick", in_lab(connections.paused)
    yield "SIGSTOP and SIGCONT", in_lab(connections.stopped_and_continued)
    yield "SIGINT", in_lab(connections.interrupted, signal.SIGINT, "SIGINT", 130)
    yield "SIGTERM", in_lab(connections.interrupted, signal.SIGTERM, "SIGTERM", 143)
    yield "readers see checked rows alone", in_lab(laws.readers)
    yield "a table keeps its identity", in_lab(laws.identity)
    yield "what is referred to is kept", in_lab(laws.identity_refused)
    yield "no cascade", in_lab(laws.no_cascade)
    yield "no change, no write", in_lab(laws.nothing_written)
    yield "views over tables of others", in_lab(laws.views_over_others)
    yield "views and their readers", in_lab(laws.view_readers)
    def told(function, *args):
        return in_lab(lambda lab, *rest: function(lab, *rest, say), *args)

    def many(quick):
        return 10000 if options.long else quick

    yield "points: kill -9 of the program", told(points.kill_program, chance, many(7))
    yield "points: kill -9 of the server", told(points.kill_server, chance, many(3))
    yield "points: connection cut", told(points.cut, chance, many(7))
    every = ("lost", "unread", "answered", "late")
    yield "points: COMMIT", told(points.commits, chance, many(3), every if options.long else every[1:3])
    yield "readers while parts are recomputed", told(readers.readers, chance, 200 if options.long else 25)
    yield "eight writers", told(writers.writers, chance, 300 if options.long else 10, False)
    yield "eight writers that truncate", told(writers.writers, chance, 60 if options.long else 4, True)
    yield "two projects", told(overlap.overlap, chance, 1000 if options.long else 50, False)
    yield "two projects through a pooler", told(overlap.overlap, chance, 1000 if options.long else 50, True)
    yield "kill -9 of backfill", told(backfills.kill_backfills, chance, max(3, options.kills // 4))
    yield "kill -9 of the server under a backfill", told(backfills.kill_server, chance, max(1, options.kills // 15))
    yield "runs beside a backfill", in_lab(backfills.runs_meanwhile, chance, 5 if options.long else 1)
    yield "disk full under tables", lambda progress: disk.tables(Lab, progress)
    yield "disk full under the server", lambda progress: disk.server(Lab, progress)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KILLS", "15")))
    parser.add_argument("--seed", type=int)
    parser.add_argument("--long", action="store_true", help="every point, minutes of writers, 1,000 runs at once")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    need_program()
    stop_on_signals()
    seed, chance = seeded(options.seed)
    suite = Suite("crash")
    with Lab() as lab:
        for name, test in tests_of(options, chance, lab, suite.say):
            if not options.names or any(n in name for n in options.names):
                suite.test(name, test, suite.progress)
    if suite.failed:
        suite.say(f"crash: again with --seed {seed} --kills {options.kills}")
    return suite.end()


if __name__ == "__main__":
    sys.exit(main_status(main))
