#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "schedule/cron.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define DAY    (1440 * MINUTE)

static Zone *open_zone(const char *name)
{
    ERROR_AUTO(err);
    Zone *zone = zone_open(name, &err);
    if (!zone)
        fail_msg("%s: %s", name, err.message);
    return zone;
}

static Cron parse(const char *expr)
{
    ERROR_AUTO(err);
    Cron cron;
    if (!cron_parse(expr, &cron, &err))
        fail_msg("%s: %s", expr, err.message);
    return cron;
}

static Instant at(const Zone *zone, const char *text)
{
    ERROR_AUTO(err);
    Instant instant;
    if (!zone_parse_time(zone, text, &instant, &err))
        fail_msg("%s: %s", text, err.message);
    return instant;
}

/* Walks forward over the expected times, and back over them from each one and from just before the next. */
static void check_times(const char *expr, const char *name, const char *after, const char *times)
{
    Zone *zone CLEANUP(zone_close_p) = open_zone(name);
    Cron cron = parse(expr);
    TEXT_AUTO(found);
    char text[CLOCK_TEXT], *rest, *copy CLEANUP(mem_free_p) = mem_strdup(times), *time = strtok_r(copy, " ", &rest);
    Instant start = at(zone, after), tick = start, back, last = INT64_MIN;
    for (; time; time = strtok_r(NULL, " ", &rest)) {
        if (!cron_next(&cron, zone, tick, &tick))
            fail_msg("%s in %s: no tick", expr, name);
        zone_format(zone, tick, text);
        text_appendf(&found, "%s%s", found.len > 0 ? " " : "", text);
        assert_true(cron_prev(&cron, zone, tick, &back));
        assert_int_equal(back, tick);
        if (cron_prev(&cron, zone, tick - 1, &back) && last != INT64_MIN)
            assert_int_equal(back, last);
        last = tick;
    }
    if (!str_eq(text_str(&found), times))
        fail_msg("%s in %s after %s:\n    expected %s\n    found    %s", expr, name, after, times, text_str(&found));
}

static void test_expected_times(void **state)
{
    (void)state;
    ERROR_AUTO(err);
    char *data CLEANUP(mem_free_p) = NULL;
    size_t len, rows = 0;
    if (!file_read("tests/data/cron/cases.tsv", 1 << 20, &data, &len, &err))
        fail_msg("%s (run from the repository's root)", err.message);
    char *rest = data, *line;
    while ((line = strsep(&rest, "\n"))) {
        if (line[0] == '#' || line[0] == '\0')
            continue;
        char *field[5] = {0};
        for (size_t i = 0; i < 5; i++)
            field[i] = strsep(&line, "\t");
        assert_non_null(field[4]);
        check_times(field[0], field[1], field[2], field[3]);
        rows++;
    }
    assert_true(rows >= 250);
}

