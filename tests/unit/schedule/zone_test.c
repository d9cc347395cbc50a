#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "schedule/zone.h"
#include "schedule/zone_file.h"

#define SECOND INT64_C(1000000)

static char g_dir[] = "/tmp/zone_test.XXXXXX";

static Zone *open_zone(const char *name)
{
    ERROR_AUTO(err);
    Zone *zone = zone_open(name, &err);
    if (!zone)
        fail_msg("%s: %s", name, err.message);
    return zone;
}

/* --- times as text, and the system's zones ------------------------------------------------------------------------ */

static const struct {
    const char *zone, *text, *formatted; /* NULL: an error at column */
    int column;
    const char *message;
} TIMES[] = {
    {"UTC", "2026-01-31", "2026-01-31T00:00:00+00:00", 0, NULL},
    {"UTC", "2026-01-31T06:15", "2026-01-31T06:15:00+00:00", 0, NULL},
    {"UTC", "2026-01-31 06:15:07", "2026-01-31T06:15:07+00:00", 0, NULL},
    {"UTC", "2026-01-31T06:15:07Z", "2026-01-31T06:15:07+00:00", 0, NULL},
    {"UTC", "2026-01-31T06:15+01:00", "2026-01-31T05:15:00+00:00", 0, NULL},
    {"UTC", "2026-01-31T06:15-0330", "2026-01-31T09:45:00+00:00", 0, NULL},
    {"UTC", "2026-01-31T06:15+05", "2026-01-31T01:15:00+00:00", 0, NULL},
    {"UTC", "0001-01-01", "0001-01-01T00:00:00+00:00", 0, NULL},
    {"UTC", "1969-12-31T23:59:59", "1969-12-31T23:59:59+00:00", 0, NULL},
    {"UTC", "2024-02-29", "2024-02-29T00:00:00+00:00", 0, NULL},
    {"Europe/Berlin", "2026-01-31", "2026-01-31T00:00:00+01:00", 0, NULL},
    {"Europe/Berlin", "2026-03-29T02:30", "2026-03-29T03:00:00+02:00", 0, NULL}, /* gap */
    {"Europe/Berlin", "2026-03-29T02:00", "2026-03-29T03:00:00+02:00", 0, NULL},
    {"Europe/Berlin", "2026-03-29T03:00", "2026-03-29T03:00:00+02:00", 0, NULL},
    {"Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T01:59:59+01:00", 0, NULL},
    {"Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00", 0, NULL}, /* overlap */
    {"Europe/Berlin", "2026-10-25T02:30+01", "2026-10-25T02:30:00+01:00", 0, NULL},
    {"Europe/Berlin", "2026-10-25T03:00", "2026-10-25T03:00:00+01:00", 0, NULL},
    {"Europe/Berlin", "2500-07-01T12:00", "2500-07-01T12:00:00+02:00", 0, NULL}, /* by rule */
    {"Europe/Berlin", "2500-12-01T12:00", "2500-12-01T12:00:00+01:00", 0, NULL},
    {"America/New_York", "2400-07-04T12:00", "2400-07-04T12:00:00-04:00", 0, NULL},
    {"America/New_York", "1883-01-01T12:00", "1883-01-01T12:00:00-04:56:02", 0, NULL}, /* local mean time */
    {"Australia/Lord_Howe", "2024-01-01", "2024-01-01T00:00:00+11:00", 0, NULL},
    {"Australia/Lord_Howe", "2024-07-01", "2024-07-01T00:00:00+10:30", 0, NULL},
    {"Asia/Kathmandu", "2024-07-01", "2024-07-01T00:00:00+05:45", 0, NULL},
    {"Pacific/Apia", "2011-12-30T12:00", "2011-12-31T00:00:00+14:00", 0, NULL}, /* a day that was not */
    {"America/St_Johns", "2024-01-01", "2024-01-01T00:00:00-03:30", 0, NULL},
    {"Europe/Dublin", "2024-07-01", "2024-07-01T00:00:00+01:00", 0, NULL},
    {"Etc/GMT+5", "2024-07-01", "2024-07-01T00:00:00-05:00", 0, NULL},
    {"UTC", "", NULL, 1, "expected a year of four digits"},
    {"UTC", "26-01-31", NULL, 1, "expected a year"},
    {"UTC", "0000-01-01", NULL, 1, "expected a year"},
    {"UTC", "2026/01/31", NULL, 5, "expected - after the year"},
    {"UTC", "2026-13-01", NULL, 6, "expected a month"},
    {"UTC", "2026-1-1", NULL, 6, "expected a month"},
    {"UTC", "2026-01-32", NULL, 9, "expected a day"},
    {"UTC", "2026-02-29", NULL, 9, "the month has no such day"},
    {"UTC", "2026-04-31", NULL, 9, "the month has no such day"},
    {"UTC", "2026-01-31T", NULL, 12, "expected an hour"},
    {"UTC", "2026-01-31T24:00", NULL, 12, "expected an hour"},
    {"UTC", "2026-01-31T06", NULL, 14, "expected : after the hour"},
    {"UTC", "2026-01-31T06:60", NULL, 15, "expected minutes"},
    {"UTC", "2026-01-31T06:15:60", NULL, 18, "expected seconds"},
    {"UTC", "2026-01-31T06:15:00.5", NULL, 20, "expected Z or an offset"},
    {"UTC", "2026-01-31T06:15+1", NULL, 18, "an offset's hours"},
    {"UTC", "2026-01-31T06:15+24:00", NULL, 18, "an offset's hours"},
    {"UTC", "2026-01-31T06:15+01:", NULL, 21, "an offset's minutes"},
    {"UTC", "2026-01-31T06:15+01:99", NULL, 21, "an offset's minutes"},
    {"UTC", "2026-01-31T06:15Zx", NULL, 18, "expected nothing more"},
    {"UTC", "2026-01-31+01:00", NULL, 11, "expected nothing more"},
    {"UTC", " 2026-01-31", NULL, 1, "expected a year"},
    {"UTC", "now", NULL, 1, "expected a year"},
};

