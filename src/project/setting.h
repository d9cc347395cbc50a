/* Setting: the one table of every key that a project's files may hold.
 *
 * It drives the reading of files, the errors about unknown and misspelt keys, the reference documentation and the
 * completion of shells. A key that no issue of work has reached yet stands here with its name and place, and answers
 * 'not supported yet'. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef enum SettingScope {
    SCOPE_PROJECT,      /* sluice.yaml */
    SCOPE_TARGET,       /* one of targets: */
    SCOPE_SOURCE,       /* sources/NAME.yaml */
    SCOPE_COLUMN,       /* one of a source's columns:, written as a mapping */
    SCOPE_CHANGES,      /* changes: of a source, written as a mapping */
    SCOPE_MODEL,        /* front matter of models/NAME.sql; those with `folder` also under defaults: */
    SCOPE_MODEL_COLUMN, /* one of a model's columns: */
    SCOPE_GRANTS,       /* grants: of a source or model */
    SCOPE_CHECK,        /* one of checks: */
    SCOPE_ACCEPTED_VALUES,
    SCOPE_RELATIONSHIPS,
    SCOPE_ROW_COUNT,
    SCOPE_FRESHNESS,
    SCOPE_COUNT,
} SettingScope;

typedef enum SettingType {
    SETTING_TEXT,
    SETTING_NAME,      /* of a relation, column or schema: 1 to 63 bytes */
    SETTING_BOOLEAN,   /* true or false */
    SETTING_INTEGER,   /* 0 or more */
    SETTING_CHARACTER, /* a delimiter: one character, or tab */
    SETTING_CHOICE,    /* one of choices */
    SETTING_AMOUNT,    /* `50%`, a share, or `100`, a number */
    SETTING_DURATION,  /* `7 days`; weeks, days, hours, minutes, seconds */
    SETTING_SCHEDULE,  /* a cron expression */
    SETTING_ZONE,      /* an IANA time zone */
    SETTING_TEXTS,     /* a list of texts; one text stands for a list of one */
    SETTING_NAMES,     /* the same of names, none of them twice */
    SETTING_WORD_MAP,  /* one word of a few, or a mapping of another scope's keys */
    SETTING_MAP,       /* a mapping whose keys are the user's, or another scope's */
    SETTING_LIST,      /* a list of anything else */
} SettingType;

typedef enum SettingStatus {
    SETTING_NOW,
    SETTING_LATER,       /* not supported yet */
    SETTING_LATER_FILLED /* an empty one is fine, one with anything in it is not supported yet */
} SettingStatus;

typedef struct SettingChoice {
    const char *name; /* NULL ends the list */
    SettingStatus status;
} SettingChoice;

typedef struct Setting {
    SettingScope scope;
    const char *key;
    SettingType type;
    SettingStatus status;
    bool folder;                  /* SCOPE_MODEL: may be a folder's default */
    const SettingChoice *choices; /* SETTING_CHOICE; in the order of the enum it stands for */
    const char *fallback;         /* what holds without it, in words or as it would be written; NULL: nothing */
    const char *doc;              /* one line, no full stop */
    const char *example;          /* the value as it would be written, with whatever quotes YAML needs */
} Setting;

