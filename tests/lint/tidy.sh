#!/bin/bash
# clang-tidy on the program's C files, as many at a time as there are processors. CPPFLAGS comes from the Makefile:
# words for a shell to take apart, as in its recipes. Nearly all of the time is the analyser's: a third of its usual bound
# on the states of one function takes a third of it, and missed one of twenty findings, a false alarm.
cd "$(dirname "$0")/../.." || exit 1
export CPPFLAGS="${CPPFLAGS:--D_GNU_SOURCE -DSLUICE_VERSION=\\\"0\\\" -Isrc $(pkg-config --cflags libpq yaml-0.1)}"
export ANALYZER='-Xclang -analyzer-config -Xclang max-nodes=75000'
# shellcheck disable=SC2016  # for the inner shell
find src -name '*.c' -print0 | sort -z |
  xargs -0 -n 4 -P "$(nproc)" sh -c '
    found=$(eval "clang-tidy --quiet \"\$@\" -- $ANALYZER $CPPFLAGS -std=c17" 2>&1)
    status=$?
    printf "%s\n" "$found" # at once: what two say at a time stays apart
    exit $status' tidy |
  grep -vE '^$|^[0-9]+ warnings? (and [0-9]+ errors? )?(generated|treated)|^Suppressed|^Use -header-filter'
exit "${PIPESTATUS[2]}"