static void test_times_as_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++) {
        ERROR_AUTO(err);
        Zone *zone CLEANUP(zone_close_p) = open_zone(TIMES[i].zone);
        Instant instant = 0, back = 0;
        char text[CLOCK_TEXT] = "";
        bool read = zone_parse_time(zone, TIMES[i].text, &instant, &err);
        if (!TIMES[i].formatted) {
            if (read || err.column != TIMES[i].column || !strstr(err.message, TIMES[i].message))
                fail_msg("\"%s\": column %d: %s", TIMES[i].text, err.column, read ? "was accepted" : err.message);
            continue;
        }
        if (!read)
            fail_msg("\"%s\": %s", TIMES[i].text, err.message);
        zone_format(zone, instant, text);
        if (!str_eq(text, TIMES[i].formatted))
            fail_msg("\"%s\" in %s: %s", TIMES[i].text, TIMES[i].zone, text);
        if (strlen(text) == strlen("2026-01-31T00:00:00+00:00")) { /* an offset of hours and minutes reads back */
            assert_true(zone_parse_time(zone, text, &back, &err));
            assert_int_equal(back, instant);
        }
    }
}

static void test_local_times(void **state)
{
    (void)state;
    Zone *zone CLEANUP(zone_close_p) = open_zone("Europe/Berlin");
    Instant at[2];
    int64_t spring = days_from_civil(2026, 3, 29) * 86400, autumn = days_from_civil(2026, 10, 25) * 86400;
    assert_int_equal(zone_local(zone, spring + 12 * 3600, at), 1);
    assert_int_equal(at[0], (spring + 10 * 3600) * SECOND);
    assert_int_equal(zone_local(zone, spring + 2 * 3600 + 1800, at), 0);
    assert_int_equal(at[0], (spring + 3600) * SECOND);
    assert_int_equal(zone_local(zone, autumn + 2 * 3600 + 1800, at), 2);
    assert_int_equal(at[0], (autumn + 1800) * SECOND);
    assert_int_equal(at[1], (autumn + 3600 + 1800) * SECOND);
    assert_int_equal(zone_local(zone, autumn + 3 * 3600, at), 1);
    assert_int_equal(zone_offset_at(zone, (spring + 3600) * SECOND), 7200);
    assert_int_equal(zone_offset_at(zone, (spring + 3600) * SECOND - 1), 3600);
}

/* --- names -------------------------------------------------------------------------------------------------------- */

