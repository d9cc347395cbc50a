#!/bin/sh
# The main job, on a private PostgreSQL: load, compute, show. Usage: demo.sh SLUICE
set -eu
sluice=$1
cd "$(dirname "$0")/loans"
say() { printf '\n$ sluice %s\n' "$*"; }

say run
"$sluice" run
say status
"$sluice" status
printf '\nThe newest run, its last ten days with a ratio:\n'
"$sluice" db psql -- -X -P pager=off -c '
  select date_of_repayment, number_of_loans, "default", liquidation,
         round(liquidation_to_default_ratio, 4) as ratio, round(rolling_avg_7_days, 4) as avg_7_days,
         created_at::timestamptz(0)
  from default_liquidation_rolling_avg where liquidation_to_default_ratio is not null
  order by date_of_repayment desc limit 10'
printf '\nEvery run keeps its rows:\n'
"$sluice" db psql -- -X -P pager=off -c '
  select created_at, count(*) as rows from default_liquidation_rolling_avg_hist group by 1 order by 1 desc limit 5'
cat <<END
PostgreSQL goes on running under examples/loans/.sluice. In examples/loans:
  $sluice db psql     look around
  $sluice crontab     the line for cron: every minute, what is due
  $sluice db stop     stop it
END
