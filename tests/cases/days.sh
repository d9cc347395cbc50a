# For cases of tables kept up to date, sourced: a project whose source `orders` has a row a day, and a run looked at from
# all sides.
#
#     ask SQL         asks the database
#     deliver         writes data/orders.csv: id, day, amount for 40 days from 2024-01-01
#     model NAME KEYS a model: its front matter is given as YAML, its SQL on standard input
#     told            plan, run, what was recorded of it, and whether it was right
#     versions NAME   remembers the row versions of a table by day; `rewritten NAME` says which days have others now

ask() { psql -XAtq "$DATABASE_URL" -c "$1"; }
deliver() {
    echo id,day,amount
    for ((i = 0; i < 40; i++)); do printf '%d,%s,%d.5\n' $((i + 1)) "$(date -ud "2024-01-01 +$i days" +%F)" $((i % 7)); done
} >data/orders.csv
model() {
    { printf -- '-- ---\n'; printf '%s\n' "$2" | sed 's/^/-- /'; printf -- '-- ---\n'; cat; } >"models/$1.sql"
}
told() {
    t sluice plan "$@"
    t sluice run "$@"
    sluice logs --format json | python3 -c '
import json, sys
for step in json.load(sys.stdin)["steps"]:
    print(*[step[k] if step[k] is not None else "-" for k in ("node", "outcome", "decision", "touched")], sep=" | ")'
    t sluice verify
}
versions() { ask "select day, string_agg(xmin::text || ctid::text, ',' order by ctid) from $1 group by 1 order by 1" >"$HOME/$1"; }
rewritten() {
    ask "select day, string_agg(xmin::text || ctid::text, ',' order by ctid) from $1 group by 1 order by 1" >"$HOME/$1.now"
    diff "$HOME/$1" "$HOME/$1.now" | sed -nE 's/^> ([^|]+).*/\1/p' | tr '\n' ' ' | sed 's/^/rows written: /; s/ $//'
    echo
}

mkdir -p models sources data
cat >sluice.yaml <<'YAML'
name: shop
targets: {db: {url: "${DATABASE_URL}"}}
YAML
cat >sources/orders.yaml <<'YAML'
csv: data/orders.csv
columns: {id: integer, day: date, amount: "numeric(10,2)"}
unique_key: [id]
time_column: day
YAML
deliver
