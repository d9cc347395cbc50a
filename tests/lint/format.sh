#!/bin/bash
# Every C file stands as clang-format lays it out.
cd "$(dirname "$0")/../.." || exit 1
find src tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run -Werror
