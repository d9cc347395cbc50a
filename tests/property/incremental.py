#!/usr/bin/env python3
"""Incremental equals full: random models, random changes, and after each run every table against its query.

    incremental.py [--sequences N] [--seed S] [--models N] [--rounds N] [--jobs N]
    incremental.py --project SEED [--only MODEL]       one project again, or one model of it
    incremental.py --cases                             the projects of regressions.py alone

A sequence is one model through all rounds of changes of its project. Prints what was decided per kind of query, then
`incremental: N passed, M failed`. SLUICE names the program; VERBOSE=1 tells more.
"""
import argparse
import multiprocessing
import os
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "crash"))

from lab import Lab, main_status, need_program, seeded, stop_on_signals  # noqa: E402
from project import Project, show_rounds  # noqa: E402
from regressions import CASES, Case  # noqa: E402

DECISIONS = ["skip", "range", "from", "full", "?"]
SHRINKS = 3  # failures that are made smaller; each takes some seconds
SHRINK_SECONDS = 40


def quick(lab):
    """The server is thrown away: it need not survive a crash."""
    lab.run("db", "start", status=0)
    pg = lab.connect()
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off", "autovacuum = off"):
        pg.rows(f"alter system set {setting}")
    pg.rows("select pg_reload_conf()")
    pg.close()


def shrink(lab, seed, options, name):
    """The rounds with as many actions left out as the failure does without."""
    end = time.monotonic() + SHRINK_SECONDS

    def fails(rounds):
        project = Project(lab, seed, options.models, options.rounds, name).go(rounds)
        return name in project.failures

    rounds = Project(lab, seed, options.models, options.rounds, name).rounds
    if not fails(rounds):
        return None
    smaller = True
    while smaller and time.monotonic() < end:
        smaller = False
        for i in reversed(range(len(rounds))):
            for when in ("before", "during"):
                for j in reversed(range(len(rounds[i][when]))):
                    tried = [dict(r) for r in rounds]
                    tried[i][when] = tried[i][when][:j] + tried[i][when][j + 1:]
                    if time.monotonic() < end and fails(tried):
                        rounds, smaller = tried, True
    return [r for r in rounds if r["before"] or r["during"]]


def report(lab, project, failure, options, shrinks):
    model = failure.model
    lines = [f"incremental: FAILED: {model.name} of project {project.seed}, round {failure.number}: {model.query.kind}",
             f"  again: SLUICE={lab.program} tests/property/incremental.py " +
             ("--cases" if isinstance(project, Case) else f"--models {options.models} --rounds {options.rounds} "
              f"--project {project.seed} --only {model.name}")]
    for other in project.models:
        if other.name in model.needs or other is model:
            lines += [f"  {other.name}.sql:"] + ["    " + line for line in other.file().splitlines()]
    lines.append(f"  {failure.what}".replace("\n", "\n  "))
    random = not isinstance(project, Case)
    rounds = shrink(lab, project.seed, options, model.name) if shrinks > 0 and random else None
    lines.append("  changes that are enough:" if rounds else "  changes:")
    used = model.needs
    for line in show_rounds(rounds or project.rounds, len(rounds) if rounds else failure.number):
        if rounds or not line.startswith("    ") or any(f" {u} " in line or f"{u}.csv" in line for u in used):
            lines.append(line)
    return "\n".join(lines)


def one_project(lab, seed, options, shrinks):
    """(sequences that passed, that failed, decisions, texts, seconds)"""
    case = next((c for c in CASES if c["name"] == seed), None)
    project = (Case(lab, case) if case else Project(lab, seed, options.models, options.rounds, options.only)).go()
    failed = list(project.failures.values())
    passed = [m for m in project.compared if m.name not in project.failures and m.name not in project.broken]
    volatile = sum(m.query.volatile for m in project.models)
    texts = [report(lab, project, f, options, shrinks - i) for i, f in enumerate(failed)]
    if os.environ.get("VERBOSE"):
        texts += project.notes
    return len(passed), len(failed), project.decisions, texts, project.seconds, volatile, len(project.broken), project.odd


