#!/bin/bash
# Holds the source tree to its floors: who may include whom, which file may know which library, what may not be called.
set -u
cd "$(dirname "$0")/../.." || exit 1
rooms=$(sed -n 's/^ROOMS := //p' Makefile)
apart='pg sql csv schedule' # rooms that do not know each other
bad=0

complain() { printf '%s\n' "$*"; bad=1; }

floor_of() { # the number of a room, counted from the top
  local i=0 room
  for room in $rooms; do
    i=$((i + 1))
    [ "$room" = "$1" ] && { echo "$i"; return; }
  done
}

is_apart() { [[ " $apart " == *" $1 "* ]]; }

code_of() { # without comments and strings, line by line as it was
  sed -e 's:"\([^"\\]\|\\.\)*":"":g' "$1" | awk '
    {
      out = ""
      while (length($0)) {
        if (inside) {
          end = index($0, "*/")
          if (!end) { $0 = ""; break }
          $0 = substr($0, end + 2); inside = 0
        } else {
          begin = index($0, "/*")
          if (!begin) { out = out $0; $0 = ""; break }
          out = out substr($0, 1, begin - 1); $0 = substr($0, begin + 2); inside = 1
        }
      }
      print out
    }'
}

for folder in src/*/; do
  room=$(basename "$folder")
  [ -n "$(floor_of "$room")" ] || complain "src/$room: no room of the Makefile's ROOMS"
  case $room in util* | helper* | misc* | common*) complain "src/$room: says nothing of what is in it" ;; esac
done

while IFS=: read -r file line other; do
  room=$(cut -d/ -f2 <<<"$file")
  [ "$room" = "$other" ] && continue
  to=$(floor_of "$other")
  if [ -z "$to" ]; then
    complain "$file:$line: includes from '$other', which is no room"
  elif [ "$to" -ge "$(floor_of "$room")" ]; then
    complain "$file:$line: $room includes from $other, a room below it"
  elif is_apart "$room" && is_apart "$other"; then
    complain "$file:$line: $room and $other do not know each other"
  fi
done < <(grep -nE '^#include "[a-z_]+/' src/*/*.[ch] | sed -E 's:^([^:]*)\:([0-9]+)\:#include "([a-z_]+)/.*:\1\:\2\:\3:')

only() { # HEADER, then the paths that may include it
  local header=$1 file
  shift
  for file in $(grep -lE "^#include <(.*/)?$header>" src/*/*.[ch]); do
    local allowed=no path
    for path; do [[ $file == $path* ]] && allowed=yes; done
    [ $allowed = yes ] || complain "$file: includes $header; only $* may"
  done
}
only 'libpq-fe\.h' src/pg/
only 'pg_query\.h' src/sql/parse.c
only 'yaml\.h' src/project/yaml.c

for file in src/*/*.[ch] tests/unit/*/*.c; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 600 ] || complain "$file: $lines lines; a file has at most 600"
  [[ $file != *.h ]] || grep -q '^#pragma once$' "$file" || complain "$file: no #pragma once"
done

banned='strcpy|strcat|stpcpy|sprintf|vsprintf|gets|strtok|alloca|rand|system|popen|setenv|putenv|unsetenv|tzset|localtime|localtime_r|mktime|setjmp|longjmp|tmpnam|mktemp'
for file in src/*/*.[ch]; do
  calls=$banned
  # Before there are threads: cluster_clear_environment().
  [[ $file != src/pg/server_cluster.c ]] || calls=${banned/|unsetenv/}
  found=$(code_of "$file" | grep -nE "(^|[^A-Za-z0-9_.>])($calls) *\(" | head -n 1)
  [ -z "$found" ] || complain "$file:${found%%:*}: a call that is not used here: ${found#*:}"
  [[ $file == src/cli/* ]] && continue
  found=$(code_of "$file" | grep -nE '(^|[^A-Za-z0-9_])exit *\(' | head -n 1)
  [ -z "$found" ] || complain "$file:${found%%:*}: only cli ends the program"
done
exit $bad
