#!/bin/bash
# Shell scripts as shellcheck would have them, and the Python scripts at least of valid syntax.
cd "$(dirname "$0")/../.." || exit 1
bad=0
scripts=$(git ls-files -co --exclude-standard | while read -r file; do
  [ -f "$file" ] && head -c 64 "$file" | head -n 1 | grep -qaE '^#!.*\b(ba)?sh\b' && echo "$file"
done)
# SC2091: tests/run runs what command_of prints, and means to.
# shellcheck disable=SC2086  # names without blanks
shellcheck --severity=warning --exclude=SC2091 $scripts || bad=1
for file in $(git ls-files -co --exclude-standard '*.py'); do
  [ -f "$file" ] || continue
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || bad=1
done
exit $bad
