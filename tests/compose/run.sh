#!/usr/bin/env bash
# The compose file for real: a fresh copy of the tree, `docker-compose -f docker-compose.yml up`, and everything that
# README.md says one sees then. Needs a Docker engine and port 8080; without an engine it is skipped, and says so.
#
#   tests/compose/run.sh
#   COMPOSE_MINUTES=5 tests/compose/run.sh    wait for five runs in five minutes (default: 3)
# shellcheck disable=SC2317  # functions are called by name, through check and within
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

if ! docker info >/dev/null 2>&1; then
  echo "compose: skipped, no Docker engine answers"
  exit 0
fi
if command -v docker-compose >/dev/null; then compose=(docker-compose); else compose=(docker compose); fi

minutes=${COMPOSE_MINUTES:-3}
tmp=$(mktemp -d)
chmod 755 "$tmp"
export COMPOSE_PROJECT_NAME=sluicetest$$ SLUICE_IMAGE=sluice:test$$
unset POSTGRES_USER POSTGRES_PASSWORD ADMINER_ADDRESS
passed=0 failed=0

dc() { "${compose[@]}" -f docker-compose.yml "$@"; }

clean_up() {
  { cd "$tmp/tree" && dc down -v --remove-orphans; docker rmi "$SLUICE_IMAGE"; } >/dev/null 2>&1
  rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check WHAT COMMAND...: passes where the command does.
check() {
  local what=$1
  shift
  if "$@" >"$tmp/out" 2>&1; then
    passed=$((passed + 1))
    echo "ok    $what"
  else
    failed=$((failed + 1))
    echo "FAIL  $what"
    tail -n 20 "$tmp/out" | sed 's/^/      /'
  fi
}

finish() {
  if ((failed)); then
    echo "--- logs of the services"
    dc logs --no-color --tail=40 2>&1
  fi
  echo "compose: $passed passed, $failed failed"
  ((failed == 0))
  exit
}

# within SECONDS COMMAND...: tries until it passes.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 1
  done
}

same() { [[ $1 == "$2" ]] || { echo "expected: $2"; echo "found:    $1"; return 1; }; }
at_least() {
  if [[ $1 =~ ^[0-9]+$ ]] && (($1 >= $2)); then return 0; fi
  echo "expected at least $2, found: $1"
  return 1
}
state() { docker inspect -f "$2" "$(docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
  --filter "label=com.docker.compose.service=$1")"; }
sql() { dc exec -T db psql -X -U "${POSTGRES_USER:-perpay}" -d perpay -Atc "$1"; }

services() { same "$(dc config --services | sort | tr '\n' ' ')" "adminer cron db loader "; }
loader_done() { same "$(state loader '{{.State.Status}} {{.State.ExitCode}}')" "exited 0"; }
running() { same "$(state "$1" '{{.State.Status}}')" running; }
rows() { same "$(sql "select count(*) from $1")" "$2"; }
runs() { at_least "$(sql 'select count(distinct created_at) from default_liquidation_rolling_avg_hist')" "$1"; }
newest_run() { same "$(sql 'select count(*) from default_liquidation_rolling_avg')" "$1"; }

login_page() {
  curl -sS --max-time 20 http://localhost:8080/ >"$tmp/page" || return 1
  grep -q 'auth\[driver\]' "$tmp/page" && grep -q 'PostgreSQL' "$tmp/page" && grep -q 'auth\[password\]' "$tmp/page"
}

login() {
  rm -f "$tmp/cookies"
  curl -sSL --max-time 20 -c "$tmp/cookies" -b "$tmp/cookies" -o "$tmp/page" http://localhost:8080/ || return 1
  curl -sSL --max-time 20 -c "$tmp/cookies" -b "$tmp/cookies" -o "$tmp/page" \
    --data-urlencode 'auth[driver]=pgsql' --data-urlencode 'auth[server]=db' --data-urlencode 'auth[username]=perpay' \
    --data-urlencode "auth[password]=$1" --data-urlencode 'auth[db]=perpay' http://localhost:8080/ || return 1
  local table
  for table in loans default_liquidation_rolling_avg_hist; do
    grep -Eq "table=${table}['\"&]" "$tmp/page" || { echo "$table is not on the page"; return 1; }
  done
}
no_login() { ! login "$1"; }