/* Position in the table. */
typedef enum SettingId {
    KEY_PROJECT_NAME,
    KEY_PROJECT_TIMEZONE,
    KEY_PROJECT_TARGET,
    KEY_PROJECT_TARGETS,
    KEY_PROJECT_DEFAULTS,
    KEY_PROJECT_VARS,
    KEY_PROJECT_NOTIFY,

    KEY_TARGET_URL,
    KEY_TARGET_SCHEMA,
    KEY_TARGET_VARS,

    KEY_SOURCE_TABLE,
    KEY_SOURCE_SCHEMA,
    KEY_SOURCE_CSV,
    KEY_SOURCE_POSTGRES,
    KEY_SOURCE_ODBC,
    KEY_SOURCE_SQLITE,
    KEY_SOURCE_DELIMITER,
    KEY_SOURCE_COLUMNS,
    KEY_SOURCE_UNIQUE_KEY,
    KEY_SOURCE_MODE,
    KEY_SOURCE_TIME_COLUMN,
    KEY_SOURCE_SCHEDULE,
    KEY_SOURCE_TIMEZONE,
    KEY_SOURCE_CHECKS,
    KEY_SOURCE_DESCRIPTION,
    KEY_SOURCE_TAGS,
    KEY_SOURCE_OWNER,
    KEY_SOURCE_CHANGES,
    KEY_SOURCE_INDEXES,
    KEY_SOURCE_GRANTS,
    KEY_SOURCE_MAX_SHRINK,
    KEY_SOURCE_MIN_ROWS,
    KEY_SOURCE_DISTRIBUTE_BY,
    KEY_SOURCE_TIMEOUT,
    KEY_SOURCE_RETRIES,
    KEY_SOURCE_ROLLBACK,

    KEY_COLUMN_TYPE,
    KEY_COLUMN_HEADER,
    KEY_COLUMN_NULL,
    KEY_COLUMN_FORMAT,
    KEY_COLUMN_DESCRIPTION,

    KEY_CHANGES_COLUMN,

    KEY_MODEL_DESCRIPTION,
    KEY_MODEL_MATERIALIZED,
    KEY_MODEL_SCHEMA,
    KEY_MODEL_TABLE,
    KEY_MODEL_TIME_COLUMN,
    KEY_MODEL_UNIQUE_KEY,
    KEY_MODEL_SCHEDULE,
    KEY_MODEL_TIMEZONE,
    KEY_MODEL_KEEP,
    KEY_MODEL_CHECKS,
    KEY_MODEL_DEPENDS_ON,
    KEY_MODEL_TAGS,
    KEY_MODEL_OWNER,
    KEY_MODEL_CHANGES,
    KEY_MODEL_LOOKBACK,
    KEY_MODEL_FULL_REFRESH,
    KEY_MODEL_ON_SCHEMA_CHANGE,
    KEY_MODEL_INDEXES,
    KEY_MODEL_GRANTS,
    KEY_MODEL_COLUMNS,
    KEY_MODEL_MAX_SHRINK,
    KEY_MODEL_MIN_ROWS,
    KEY_MODEL_DISTRIBUTE_BY,
    KEY_MODEL_TIMEOUT,
    KEY_MODEL_RETRIES,
    KEY_MODEL_ROLLBACK,

    KEY_MODEL_COLUMN_DESCRIPTION,
    KEY_MODEL_COLUMN_CHECKS,

    KEY_GRANTS_SELECT,
    KEY_GRANTS_INSERT,
    KEY_GRANTS_UPDATE,
    KEY_GRANTS_DELETE,
    KEY_GRANTS_REFERENCES,
    KEY_GRANTS_TRIGGER,

    KEY_CHECK_NOT_NULL,
    KEY_CHECK_UNIQUE,
    KEY_CHECK_ACCEPTED_VALUES,
    KEY_CHECK_RELATIONSHIPS,
    KEY_CHECK_EXPRESSION,
    KEY_CHECK_ROW_COUNT,
    KEY_CHECK_FRESHNESS,
    KEY_CHECK_SQL,
    KEY_CHECK_SEVERITY,
    KEY_CHECK_NAME,

    KEY_ACCEPTED_COLUMN,
    KEY_ACCEPTED_VALUES,
    KEY_ACCEPTED_SEVERITY,
    KEY_ACCEPTED_NAME,

    KEY_RELATIONSHIPS_COLUMN,
    KEY_RELATIONSHIPS_TO,
    KEY_RELATIONSHIPS_FIELD,
    KEY_RELATIONSHIPS_SEVERITY,
    KEY_RELATIONSHIPS_NAME,

    KEY_ROW_COUNT_MIN,
    KEY_ROW_COUNT_MAX,
    KEY_ROW_COUNT_SEVERITY,
    KEY_ROW_COUNT_NAME,

    KEY_FRESHNESS_COLUMN,
    KEY_FRESHNESS_WARN_AFTER,
    KEY_FRESHNESS_ERROR_AFTER,
    KEY_FRESHNESS_NAME,

    SETTING_COUNT,
} SettingId;

const Setting *setting_table(size_t *ret_count); /* in the order of SettingId: the keys of a scope stand together */
const Setting *setting_get(SettingId id);
const Setting *setting_find(SettingScope scope, const char *key, SettingId *ret_id); /* NULL where there is none */

const char *setting_scope_name(SettingScope scope); /* "sluice.yaml", "a target", "a model" ... */
const char *setting_type_name(SettingType type);    /* "a list of names" ... */
