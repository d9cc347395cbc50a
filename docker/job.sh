#!/bin/sh
# The shell of the job's crontab: cron calls it as `job.sh -c COMMAND`. It adds what cron does not give a job: the
# container's environment, and a log that stays bounded. With --print instead of -c, output is left where it goes.
set -eu
# shellcheck disable=SC1091  # made by cron.sh
. /run/sluice/environment

if [ "$1" = --print ]; then
  shift
  exec /bin/sh -c "$@"
fi

log=/var/log/cron.log
most=10485760 # bytes; one older file of that size is kept
if [ "$(stat -c %s "$log")" -gt "$most" ]; then
  cp "$log" "$log.1"
  : >"$log"
fi
exec /bin/sh "$@" >>"$log" 2>&1