oracle() {
  sql '\copy (select * from default_liquidation_rolling_avg_hist) to stdout csv header' >"$tmp/dump.csv" || return 1
  python3 tests/oracle/loans.py examples/loans/data/loans.csv "$tmp/dump.csv"
}

log_inside() { at_least "$(dc exec -T cron grep -c . /var/log/cron.log)" "$1"; }
log_outside() { at_least "$(dc logs --no-color cron | grep -c "default_liquidation_rolling_avg_hist")" "$1"; }
environment_private() { same "$(dc exec -T cron stat -c '%a %U' /run/sluice/environment)" "600 sluice"; }
crontab_ours() {
  dc exec -T cron crontab -u sluice -l >"$tmp/crontab"
  same "$(grep -c '^\* \* \* \* \* .*sluice.* run --due' "$tmp/crontab")" 1
}
not_root() { [[ $(dc run --rm -T --no-deps --entrypoint id loader -u) -ne 0 ]]; }

stops_quickly() {
  local before=${EPOCHREALTIME/[.,]/} after
  dc stop || return 1
  after=${EPOCHREALTIME/[.,]/}
  echo "stop took $(((after - before) / 1000)) ms"
  ((after - before < 5000000))
}

restarted_loader() {
  local before
  before=$(state loader '{{.State.StartedAt}}')
  dc restart loader || return 1
  within 60 newer_and_done "$before"
}
newer_and_done() { [[ $(state loader '{{.State.StartedAt}}') > $1 ]] && loader_done; }

secret_hidden() { ! { dc logs --no-color; dc exec -T cron cat /var/log/cron.log; } 2>&1 | grep -F -- "$1"; }

# --- a fresh clone, nothing prepared ------------------------------------------------------------------------------
mkdir "$tmp/tree"
git ls-files -z | while IFS= read -r -d '' file; do [[ -e $file ]] && printf '%s\0' "$file"; done |
  tar --null -T - -cf - | tar -C "$tmp/tree" -xf - || exit 1
cd "$tmp/tree" || exit 1
csv=examples/loans/data/loans.csv
days=$(($(wc -l <"$csv") - 1))

check "the compose file has exactly four services" services
check "docker-compose -f docker-compose.yml up" "${compose[@]}" -f docker-compose.yml up -d
started=$SECONDS
((failed == 0)) || finish

check "loader exited 0" within 60 loader_done
for service in db adminer cron; do check "$service is running" within 30 running "$service"; done
check "loans has every day of the file" rows loans "$days"
check "the job ran when cron started" within 30 runs 1
check "the view shows that run" newest_run "$days"
check "Adminer's login page" within 30 login_page
check "Adminer lets in with the fields of README.md and shows both tables" login perpay
check "Adminer refuses another password" no_login wrong
check "the loader's user is not root" not_root
check "the job's environment is for its user alone" environment_private
check "the crontab is the one of sluice crontab" crontab_ours
check "$minutes runs within $minutes minutes" within $((minutes * 60 - SECONDS + started)) runs "$minutes"
check "every run equals the oracle" oracle
check "/var/log/cron.log has entries" log_inside "$minutes"
check "docker-compose logs shows the job's log" log_outside "$minutes"

# --- a changed file, without a rebuild ----------------------------------------------------------------------------
echo "2023-05-10,7,1,3" >>"$csv"
check "docker-compose restart loader" restarted_loader
check "the changed file arrived" rows loans "$((days + 1))"
check "the next run has it" within 75 newest_run "$((days + 1))"

# --- stop, down, up -----------------------------------------------------------------------------------------------
kept=$(sql 'select count(distinct created_at) from default_liquidation_rolling_avg_hist')
check "stop takes less than 5 seconds" stops_quickly
check "docker-compose down" dc down
check "docker-compose up again" "${compose[@]}" -f docker-compose.yml up -d
check "the earlier runs are still there, and a new one" within 30 runs "$((kept + 1))"

# --- a user and a password of one's own, with every character that could go wrong -----------------------------------
check "docker-compose down -v" dc down -v
export POSTGRES_USER=o.wner POSTGRES_PASSWORD="s3cr@t/:?#%'\"\\ \$x"
check "up with another user and password" "${compose[@]}" -f docker-compose.yml up -d
check "loader exited 0" within 60 loader_done
check "the job ran when cron started" within 30 runs 1
check "the job ran by its schedule" within 75 runs 2
check "the password is in no log" secret_hidden "$POSTGRES_PASSWORD"
finish