static void test_wrong_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *message, *hint;
    } rows[] = {
        {"Europe/Berln", "unknown time zone \"Europe/Berln\"", "did you mean Europe/Berlin?"},
        {"europe/berlin", "unknown time zone", "did you mean Europe/Berlin?"},
        {"EUROPE/BERLIN", "unknown time zone", "did you mean Europe/Berlin?"},
        {"Berlin", "unknown time zone", "did you mean Europe/Berlin?"},
        {"utc", "unknown time zone", "did you mean UTC?"},
        {"UTC+2", "unknown time zone", "2 hours east of UTC is Etc/GMT-2"},
        {"GMT-5", "unknown time zone", "5 hours west of UTC is Etc/GMT+5"},
        {"Middle_Earth/Bag_End_Under_The_Hill", "unknown time zone", "use a name such as Europe/Berlin"},
        {"Europe", "unknown time zone \"Europe\"", "use a name such as"},
        {"", "\"\" is not the name of a time zone", "use UTC"},
        {"/etc/passwd", "is not the name of a time zone", NULL},
        {"/usr/share/zoneinfo/Europe/Berlin", "is not the name", NULL},
        {"../../../etc/passwd", "is not the name", NULL},
        {"Europe/../Europe/Berlin", "is not the name", NULL},
        {"Europe//Berlin", "is not the name", NULL},
        {"Europe/", "is not the name", NULL},
        {"right/Europe/Berlin", "is not the name", NULL},
        {"localtime", "is not the name", NULL},
        {"Europe/Berlin ", "is not the name", NULL},
        {":Europe/Berlin", "is not the name", NULL},
        {"CET-1CEST,M3.5.0,M10.5.0", "is not the name", NULL},
        {"a\nb", "\"a\\x0ab\" is not the name", NULL},
        {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "is not the name", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO(err);
        assert_null(zone_open(rows[i].name, &err));
        assert_int_equal(err.code, ERROR_PROJECT);
        if (!strstr(err.message, rows[i].message) || (rows[i].hint && (!err.hint || !strstr(err.hint, rows[i].hint))))
            fail_msg("\"%s\": %s (hint: %s)", rows[i].name, err.message, err.hint ? err.hint : "none");
    }
}

/* --- files of our own --------------------------------------------------------------------------------------------- */

static void put(Text *out, int64_t n, int size)
{
    for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
        text_append_char(out, (char)(n >> shift & 0xFF));
}

static void put_header(Text *out, char version, int64_t times, int64_t types)
{
    text_append(out, "TZif");
    text_append_char(out, version);
    for (int i = 0; i < 15; i++)
        text_append_char(out, '\0');
    const int64_t counts[] = {0, 0, 0, times, types, 4};
    for (int i = 0; i < 6; i++)
        put(out, counts[i], 4);
}

/* A file with one transition, from offset to offset, and a footer. Without a footer, version 1. */
static void make_file(Text *out, int64_t at, int32_t before, int32_t after, const char *footer)
{
    text_reset(out);
    if (footer) {
        put_header(out, '2', 0, 1);
        put(out, 0, 6);
        text_append_n(out, "LMT", 4);
    }
    put_header(out, footer ? '2' : '\0', 1, 2);
    put(out, at, footer ? 8 : 4);
    text_append_char(out, 1);
    put(out, before, 4), put(out, 0, 2);
    put(out, after, 4), put(out, 0, 2);
    text_append_n(out, "LMT", 4);
    if (footer)
        text_appendf(out, "\n%s\n", footer);
}

static void save(const char *name, const Text *data)
{
    ERROR_AUTO(err);
    char path[128];
    snprintf(path, sizeof path, "%s/%s", g_dir, name);
    if (!file_write(path, data->data, data->len, 0644, &err))
        fail_msg("%s", err.message);
}

