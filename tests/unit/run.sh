#!/bin/sh
# Runs unit test programs; prints the output of those that fail, then `unit: N passed, N failed`.
passed=0 failed=0
out=$(mktemp) || exit 1
trap 'rm -f "$out"' EXIT
for program; do
  if "$program" >"$out" 2>&1; then status=ok; else status=failed; fi
  [ "$status" = ok ] || { printf '%s\n' "--- $program"; cat "$out"; }
  ok=$(grep -c '^\[       OK \]' "$out") bad=$(grep '^\[  FAILED  \] [^0-9]' "$out" | sort -u | grep -c .)
  [ "$status" = ok ] || [ "$bad" -gt 0 ] || bad=1
  [ "$status" = ok ] && bad=0
  passed=$((passed + ok)) failed=$((failed + bad))
done
echo "unit: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
