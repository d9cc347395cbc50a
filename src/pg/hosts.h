/* Hosts: what is left of a url's list of hosts after one of them did not answer.
 *
 * libpq goes on to the next host by itself when one refuses, but in non-blocking use it leaves the timeout of one
 * that is silent to the caller and offers no way to skip it. */
#pragma once

#include <libpq-fe.h>
#include <stdbool.h>

#include "base/text.h"

typedef struct Hosts {
    bool some; /* else the url's own list stands */
    Text host, hostaddr, port;
} Hosts;

void hosts_clear(Hosts *hosts);
/* Leaves out the host that pg was waiting for. False where the list would be empty: hosts is as after clear. */
bool hosts_drop(Hosts *hosts, PGconn *pg);
