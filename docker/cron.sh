#!/bin/sh
# What the service cron runs, as root: the job once, then Debian's cron, which runs it by the schedule. cron must be
# root to become the job's user; the job itself runs as the user sluice.
set -eu

job=/usr/local/lib/sluice/job.sh
log=/var/log/cron.log
as_job_user() { setpriv --reuid sluice --regid sluice --init-groups --reset-env "$@"; }

# cron gives its jobs hardly any environment, so job.sh reads it from a file, which only the job's user may read.
# `export -p` quotes every value such that a shell reads back the same bytes.
umask 077
mkdir -p /run/sluice
(unset HOME PWD OLDPWD SHLVL HOSTNAME USER LOGNAME SHELL; export -p) >/run/sluice/environment
chown -R sluice:sluice /run/sluice
umask 022

# Everything ends on SIGTERM at once: cron, tail and a job that is under way, which rolls back.
stop() {
  trap '' TERM INT
  kill -TERM -1 || true
  wait
  exit 0
}
trap stop TERM INT

# The log goes to the container's own output too. From its end: what is there was shown before a restart.
tail -n 0 -F "$log" 2>/dev/null &

# A failure here is in the log, and the next tick tries again. Waiting in the background lets the trap work.
as_job_user "$job" -c 'cd /project && sluice run path:models' &
wait $! || true

as_job_user "$job" --print 'cd /project && sluice crontab' >/run/sluice/crontab.new
{
  printf '# Made when this container started, from the output of sluice crontab.\n'
  printf 'SHELL=%s\nMAILTO=""\n' "$job"
  cat /run/sluice/crontab.new
} | crontab -u sluice -

rm -f /run/crond.pid
cron -f &
wait $!
