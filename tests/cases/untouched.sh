# For cases of bad input, sourced: whether what is published was left as it is.
#
#     keep         remembers every relation outside the ledger: identity, definition, each row with its place and version
#     untouched    says `untouched`, or what differs: rows that were written, tables that were left behind or are gone

photograph() {
    psql -XAtq "${1:-$DATABASE_URL}" <<'END_OF_SQL'
select format($$select %L, %s, count(*), md5(string_agg(concat_ws(' ', r.ctid, r.xmin, (r.*)::text), ',' order by r.ctid))
                from %s r$$, c.oid::regclass, c.oid, c.oid::regclass)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname !~ '^(pg_|information_schema$|sluice$)'
order by c.oid \gexec
select c.oid, c.oid::regclass, pg_get_viewdef(c.oid)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'v' and n.nspname !~ '^(pg_|information_schema$|sluice$)'
order by c.oid
END_OF_SQL
}
keep() { photograph "$@" > "$HOME/kept"; }
untouched() {
    photograph "$@" > "$HOME/now"
    diff "$HOME/kept" "$HOME/now" && echo untouched || true
}
