/* Values: what one mapping of a project's file says, key by key, by the table of settings. */
#pragma once

#include "project/reading.h"
#include "project/setting.h"

typedef struct Value {
    const YamlNode *node; /* NULL: not said, or said wrongly (and reported) */
    bool said;            /* rightly or wrongly */
    const char *file;
    SettingId setting;
    const char *text; /* filled in by the environment; for every type that is one text */
    bool as_written;  /* nothing was filled in: characters of text can be found in the file */
    bool share;       /* SETTING_AMOUNT: number is percent */
    int64_t number;   /* SETTING_INTEGER; SETTING_AMOUNT; SETTING_DURATION, in microseconds; SETTING_BOOLEAN;
                         SETTING_CHARACTER;   SETTING_CHOICE: position among the choices */
    Strings list;     /* SETTING_TEXTS, SETTING_NAMES */
    Place *places;    /* of the list's items */
    Place key_place;
    Cron cron;        /* SETTING_SCHEDULE */
    const Zone *zone; /* SETTING_ZONE */
} Value;

typedef struct Values {
    Value items[SETTING_COUNT]; /* only those of the scope that was read are set */
} Values;

typedef enum ValuesMode {
    VALUES_FILLED, /* ${...} filled in */
    VALUES_RAW,    /* left as written: targets that were not chosen */
    VALUES_FOLDER, /* filled in, and only keys that a folder may give */
} ValuesMode;

/* Reads a mapping's keys. Every error in it is reported. NULL, or nothing, is an empty mapping. */
void values_read(Reading *reading, SettingScope scope, ValuesMode mode, const char *file, const YamlNode *map,
                 Values *ret);

Place value_place(const Value *value);
/* Said for a whole folder, not in the node's own file. */
bool value_is_default(const Value *value, const Node *node);
/* Where character number `character` (from 0) of a value's text stands, if it can be told; else where it begins. */
Place value_place_in(const Value *value, int character);

/* Fills in a text that is no setting's, such as a column's type written short. NULL where that fails. */
const char *values_text(Reading *reading, const char *key, const char *file, const YamlNode *node);
/* Names within a setting that holds lists of them: value->node, one text or a list, is read into value->list and
 * value->places as one of SETTING_NAMES is, with the key of `like` in errors. False, with every error reported, where
 * any of it is wrong. */
bool values_names(Reading *reading, SettingId like, Value *value);
/* The same for a name: 1 to 63 bytes, no control characters. what is said in errors: "a column". */
bool values_check_name(Reading *reading, const char *name, const char *what, Place place);