static void test_rules(void **state)
{
    (void)state;
    static const struct {
        const char *footer, *utc, *local; /* NULL: damaged */
    } rows[] = {
        {"CET-1", "2026-07-01T00:00Z", "2026-07-01T01:00:00+01:00"},
        {"<-03>3", "2026-07-01T00:00Z", "2026-06-30T21:00:00-03:00"},
        {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", "2026-12-31T23:00Z", "2027-01-01T12:45:00+13:45"},
        {"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45", "2026-07-01T00:00Z", "2026-07-01T12:45:00+12:45"},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", "2026-03-08T01:59:59-05:00"},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00Z", "2026-03-08T03:00:00-04:00"},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", "2026-11-01T01:59:59-04:00"},
        {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00Z", "2026-11-01T01:00:00-05:00"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00Z", "2026-07-01T01:00:00+01:00"},
        {"IST-1GMT0,M10.5.0,M3.5.0/1", "2026-10-25T01:00Z", "2026-10-25T01:00:00+00:00"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", "2026-03-28T22:59:59-02:00"},
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00Z", "2026-03-29T00:00:00-01:00"},
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-28T00:00Z", "2026-03-28T03:00:00+03:00"}, /* Saturday 02:00 */
        {"EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-03-27T23:59:59Z", "2026-03-28T01:59:59+02:00"},
        {"XXX3EDT4,0/0,J365/23", "2026-01-01T00:00Z", "2025-12-31T20:00:00-04:00"}, /* summer time all year */
        {"XXX3EDT4,0/0,J365/23", "2026-07-01T00:00Z", "2026-06-30T20:00:00-04:00"},
        {"AAA0BBB,J60,J300", "2028-03-01T01:59:59Z", "2028-03-01T01:59:59+00:00"}, /* J60 is 1 March, leap or not */
        {"AAA0BBB,J60,J300", "2028-03-01T02:00Z", "2028-03-01T03:00:00+01:00"},
        {"AAA0BBB,59,300", "2028-02-29T02:00Z", "2028-02-29T03:00:00+01:00"}, /* day 59 is 29 February then */
        {"AAA0BBB,59,300", "2027-03-01T02:00Z", "2027-03-01T03:00:00+01:00"},
        {"AAA0BBB,J365/167,J5", "2027-01-06T22:59:59Z", "2027-01-06T22:59:59+00:00"}, /* 6 days into next year */
        {"AAA0BBB,J365/167,J5", "2027-01-06T23:00Z", "2027-01-07T00:00:00+01:00"},
        {"AAA-5:30:15", "2026-01-01T00:00Z", "2026-01-01T05:30:15+05:30:15"},
        {"", "2026-07-01T00:00Z", "2026-07-01T02:00:00+02:00"}, /* the last offset goes on */
        {"CET", NULL, NULL},
        {"CE-1", NULL, NULL},
        {"<CET-1", NULL, NULL},
        {"CET-25", NULL, NULL},
        {"CET-1CEST", NULL, NULL},
        {"CET-1CEST,M3.5.0", NULL, NULL},
        {"CET-1CEST,M13.5.0,M10.5.0", NULL, NULL},
        {"CET-1CEST,M3.6.0,M10.5.0", NULL, NULL},
        {"CET-1CEST,M3.5.7,M10.5.0", NULL, NULL},
        {"CET-1CEST,J0,J365", NULL, NULL},
        {"CET-1CEST,366,J365", NULL, NULL},
        {"CET-1CEST,M3.5.0/168,M10.5.0", NULL, NULL},
        {"CET-1CEST,M3.5.0/2:60,M10.5.0", NULL, NULL},
        {"CET-1CEST,M3.5.0,M10.5.0x", NULL, NULL},
        {"CET-99999999999999999999", NULL, NULL},
    };
    Zone *utc CLEANUP(zone_close_p) = open_zone("UTC");
    TEXT_AUTO(file);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO(err);
        make_file(&file, 1000, 3600, 7200, rows[i].footer);
        save("Rule", &file);
        Zone *zone CLEANUP(zone_close_p) = zone_open("Rule", &err);
        if (!zone != !rows[i].local)
            fail_msg("%s: %s", rows[i].footer, zone ? "was accepted" : err.message);
        if (!zone)
            continue;
        Instant instant = 0;
        char text[CLOCK_TEXT];
        assert_true(zone_parse_time(utc, rows[i].utc, &instant, &err));
        zone_format(zone, instant, text);
        if (!str_eq(text, rows[i].local))
            fail_msg("%s at %s: %s", rows[i].footer, rows[i].utc, text);
        assert_int_equal(zone_offset_at(zone, 0), 3600);
    }
}

