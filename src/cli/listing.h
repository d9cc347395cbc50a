/* Listing: rows of text, in aligned columns for people or as JSON for programs.
 *
 * Cells are copied. Control characters and bytes that are no UTF-8 are shown escaped, and no secret is shown. Columns
 * are as wide as their widest cell, counted in characters. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"

typedef enum ListingKind {
    LISTING_TEXT,
    LISTING_NUMBER, /* to the right; a number in JSON, where it is one */
    LISTING_BOOL,   /* "true" and "false"; yes and no for people */
    LISTING_TIME,   /* as PostgreSQL prints a timestamptz, or ISO 8601; as the former, in whole seconds, for people and
                     * as the latter in JSON */
    LISTING_RARE,   /* text; people see the column only where some row has any */
    LISTING_LONG,   /* text of which people see the beginning */
    LISTING_JSON,   /* a JSON value, and that it is in JSON */
} ListingKind;

typedef struct ListingColumn {
    const char *name; /* in lower case with `_`: the key in JSON, and in upper case with blanks the heading */
    ListingKind kind;
} ListingColumn;

typedef struct Listing {
    const ListingColumn *columns;
    size_t column_count; /* shown */
    size_t stride;       /* cells of a row */
    const char **cells;
    size_t row_count, row_room;
    Arena arena;
} Listing;

#define LISTING_AUTO(name) __attribute__((cleanup(listing_clear))) Listing name

/* The columns must live as long as the listing. */
void listing_init(Listing *listing, const ListingColumn *columns, size_t column_count);
void listing_clear(Listing *listing);

/* One row of column_count cells; NULL is no value: blank for people, null in JSON. */
void listing_add(Listing *listing, const char *const *cells);

/* For people: a line of headings and one a row; nothing at all where there is no row. JSON: an array of objects. */
void listing_print(const Listing *listing, bool json, FILE *out);
/* The same of the first columns only. */
void listing_print_first(const Listing *listing, size_t columns, bool json, FILE *out);
void listing_json(const Listing *listing, Json *json);                 /* the array alone, into a larger value */
void listing_json_row(const Listing *listing, size_t row, Json *json); /* one object of it */
/* A cell of kind LISTING_TIME as people see it. */
void listing_append_time(const char *value, Text *out);
