#!/usr/bin/env python3
"""Runs a command, prints what it prints and its exit status, and says where it took more than 64 MB or 20 seconds.

A program built with a sanitizer takes more memory than it does itself: there only the time counts.
"""
import os
import resource
import shutil
import subprocess
import sys
import time

MEGABYTES, SECONDS = 64, 20

begun = time.monotonic()
try:
    done = subprocess.run(sys.argv[1:], timeout=3 * SECONDS)
except subprocess.TimeoutExpired:
    sys.exit("lean: it does not end")
took = time.monotonic() - begun
if done.returncode:
    print(f"[exit {done.returncode}]", flush=True)
with open(os.path.realpath(shutil.which(sys.argv[1])), "rb") as program:
    code = program.read()
sanitized = b"__asan_init" in code or b"__tsan_init" in code
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
if peak >= MEGABYTES and not sanitized:
    print(f"lean: it took {peak} MB")
elif took >= SECONDS:
    print(f"lean: it took {took:.0f} s")
else:
    print("lean")