static void test_version_1_and_no_data(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    TEXT_AUTO(file);
    make_file(&file, -1000, -3600, 7200, NULL);
    save("Old", &file);
    Zone *zone CLEANUP(zone_close_p) = open_zone("Old");
    assert_int_equal(zone_offset_at(zone, -1000 * SECOND - 1), -3600);
    assert_int_equal(zone_offset_at(zone, -1000 * SECOND), 7200);
    assert_int_equal(zone_offset_at(zone, INT64_MAX), 7200);
    assert_string_equal(zone_name(zone), "Old");

    char missing[64];
    snprintf(missing, sizeof missing, "%s/none", g_dir);
    setenv("TZDIR", missing, 1);
    assert_null(zone_open("Europe/Berlin", &err));
    assert_non_null(strstr(err.hint, "install the package tzdata"));
    static const char *const built_in[] = {"UTC", "Etc/UTC", "GMT", "Etc/GMT"};
    for (size_t i = 0; i < 4; i++) {
        Zone *fixed CLEANUP(zone_close_p) = open_zone(built_in[i]);
        assert_int_equal(zone_offset_at(fixed, 0), 0);
    }
    setenv("TZDIR", g_dir, 1);

    text_reset(&file);
    text_append(&file, "no zone");
    save("Text", &file);
    assert_null(zone_open("Text", &err));
    assert_non_null(strstr(err.message, "/Text: it is no time zone file"));
    assert_null(zone_open("utc", &err));
    assert_string_equal(err.hint, "did you mean UTC?");

    /* Debian 13 without tzdata-legacy: the index knows a name that has no file */
    text_reset(&file);
    text_append(&file, "# version\nR d 1916 o - Jun 14 23s 1 S\nL America/New_York US/Eastern\n");
    save("tzdata.zi", &file);
    assert_null(zone_open("US/Eastern", &err));
    assert_string_equal(err.hint,
                        "it is an old name of America/New_York; use that, or install the package tzdata-legacy");
}

static void test_damaged_files(void **state)
{
    (void)state;
    TEXT_AUTO(whole);
    const char *why = NULL;
    ZoneTable table;
    make_file(&whole, 1000, 3600, 7200, "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(zone_table_parse(whole.data, whole.len, &table, &why));
    zone_table_clear(&table);
    for (size_t len = 0; len < whole.len; len++) { /* every prefix, in a block of its own so that ASan sees the end */
        char *part CLEANUP(mem_free_p) = mem_alloc(len + 1);
        memcpy(part, whole.data, len);
        part = mem_resize(part, len ? len : 1, 1);
        assert_false(zone_table_parse(part, len, &table, &why));
        assert_non_null(why);
    }
    uint64_t seed = 7;
    for (int i = 0; i < 200000; i++) { /* and wrong bytes: any answer will do that reads within bounds */
        char *copy CLEANUP(mem_free_p) = mem_alloc(whole.len);
        memcpy(copy, whole.data, whole.len);
        for (int n = 0; n <= i % 3; n++) {
            seed = seed * 6364136223846793005U + 1442695040888963407U;
            copy[(seed >> 33) % whole.len] = (char)(seed >> 24);
        }
        if (zone_table_parse(copy, whole.len, &table, &why)) {
            ZoneSpan span = table.has_rule ? zone_rule_span(&table.rule, 1700000000) : (ZoneSpan){0};
            assert_true(span.start <= 1700000000);
            zone_table_clear(&table);
        }
    }
    static const struct {
        int64_t at;
        int32_t before, after;
        const char *why;
    } rows[] = {
        {INT64_MAX, 0, 0, "out of range"},
        {INT64_MIN, 0, 0, "out of range"},
        {0, 93600, 0, "26 hours"},
        {0, 0, INT32_MIN, "26 hours"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make_file(&whole, rows[i].at, rows[i].before, rows[i].after, "");
        assert_false(zone_table_parse(whole.data, whole.len, &table, &why));
        assert_non_null(strstr(why, rows[i].why));
    }
}

static int use_own_files(void **state)
{
    (void)state;
    static bool made;
    if (!made && !mkdtemp(g_dir))
        return -1;
    made = true;
    return setenv("TZDIR", g_dir, 1);
}

static int use_system_files(void **state)
{
    (void)state;
    static const char *const names[] = {"Rule", "Old", "Text", "tzdata.zi"};
    char path[128];
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", g_dir, names[i]);
        unlink(path);
    }
    return unsetenv("TZDIR");
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(g_dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_as_text),
        cmocka_unit_test(test_local_times),
        cmocka_unit_test(test_wrong_names),
        cmocka_unit_test(test_damaged_files),
        cmocka_unit_test_setup_teardown(test_rules, use_own_files, use_system_files),
        cmocka_unit_test_setup_teardown(test_version_1_and_no_data, use_own_files, use_system_files),
    };
    unsetenv("TZDIR");
    return cmocka_run_group_tests(tests, NULL, remove_dir);
}