/* The contract's own words, by hand. */
static void test_clock_changes(void **state)
{
    (void)state;
    static const struct {
        const char *expr, *zone, *after, *times;
    } rows[] = {
        /* in the gap: once, at the first moment after it */
        {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:30:00+02:00"},
        {"*/10 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-29T03:00:00+02:00 2026-03-30T02:00:00+02:00"},
        {"*/30 * * * *", "Europe/Berlin", "2026-03-29T01:00",
         "2026-03-29T01:30:00+01:00 2026-03-29T03:00:00+02:00 2026-03-29T03:30:00+02:00"},
        {"30 * * * *", "Europe/Berlin", "2026-03-29T01:00",
         "2026-03-29T01:30:00+01:00 2026-03-29T03:00:00+02:00 2026-03-29T03:30:00+02:00 2026-03-29T04:30:00+02:00"},
        /* in the overlap: fixed once, the first time; repeating in both */
        {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T02:30:00+02:00 2026-10-26T02:30:00+01:00"},
        {"*/30 * * * *", "Europe/Berlin", "2026-10-25T01:45",
         "2026-10-25T02:00:00+02:00 2026-10-25T02:30:00+02:00 2026-10-25T02:00:00+01:00 2026-10-25T02:30:00+01:00 "
         "2026-10-25T03:00:00+01:00"},
        {"0 2 * * *", "Australia/Lord_Howe", "2022-10-01T12:00", "2022-10-02T02:30:00+11:00 2022-10-03T02:00:00+11:00"},
        {"0 12 30 12 *", "Pacific/Apia", "2011-12-01", "2011-12-31T00:00:00+14:00 2012-12-30T12:00:00+14:00"},
        {"0 0 29 2 *", "Europe/Berlin", "2096-02-01", "2096-02-29T00:00:00+01:00 2104-02-29T00:00:00+01:00"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_times(rows[i].expr, rows[i].zone, rows[i].after, rows[i].times);
}

/* --- a definition to compare with: minute by minute over a window ------------------------------------------------ */

static bool matches(const Cron *cron, int64_t civil)
{
    int64_t days = civil / 86400 - (civil % 86400 < 0), year;
    int month, day, second = (int)(civil - days * 86400);
    civil_from_days(days, &year, &month, &day);
    bool dom = cron->days >> day & 1, dow = cron->weekdays >> (((days + 4) % 7 + 7) % 7) & 1;
    return second % 60 == 0 && cron->minutes >> (second / 60 % 60) & 1 && cron->hours >> (second / 3600) & 1 &&
           cron->months >> month & 1 && (cron->any_day ? dom && dow : dom || dow);
}

static bool any_match(const Cron *cron, int64_t since, int64_t until)
{
    for (; since <= until; since += 60)
        if (matches(cron, since))
            return true;
    return false;
}

/* cron.h's definition of a tick, read off minute by minute: *shown is the latest time clocks showed before. The zones
 * tried change clocks at whole minutes. */
static bool is_tick(const Cron *cron, const Zone *zone, int64_t t, int64_t *shown)
{
    int64_t now = t + zone_offset_at(zone, t * SECOND), before = t - 60 + zone_offset_at(zone, (t - 60) * SECOND);
    bool tick;
    if (cron->repeating)
        tick = matches(cron, now) || any_match(cron, before + 60, now - 60);
    else
        tick = now > *shown && any_match(cron, *shown + 60, now);
    if (now > *shown)
        *shown = now;
    return tick;
}

static uint64_t g_seed = 20260131;

static uint32_t random_below(uint32_t n)
{
    g_seed = g_seed * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX */
    return (uint32_t)(g_seed >> 33) % n;
}

static void random_field(Text *out, uint32_t min, uint32_t max)
{
    uint32_t low = min + random_below(max - min + 1), high = low + random_below(max - low + 1);
    switch (random_below(6)) {
    case 0:
    case 1:
        text_append(out, "*");
        break;
    case 2:
        text_appendf(out, "*/%u", 1 + random_below(max));
        break;
    case 3:
        text_appendf(out, "%u", low);
        break;
    case 4:
        text_appendf(out, "%u-%u/%u", low, high, 1 + random_below(5));
        break;
    default:
        text_appendf(out, "%u,%u", high, low);
        break;
    }
}

static Cron random_cron(char text[128])
{
    TEXT_AUTO(expr);
    Cron cron;
    do {
        text_reset(&expr);
        static const uint32_t bounds[5][2] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
        for (size_t i = 0; i < 5; i++) {
            if (i > 0)
                text_append_char(&expr, ' ');
            if (i > 1 && random_below(2))
                text_append_char(&expr, '*');
            else
                random_field(&expr, bounds[i][0], bounds[i][1]);
        }
    } while (!cron_parse(expr.data, &cron, NULL));
    snprintf(text, 128, "%s", expr.data);
    return cron;
}

static const struct {
    const char *name, *change; /* a time near which clocks change */
} CHANGES[] = {
    {"Europe/Berlin", "2023-03-26"},       {"Europe/Berlin", "2023-10-29"},
    {"Australia/Lord_Howe", "2023-04-02"}, {"Australia/Lord_Howe", "2023-10-01"},
    {"Pacific/Chatham", "2023-04-02"},     {"Pacific/Chatham", "2023-09-24"},
    {"Pacific/Apia", "2011-12-30"},        {"America/Sao_Paulo", "2017-10-15"},
    {"America/Sao_Paulo", "2018-02-18"},   {"Antarctica/Troll", "2023-03-26"},
    {"Antarctica/Troll", "2023-10-29"},    {"Africa/Casablanca", "2022-03-27"},
    {"Europe/Dublin", "2022-10-30"},       {"Asia/Kathmandu", "2024-02-29"},
    {"Europe/Berlin", "2060-03-28"},       {"UTC", "2023-12-31"},
};
enum { CHANGE_COUNT = sizeof CHANGES / sizeof *CHANGES };

static void test_ticks_are_as_defined(void **state)
{
    (void)state;
    size_t ticks = 0;
    for (int i = 0; i < 1500; i++) {
        size_t which = random_below(CHANGE_COUNT);
        Zone *zone CLEANUP(zone_close_p) = open_zone(CHANGES[which].name);
        char expr[128];
        Cron cron = random_cron(expr);
        int64_t from = at(zone, CHANGES[which].change) / SECOND - 2 * 86400, until = from + 4 * 86400;
        int64_t shown = from - 60 + zone_offset_at(zone, (from - 60) * SECOND);
        Instant next = from * SECOND - 1, prev;
        for (int64_t t = from; t < until; t += 60) {
            if (!is_tick(&cron, zone, t, &shown))
                continue;
            ticks++;
            if (!cron_next(&cron, zone, next, &next) || next != t * SECOND)
                fail_msg("\"%s\" in %s: tick %lld is not next, but %lld", expr, CHANGES[which].name, (long long)t,
                         (long long)(next / SECOND));
            if (!cron_prev(&cron, zone, (t + 59) * SECOND, &prev) || prev != next)
                fail_msg("\"%s\" in %s: tick %lld is not previous", expr, CHANGES[which].name, (long long)t);
        }
        if (cron_next(&cron, zone, next, &next) && next < until * SECOND)
            fail_msg("\"%s\" in %s: %lld is no tick", expr, CHANGES[which].name, (long long)(next / SECOND));
    }
    assert_true(ticks > 10000);
}

/* Over all of history and the rules' future: nothing lies between a time and its next tick, nor its last one. */
static void test_next_and_prev_agree(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin",
                                        "America/New_York",
                                        "Asia/Manila",
                                        "America/Juneau",
                                        "Africa/Monrovia",
                                        "Pacific/Kwajalein",
                                        "Europe/Dublin",
                                        "Asia/Kathmandu",
                                        "Antarctica/Troll",
                                        "Pacific/Apia",
                                        "UTC"};
    for (int i = 0; i < 5000; i++) {
        const char *name = names[random_below(sizeof names / sizeof *names)];
        Zone *zone CLEANUP(zone_close_p) = open_zone(name);
        char expr[128];
        Cron cron = random_cron(expr);
        Instant t = ((int64_t)random_below(400 * 365) - 130 * 365) * DAY + random_below(1440) * MINUTE, next = 0,
                prev = 0, back;
        if (random_below(2))
            t += random_below(60 * 1000000);
        if (!cron_next(&cron, zone, t, &next) || !cron_prev(&cron, zone, t, &prev))
            fail_msg("\"%s\" in %s: no tick", expr, name);
        bool right = prev <= t && t < next;
        right = right && cron_prev(&cron, zone, next - 1, &back) && back == prev;
        right = right && cron_prev(&cron, zone, next, &back) && back == next;
        right = right && cron_next(&cron, zone, prev, &back) && back == next;
        right = right && cron_next(&cron, zone, prev - 1, &back) && back == prev;
        if (!right)
            fail_msg("\"%s\" in %s at %lld: %lld and %lld disagree", expr, name, (long long)t, (long long)prev,
                     (long long)next);
    }
}

static void test_ends_of_time(void **state)
{
    (void)state;
    Zone *zone CLEANUP(zone_close_p) = open_zone("Europe/Berlin");
    Cron cron = parse("0 0 1 1 *");
    Instant tick, edge = at(zone, "9999-12-31T23:59:59Z");
    assert_false(cron_next(&cron, zone, edge, &tick));
    assert_false(cron_next(&cron, zone, INT64_MAX, &tick));
    assert_true(cron_next(&cron, zone, INT64_MIN, &tick));
    assert_true(tick >= at(zone, "0001-01-01T00:00Z"));
    assert_false(cron_prev(&cron, zone, tick - 1, &tick));
    assert_false(cron_prev(&cron, zone, INT64_MIN, &tick));
    assert_true(cron_prev(&cron, zone, INT64_MAX, &tick));
    assert_true(tick <= edge);
}

/* --- expressions -------------------------------------------------------------------------------------------------- */

static void test_parse_errors(void **state)
{
    (void)state;
    static const struct {
        const char *expr;
        int column;
        const char *message, *hint; /* parts of them */
    } rows[] = {
        {"", 1, "cron has five fields, found 0", "minute, hour"},
        {"  \t", 4, "cron has five fields, found 0", "minute, hour"},
        {"* * * *", 8, "cron has five fields, found 4", "minute, hour"},
        {"0 * * * * *", 11, "cron has five fields, found 6", "the seconds field is not used"},
        {"0 0 0 1 1 ? 2026", 11, "cron has five fields, found 7", "the seconds field is not used"},
        {"daily", 6, "cron has five fields, found 1", "write @daily"},
        {"60 * * * *", 1, "minute: \"60\" is out of range; allowed: 0-59", NULL},
        {"* 24 * * *", 3, "hour: \"24\" is out of range; allowed: 0-23", NULL},
        {"* * 0 * *", 5, "day of month: \"0\" is out of range; allowed: 1-31", NULL},
        {"* * 32 * *", 5, "day of month: \"32\" is out of range; allowed: 1-31", NULL},
        {"* * * 13 *", 7, "month: \"13\" is out of range; allowed: 1-12 or jan-dec", NULL},
        {"* * * 0 *", 7, "month: \"0\" is out of range", NULL},
        {"* * * * 8", 9, "day of week: \"8\" is out of range; allowed: 0-7 or sun-sat", NULL},
        {"99999999999999999999 * * * *", 1, "out of range", NULL},
        {"1-60 * * * *", 3, "\"60\" is out of range", NULL},
        {"-1 * * * *", 1, "minute: a value is missing; allowed: 0-59", NULL},
        {"10-5 * * * *", 1, "\"10-5\" runs backwards", NULL},
        {"* * * * fri-mon", 9, "\"fri-mon\" runs backwards", NULL},
        {"* * * dec-jan *", 7, "\"dec-jan\" runs backwards", NULL},
        {"5- * * * *", 3, "the range has no end", NULL},
        {"1--2 * * * *", 3, "the range has no end", NULL},
        {"1-2-3 * * * *", 4, "\"-\" does not belong here", NULL},
        {"*/0 * * * *", 3, "a step of 0 never moves on", NULL},
        {"1-9/0 * * * *", 5, "a step of 0", NULL},
        {"*/ * * * *", 3, "the step is not a number", NULL},
        {"*/x * * * *", 3, "the step is not a number", NULL},
        {"*/-5 * * * *", 3, "the step is not a number", NULL},
        {"*/5/5 * * * *", 4, "\"/\" does not belong here", NULL},
        {"5/15 * * * *", 2, "a step needs * or a range before it", "write 5-59/15"},
        {"* * * * 1/2", 10, "a step needs", "write 1-6/2"},
        {"* * * jan/3 *", 10, "a step needs", "write jan-12/3"},
        {"1,,2 * * * *", 3, "minute: a value is missing", NULL},
        {",1 * * * *", 1, "minute: a value is missing", NULL},
        {"1, * * * *", 3, "minute: a value is missing", NULL},
        {"* 1,2, * * *", 7, "hour: a value is missing", NULL},
        {"** * * * *", 2, "\"*\" does not belong here", NULL},
        {"*5 * * * *", 2, "\"5\" does not belong here", NULL},
        {"*-5 * * * *", 2, "\"-\" does not belong here", NULL},
        {"? * * * *", 1, "\"?\" is not known here", NULL},
        {"0 0 L * *", 5, "\"L\" is not known here", NULL},
        {"0 0 15W * *", 7, "\"W\" does not belong here", NULL},
        {"0 0 * * 5#3", 10, "\"#\" does not belong here", NULL},
        {"0 0 * * 5L", 10, "\"L\" does not belong here", NULL},
        {"jan * * * *", 1, "minute: \"jan\" is not known here; allowed: 0-59", NULL},
        {"* * * mon *", 7, "month: \"mon\" is not known here", NULL},
        {"* * * * jan", 9, "day of week: \"jan\" is not known here", NULL},
        {"* * * january *", 7, "\"january\" is not known here", "write jan"},
        {"* * * * Monday", 9, "\"Monday\" is not known here", "write mon"},
        {"* * * ja *", 7, "\"ja\" is not known here", NULL},
        {"* * * * mon.fri", 12, "\".\" does not belong here", NULL},
        {"1.5 * * * *", 2, "\".\" does not belong here", NULL},
        {"+5 * * * *", 1, "\"+\" is not known here", NULL},
        {"* * *\n* *", 10, "cron has five fields, found 4", NULL},
        {"* * * * *\n", 10, "does not belong here", NULL},
        {"\xC3\xA9 * * * *", 1, "\"\xC3\xA9\" is not known here", NULL},
        {"* * * * 1\xC3\xA9", 10, "does not belong here", NULL},
        {"\xC3\xA9 0 0 0 0 0", 11, "found 6", NULL},
        {"\xFF * * * *", 1, "\"\\xff\" is not known here", NULL},
        {"@reboot", 1, "@reboot is not supported: a run has no boot", NULL},
        {"@Reboot", 1, "@reboot is not supported", NULL},
        {" @dayly", 2, "unknown schedule \"@dayly\"", "did you mean @daily?"},
        {"@", 1, "unknown schedule \"@\"", NULL},
        {"@every 5m", 10, "cron has five fields, found 2", NULL},
        {"@daily * * * *", 1, "minute: \"@\" is not known here", NULL},
        {"0 0 30 2 *", 5, "this schedule never comes: day 30 is in none of its months (2)", NULL},
        {"0 0 31 2,4,6,9,11 *", 5, "this schedule never comes", NULL},
        {"0 0 31 apr */2", 5, "this schedule never comes", NULL},
        {"0 0 30,31 feb *", 5, "this schedule never comes: day 30,31 is in none of its months (feb)", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ERROR_AUTO(err);
        Cron cron;
        if (cron_parse(rows[i].expr, &cron, &err))
            fail_msg("\"%s\" was accepted", rows[i].expr);
        assert_int_equal(err.code, ERROR_PROJECT);
        if (err.column != rows[i].column || !strstr(err.message, rows[i].message) ||
            (rows[i].hint && (!err.hint || !strstr(err.hint, rows[i].hint))))
            fail_msg("\"%s\": column %d: %s (hint: %s)", rows[i].expr, err.column, err.message,
                     err.hint ? err.hint : "none");
    }
    TEXT_AUTO(longest);
    for (int i = 0; i <= CRON_TEXT_MAX; i++)
        text_append_char(&longest, ' ');
    Cron cron;
    assert_false(cron_parse(longest.data, &cron, NULL));
}

static void test_spellings(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b; /* mean the same */
    } rows[] = {
        {"*/15 * * * *", "*/15\t*  *\t \t*   *  "},
        {"0 0 1 jan *", " 0 0 1 JAN *"},
        {"0 0 1 1 *", "00 000 01 1 *"},
        {"0 0 * * 0", "0 0 * * 7"},
        {"0 0 * * sun", "0 0 * * 7"},
        {"0 0 * * fri-sun", "0 0 * * 5,6,0"},
        {"0 0 * * 1-7", "0 0 * * Mon-Sun"},
        {"0 0 * * sun-tue", "0 0 * * 0-2"},
        {"0 0 * * sun-sun", "0 0 * * 0"},
        {"0 0 * * sat-7", "0 0 * * 6,7"},
        {"0 0 * * 0-7/7", "0 0 * * 0"},
        {"0 0 * * 1-fri", "0 0 * * mon-5"},
        {"0 0 1 1-dec/3 *", "0 0 1 1,4,7,10 *"},
        {"5-5 * * * *", "5 * * * *"},
        {"3-59/100 * * * *", "3 * * * *"},
        {"@hourly", "0 * * * *"},
        {"@Weekly", "0 0 * * 0"},
        {"\t@yearly ", "0 0 1 1 *"},
        {"@annually", "@yearly"},
        {"@midnight", "@daily"},
        {"@monthly", "0 0 1 * *"},
        {"1,1,1 0 * * *", "1 0 * * *"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        Cron a = parse(rows[i].a), b = parse(rows[i].b);
        if (a.minutes != b.minutes || a.hours != b.hours || a.days != b.days || a.months != b.months ||
            a.weekdays != b.weekdays || a.any_day != b.any_day || a.repeating != b.repeating)
            fail_msg("\"%s\" is not \"%s\"", rows[i].a, rows[i].b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expected_times),
        cmocka_unit_test(test_clock_changes),
        cmocka_unit_test(test_ticks_are_as_defined),
        cmocka_unit_test(test_next_and_prev_agree),
        cmocka_unit_test(test_ends_of_time),
        cmocka_unit_test(test_parse_errors),
        cmocka_unit_test(test_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
