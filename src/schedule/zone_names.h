/* ZoneNames: what to say about a zone that is not there. Internal to the zone reader. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Fills err for a name that the zoneinfo directory does not have: the nearest name there is, or what to install.
 * Walks the directory, so it is for the way to an error only. Returns false. */
bool zone_names_unknown(const char *dir, const char *name, Error *err);
