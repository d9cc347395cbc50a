#include <stdlib.h>
#include <string.h>

#include "pg/conn.h"
#include "pg/wire.h"

static bool valid_utf8(const char *s)
{
    for (size_t left = strlen(s), n; left > 0; s += n, left -= n) {
        n = utf8_len(s, left);
        if (n == 0)
            return false;
    }
    return true;
}

static bool append_escaped(Conn *conn, Text *out, const char *s, char directive, Error *err)
{
    bool name = directive == 'I';
    size_t len = strlen(s);
    TEXT_AUTO(shown);
    text_append_shown(&shown, s, len, 80);
    if (!valid_utf8(s))
        return error_set(err, ERROR_PROJECT, "the %s \"%s\" is no valid UTF-8", name ? "name" : "value",
                         text_str(&shown));
    if (name && (len == 0 || len > NAME_BYTES_MAX))
        return error_set(err, ERROR_PROJECT, "the name \"%s\" has %zu bytes, PostgreSQL takes 1 to %d",
                         text_str(&shown), len, NAME_BYTES_MAX);
    char *quoted = name ? PQescapeIdentifier(conn->pg, s, len) : PQescapeLiteral(conn->pg, s, len);
    if (!quoted)
        return error_set(err, ERROR_PROJECT, "\"%s\" cannot be quoted for SQL", text_str(&shown));
    text_append(out, quoted);
    PQfreemem(quoted);
    return true;
}

bool conn_format(Conn *conn, Text *out, Error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    bool ok = true;
    for (const char *p = fmt; *p && ok; p++) {
        if (*p != '%') {
            text_append_char(out, *p);
            continue;
        }
        p++;
        if (*p == 'I' || *p == 'L') {
            const char *s = va_arg(ap, const char *);
            if (!s && *p == 'L')
                text_append(out, "NULL");
            else
                ok = append_escaped(conn, out, s ? s : "", *p, err);
        } else if (*p == 's') {
            text_append(out, va_arg(ap, const char *));
        } else if (*p == '%') {
            text_append_char(out, '%');
        } else {
            abort(); /* a directive that is none: a bug of the caller */
        }
    }
    va_end(ap);
    return ok;
}
