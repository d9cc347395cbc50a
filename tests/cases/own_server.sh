# For cases that need a PostgreSQL of their own, sourced: on a unix socket in ./server, and ended with the case.
#
#     own_server_make [OPTION OF INITDB]...
#     own_server_start [OPTION OF POSTGRES]...    in the background; `own_server_wait` until it takes connections
#     own_server_stop

own_server() { # as the user that PostgreSQL agrees to run as
    if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi
}
own_server_make() {
    mkdir "$PWD/server"
    [ "$(id -u)" != 0 ] || chown -R postgres "$PWD/server"
    own_server "$PG_BINDIR/initdb" -D "$PWD/server/data" -U postgres -N -E UTF8 "$@" > /dev/null
}
own_server_start() {
    own_server "$PG_BINDIR/postgres" -D "$PWD/server/data" -k "$PWD/server" -c listen_addresses= -c fsync=off "$@" \
        > /dev/null 2>&1 &
    trap own_server_stop EXIT
}
own_server_wait() {
    until "$PG_BINDIR/pg_isready" -q -h "$PWD/server"; do sleep 0.05; done
}
own_server_stop() {
    [ ! -f "$PWD/server/data/postmaster.pid" ] || own_server "$PG_BINDIR/pg_ctl" -D "$PWD/server/data" -m immediate -w stop > /dev/null
}
