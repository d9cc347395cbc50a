#include "sql/catalog.h"

#include <string.h>

#include "base/text.h"

/* "timestamp(3) with time zone" has a precision in its middle. */
static bool is_timestamp(const char *type, const char *rest)
{
    if (!str_starts(type, "timestamp"))
        return false;
    type += strlen("timestamp");
    if (*type == '(') {
        const char *close = strchr(type, ')');
        if (!close)
            return false;
        type = close + 1;
    }
    return strcmp(type, rest) == 0;
}

SqlTimeType sql_time_type(const char *type)
{
    if (!type)
        return SQL_TIME_NONE;
    if (strcmp(type, "date") == 0)
        return SQL_TIME_DATE;
    if (strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 || strcmp(type, "bigint") == 0)
        return SQL_TIME_INTEGER;
    if (is_timestamp(type, " without time zone"))
        return SQL_TIME_TIMESTAMP;
    if (is_timestamp(type, " with time zone"))
        return SQL_TIME_TIMESTAMPTZ;
    return SQL_TIME_NONE;
}

const SqlRelationFacts *sql_catalog_relation(const SqlCatalog *catalog, const char *schema, const char *name)
{
    const char *wanted = schema ? schema : catalog->schema;
    if (!name || !wanted)
        return NULL;
    for (size_t i = 0; i < catalog->relation_count; i++) {
        const SqlRelationFacts *relation = &catalog->relations[i];
        if (str_eq(relation->name, name) && str_eq(relation->schema, wanted))
            return relation;
    }
    return NULL;
}

const char *sql_relation_label(const SqlRelationFacts *relation)
{
    return relation->label ? relation->label : relation->name;
}

const SqlFunctionFacts *sql_catalog_function(const SqlCatalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->function_count; i++)
        if (str_eq(catalog->functions[i].name, name))
            return &catalog->functions[i];
    return NULL;
}
