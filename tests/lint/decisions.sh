#!/bin/bash
# docs/decisions.md from tests/data/reach/shapes.txt, on standard output.
cd "$(dirname "$0")/../.." || exit 1
awk '
function html(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function cell(s) { s = html(s); gsub(/\|/, "\\&#124;", s); gsub(/\n/, "<br>", s); gsub(/ /, "\\&nbsp;", s); return s }
function plain(s) { s = html(s); gsub(/\|/, "\\&#124;", s); gsub(/\n/, "<br>", s); return s }
function shortened(s,   lines, n, i) {
  n = split(s, lines, "\n")
  if (n <= 30) return s
  s = lines[1]
  for (i = 2; i <= 12; i++) s = s "\n" lines[i]
  return s "\n... (" n " lines)"
}
function flush_shape() {
  if (title == "") return
  printf "| %s<br><code>%s</code> | %s | %s | %s |\n", plain(title), cell(shortened(sql)), plain(change), plain(decision), plain(why)
  title = ""; count++
}
BEGIN {
  print "# How far a change reaches"
  print ""
  print "For each shape of query: what changed in its inputs, what is recomputed, and why. `sluice plan` says the same of your"
  print "models. **skip**: nothing to do; **range**: these times of the result; **from**: everything from a time on, or up to"
  print "one; **full**: all of it. What the analysis cannot prove is full."
  print ""
  print "The tables and their `time_column`: `loans` (date_of_repayment date), `orders`, `payments`, `rates` (day date),"
  print "`events` (at timestamptz), `readings` (at timestamp), `ticks` (block bigint), `customers` (none). Made from"
  print "tests/data/reach/shapes.txt, whose every shape is a test."
}
/^#/ { next }
/^=== / { flush_shape(); printf "\n## %s\n\n| query | changed | recomputed | because |\n| --- | --- | --- | --- |\n", substr($0, 5); next }
/^--- / { flush_shape(); title = substr($0, 5); sql = change = decision = why = ""; next }
/^> change / { change = change (change == "" ? "" : "\n") substr($0, 10); next }
/^> (time|lookback) / { change = change (change == "" ? "" : "\n") substr($0, 3); next }
/^> needs / { next }
/^> warns / { why = why (why == "" ? "" : "\n") "warning: " substr($0, 9); next }
/^> because / { why = substr($0, 11); next }
/^> / { decision = substr($0, 3); sub(/^[a-z]+/, "**&**", decision); next }
title != "" && NF { sql = sql (sql == "" ? "" : "\n") $0 }
END { flush_shape(); printf "\n%d shapes.\n", count }
' tests/data/reach/shapes.txt
