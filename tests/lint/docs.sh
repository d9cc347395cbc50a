#!/bin/bash
# Holds docs/ to the program's own tables. With --update it writes what is made from them.
set -u
cd "$(dirname "$0")/../.." || exit 1
sluice=${SLUICE:-build/sluice}
bad=0

compare() { # FILE FORMAT
  if [ "${update:-}" = yes ]; then
    "$sluice" help --format "$2" >"$1"
  elif ! diff -u "$1" <("$sluice" help --format "$2") >/dev/null; then
    diff -u "$1" <("$sluice" help --format "$2") | head -n 20
    echo "$1 is not what the program says: run tests/lint/docs.sh --update"
    bad=1
  fi
}
[ "${1:-}" = --update ] && update=yes
compare docs/reference.md markdown
compare docs/sluice.1 man
if [ "${update:-}" = yes ]; then
  tests/lint/decisions.sh >docs/decisions.md
elif ! tests/lint/decisions.sh | cmp -s - docs/decisions.md; then
  echo "docs/decisions.md is not what tests/data/reach/shapes.txt says: run tests/lint/docs.sh --update"
  bad=1
fi

if command -v man >/dev/null; then
  warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z docs/sluice.1 2>&1 >/dev/null)
  [ -z "$warnings" ] || { echo "$warnings"; bad=1; }
fi

# Links within the documents lead somewhere.
for file in README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md docs/*.md; do
  [ -f "$file" ] || continue
  while read -r link; do
    target=${link%%#*}
    [ -z "$target" ] || [ -e "$(dirname "$file")/$target" ] || { echo "$file: the link to $link leads nowhere"; bad=1; }
  done < <(grep -oE '\]\([^)]+\)' "$file" | sed -E 's/^\]\(//; s/\)$//' | grep -vE '^(https?|mailto):')
done

# Commands and options that the documents show exist.
known=$("$sluice" help --format markdown)
for command in $(grep -ohE '(^    |^|`)sluice [a-z]+' README.md docs/guide.md docs/operations.md | awk '{print $2}' | sort -u); do
  grep -q "^### sluice $command\$" <<<"$known" || { echo "the documents show 'sluice $command', which is no command"; bad=1; }
done
exit $bad