def work(seeds, results, options):
    """A process of its own, with a server of its own."""
    stop_on_signals()
    try:
        with Lab() as lab:
            quick(lab)
            shrinks = SHRINKS
            while (seed := seeds.get()) is not None:
                try:
                    result = one_project(lab, seed, options, shrinks)
                    shrinks -= result[1]
                    results.put(result)
                except Exception:  # whatever ended it, this project failed
                    text = f"incremental: FAILED: project {seed} (again with --project {seed}):\n{traceback.format_exc()}"
                    results.put((0, 1, {}, [text], {}, 0, 0, 0))
                    lab.kill_children()
    except KeyboardInterrupt:
        pass
    finally:
        results.put(None)


class Totals:
    def __init__(self):
        self.passed = self.failed = self.volatile = self.broken = self.odd = 0
        self.decisions, self.seconds = {}, {}

    def add(self, result):
        passed, failed, decisions, texts, seconds, volatile, broken, odd = result
        self.passed += passed
        self.failed += failed
        self.volatile += volatile
        self.broken += broken
        self.odd += odd
        for kind, counts in decisions.items():
            mine = self.decisions.setdefault(kind, {})
            for decision, count in counts.items():
                mine[decision] = mine.get(decision, 0) + count
        for what, spent in seconds.items():
            self.seconds[what] = self.seconds.get(what, 0) + spent
        for text in texts:
            print(text, flush=True)

    def show(self):
        print(f"{'decisions after the first run':42}" + "".join(f"{d:>8}" for d in DECISIONS if self.count(d)))
        for kind in sorted(self.decisions) + ["all"]:
            counts = [self.count(d, kind) for d in DECISIONS if self.count(d)]
            print(f"{kind:42}" + "".join(f"{n:8}" for n in counts))
        print("seconds: " + ", ".join(f"{what} {spent:.0f}" for what, spent in self.seconds.items()))
        print(f"not compared: {self.volatile} whose result is never the same, {self.broken} whose query fails on the changed "
              f"rows; {self.odd} candidates refused by the server")

    def count(self, decision, kind="all"):
        kinds = self.decisions.values() if kind == "all" else [self.decisions.get(kind, {})]
        return sum(counts.get(decision, 0) for counts in kinds)


def run_all(options, seed):
    seeds, results = multiprocessing.Queue(), multiprocessing.Queue()
    if options.project:
        projects = [options.project]
    else:
        projects = [case["name"] for case in CASES]
        count = 0 if options.cases else -(-options.sequences // max(1, options.models * 9 // 10))
        projects += [f"{seed}-{i}" for i in range(count)]
    for project in projects:
        seeds.put(project)
    jobs = min(options.jobs, len(projects))
    workers = [multiprocessing.Process(target=work, args=(seeds, results, options)) for _ in range(jobs)]
    for worker in workers:
        seeds.put(None)
        worker.start()
    totals, running = Totals(), jobs
    try:
        while running:
            result = results.get()
            if result is None:
                running -= 1
                continue
            totals.add(result)
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[Kincremental: {totals.passed} passed, {totals.failed} failed\r")
    finally:
        for worker in workers:
            worker.join(20)
            if worker.is_alive():
                worker.terminate()
    return totals


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=int(os.environ.get("SEQUENCES", "2000")))
    parser.add_argument("--seed", type=int, default=1, help="0: another one each time")
    parser.add_argument("--models", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--project")
    parser.add_argument("--only")
    parser.add_argument("--cases", action="store_true")
    options = parser.parse_args()
    need_program()
    stop_on_signals()
    seed, _ = seeded(options.seed or None)
    totals = run_all(options, seed)
    totals.show()
    if not options.project:
        print(f"incremental: seed {seed}")
    print(f"incremental: {totals.passed} passed, {totals.failed} failed")
    return 1 if totals.failed else 0


if __name__ == "__main__":
    sys.exit(main_status(main))
