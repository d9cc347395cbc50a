#include "pg/hosts.h"

#include <string.h>

#include "base/arena.h"

enum { HOSTS_MAX = 64 };

/* A comma separated list of libpq's; one port may stand for all hosts. */
typedef struct List {
    const char *text;
    int count;
} List;

static List list_of(const PQconninfoOption *options, const char *keyword)
{
    List list = {.text = ""};
    for (const PQconninfoOption *option = options; option->keyword; option++)
        if (str_eq(option->keyword, keyword) && option->val)
            list.text = option->val;
    for (const char *p = list.text; *p; p++)
        list.count += *p == ',';
    list.count += *list.text != '\0';
    return list;
}

static void append_item(const List *list, int index, Text *out)
{
    const char *p = list->text;
    for (int i = 0; i < index && p; i++) {
        p = strchr(p, ',');
        p += p != NULL;
    }
    if (p)
        text_append_n(out, p, strcspn(p, ","));
}

static bool is_current(PGconn *pg, const char *host, const char *hostaddr, const char *port)
{
    const char *name = *host ? host : hostaddr;
    return str_eq(PQhost(pg), name) && (!*port || str_eq(PQport(pg), port));
}

static void add(Text *list, const char *item, bool first)
{
    if (!first)
        text_append_char(list, ',');
    text_append(list, item);
}

void hosts_clear(Hosts *hosts)
{
    text_clear(&hosts->host);
    text_clear(&hosts->hostaddr);
    text_clear(&hosts->port);
    hosts->some = false;
}

static int keep_others(Hosts *hosts, PGconn *pg, const List *host, const List *hostaddr, const List *port)
{
    int count = host->count > hostaddr->count ? host->count : hostaddr->count;
    int kept = 0;
    bool dropped = false;
    for (int i = 0; i < count && i < HOSTS_MAX; i++) {
        TEXT_AUTO(name);
        TEXT_AUTO(address);
        TEXT_AUTO(number);
        append_item(host, i, &name);
        append_item(hostaddr, i, &address);
        append_item(port, port->count > 1 ? i : 0, &number);
        if (!dropped && is_current(pg, text_str(&name), text_str(&address), text_str(&number))) {
            dropped = true;
            continue;
        }
        add(&hosts->host, text_str(&name), kept == 0);
        add(&hosts->hostaddr, text_str(&address), kept == 0);
        add(&hosts->port, text_str(&number), kept == 0);
        kept++;
    }
    return dropped ? kept : 0;
}

bool hosts_drop(Hosts *hosts, PGconn *pg)
{
    hosts_clear(hosts);
    PQconninfoOption *options = PQconninfo(pg);
    if (!options)
        return false;
    List host = list_of(options, "host"), hostaddr = list_of(options, "hostaddr"), port = list_of(options, "port");
    hosts->some = keep_others(hosts, pg, &host, &hostaddr, &port) > 0;
    /* A list of nothing but commas is none to libpq. */
    if (host.count == 0)
        text_reset(&hosts->host);
    if (hostaddr.count == 0)
        text_reset(&hosts->hostaddr);
    PQconninfoFree(options);
    if (!hosts->some)
        hosts_clear(hosts);
    return hosts->some;
}
