#!/bin/bash
# clang-tidy on the program's C files, as many at a time as there are processors. CPPFLAGS comes from the Makefile:
# words for a shell to take apart, as in its recipes.
cd "$(dirname "$0")/../.." || exit 1
export CPPFLAGS="${CPPFLAGS:--D_GNU_SOURCE -DSLUICE_VERSION=\\\"0\\\" -Isrc $(pkg-config --cflags libpq yaml-0.1)}"
# shellcheck disable=SC2016  # for the inner shell
find src -name '*.c' -print0 | sort -z |
  xargs -0 -n 4 -P "$(nproc)" sh -c 'eval "clang-tidy --quiet \"\$@\" -- $CPPFLAGS -std=c17"' tidy 2>&1 |
  grep -vE '^[0-9]+ warnings? (and [0-9]+ errors? )?(generated|treated)|^Suppressed|^Use -header-filter'
exit "${PIPESTATUS[2]}"
