#include "csv/number.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "csv/binary.h"

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* The server's input functions for numbers allow white space at both ends. */
static void trim(const char **s, size_t *n)
{
    while (*n > 0 && is_space(**s)) {
        (*s)++;
        (*n)--;
    }
    while (*n > 0 && is_space((*s)[*n - 1]))
        (*n)--;
}

/* PostgreSQL 16 and later read 0x1F, 0o17, 0b101 and 1_000; earlier ones refuse them. */
static ValueResult not_decimal(const char *s, size_t n)
{
    if (memchr(s, '_', n))
        return VALUE_UNSURE;
    if (n > 0 && (*s == '-' || *s == '+')) {
        s++;
        n--;
    }
    bool prefix = n >= 2 && s[0] == '0' && strchr("xXoObB", s[1]);
    return prefix ? VALUE_UNSURE : VALUE_BAD;
}

ValueResult number_integer(const char *s, size_t n, size_t size, Text *out)
{
    trim(&s, &n);
    const char *p = s, *end = s + n;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *digits = p;
    uint64_t value = 0;
    bool overflow = false;
    for (const char *safe = end - p > 19 ? p + 19 : end; p < safe && is_digit(*p); p++)
        value = value * 10 + (uint64_t)(*p - '0'); /* 19 digits fit */
    for (; p < end && is_digit(*p); p++) {
        overflow |= value > (UINT64_MAX - 9) / 10;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (p == digits || p != end)
        return not_decimal(s, n);
    uint64_t limit = (UINT64_C(1) << (size * 8 - 1)) - !negative;
    if (overflow || value > limit)
        return VALUE_OUT_OF_RANGE;
    binary_field(out, negative ? 0 - value : value, size);
    return VALUE_OK;
}

/* --- decimal notation --------------------------------------------------------------------------------------- */

/* [+-] digits [. digits] [e [+-] digits], with at least one digit before the exponent. */
typedef struct Decimal {
    bool negative;
    const char *whole; /* digits before the point */
    size_t whole_len;
    const char *fraction;
    size_t fraction_len;
    int exponent; /* held within EXPONENT_MAX either way */
} Decimal;

enum { EXPONENT_MAX = 1000000 };

static size_t run_of_digits(const char *p, const char *end)
{
    const char *start = p;
    while (p < end && is_digit(*p))
        p++;
    return (size_t)(p - start);
}

/* False where s is not of that form. White space is trimmed already. */
static bool read_decimal(const char *s, size_t n, Decimal *ret)
{
    const char *p = s, *end = s + n;
    *ret = (Decimal){.negative = n > 0 && *s == '-'};
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    ret->whole = p;
    ret->whole_len = run_of_digits(p, end);
    p += ret->whole_len;
    ret->fraction = p;
    if (p < end && *p == '.') {
        ret->fraction = ++p;
        ret->fraction_len = run_of_digits(p, end);
        p += ret->fraction_len;
    }
    if (ret->whole_len + ret->fraction_len == 0)
        return false;
    if (p == end)
        return true;
    if (*p != 'e' && *p != 'E')
        return false;
    p++;
    bool minus = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    size_t len = run_of_digits(p, end);
    if (len == 0 || p + len != end)
        return false;
    for (; p < end; p++)
        if (ret->exponent < EXPONENT_MAX)
            ret->exponent = ret->exponent * 10 + (*p - '0');
    if (minus)
        ret->exponent = -ret->exponent;
    return true;
}

/* "inf" and "infinity" with a sign or none, as float8in and numeric_in read them: 1, -1, or 0 for neither. */
static int infinity_of(const char *s, size_t n)
{
    int sign = n > 0 && *s == '-' ? -1 : 1;
    if (n > 0 && (*s == '-' || *s == '+')) {
        s++;
        n--;
    }
    bool matches = (n == 3 && strncasecmp(s, "inf", n) == 0) || (n == 8 && strncasecmp(s, "infinity", n) == 0);
    return matches ? sign : 0;
}

/* What is neither decimal nor infinite: NaN with a sign or a payload is for the server to judge. */
static ValueResult not_number(const char *s, size_t n)
{
    for (size_t i = 0; i + 3 <= n && i < 2; i++)
        if (strncasecmp(s + i, "nan", 3) == 0)
            return VALUE_UNSURE;
    for (size_t i = 0; i + 1 < n; i++) /* up to PostgreSQL 15, numeric reads "1e 3" */
        if ((s[i] == 'e' || s[i] == 'E') && is_space(s[i + 1]))
            return VALUE_UNSURE;
    return not_decimal(s, n);
}

/* --- floating point ----------------------------------------------------------------------------------------- */

static locale_t g_c_locale;
static pthread_once_t g_c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
    g_c_locale = newlocale(LC_ALL_MASK, "C", NULL);
    if (!g_c_locale)
        abort();
}

/* The exact case (Clinger, "How to read floating point numbers accurately", 1990): digits and power of ten both are
 * exact doubles, so one operation rounds once. */
static bool exact_double(const Decimal *d, double *ret)
{
    static const double POWERS[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (d->whole_len + d->fraction_len > 15 || d->exponent < -100 || d->exponent > 22)
        return false;
    int power = d->exponent - (int)d->fraction_len;
    if (power < -22 || power > 22)
        return false;
    int64_t digits = 0;
    for (size_t i = 0; i < d->whole_len; i++)
        digits = digits * 10 + (d->whole[i] - '0');
    for (size_t i = 0; i < d->fraction_len; i++)
        digits = digits * 10 + (d->fraction[i] - '0');
    double value = power < 0 ? (double)digits / POWERS[-power] : (double)digits * POWERS[power];
    *ret = d->negative ? -value : value;
    return true;
}

static void put_double(Text *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    binary_field(out, bits, sizeof(bits));
}

static void put_float(Text *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    binary_field(out, bits, sizeof(bits));
}

/* As float8in: glibc's strtod, where ERANGE counts unless the result is merely denormal. */
static ValueResult convert_float(const char *text, size_t size, Text *out)
{
    pthread_once(&g_c_locale_once, make_c_locale);
    errno = 0;
    if (size == 4) {
        float value = strtof_l(text, NULL, g_c_locale);
        if (errno == ERANGE && (value == 0.0f || isinf(value)))
            return VALUE_OUT_OF_RANGE;
        put_float(out, value);
        return VALUE_OK;
    }
    double value = strtod_l(text, NULL, g_c_locale);
    if (errno == ERANGE && (value == 0.0 || isinf(value)))
        return VALUE_OUT_OF_RANGE;
    put_double(out, value);
    return VALUE_OK;
}

ValueResult number_float(const char *s, size_t n, size_t size, Text *out)
{
    trim(&s, &n);
    Decimal decimal;
    if (read_decimal(s, n, &decimal)) {
        double exact;
        if (size == 8 && exact_double(&decimal, &exact)) {
            put_double(out, exact);
            return VALUE_OK;
        }
        char small[128];
        char *text = n < sizeof(small) ? small : mem_alloc(n + 1);
        memcpy(text, s, n);
        text[n] = '\0';
        ValueResult result = convert_float(text, size, out);
        if (text != small)
            free(text);
        return result;
    }
    int infinite = infinity_of(s, n);
    bool nan = n == 3 && strncasecmp(s, "nan", 3) == 0;
    if (!infinite && !nan)
        return not_number(s, n);
    double special = nan ? (double)NAN : infinite * HUGE_VAL;
    if (size == 4)
        put_float(out, (float)special);
    else
        put_double(out, special);
    return VALUE_OK;
}

/* --- numeric ------------------------------------------------------------------------------------------------ */

enum {
    NUMERIC_DIGITS_MAX = 1000, /* decimal digits, and size of the exponent, that are worth reading here */
    NUMERIC_NEGATIVE = 0x4000,
    NUMERIC_NAN = 0xC000,
    NUMERIC_INFINITY = 0xD000,
    NUMERIC_NEGATIVE_INFINITY = 0xF000,
};

/* Decimal digits, the first of them with value 10^(point - 1). */
typedef struct Numeric {
    unsigned char digits[NUMERIC_DIGITS_MAX + 1]; /* one more for a carry */
    int count;
    int point;
    int dscale; /* digits shown after the point */
} Numeric;

/* What numeric_send shows as dscale of an infinity are bits of its header. */
static void put_special(Text *out, unsigned sign)
{
    binary_put(out, 8, 4);
    binary_put(out, 0, 4);
    binary_put(out, sign, 2);
    binary_put(out, sign == NUMERIC_NAN ? 0 : 0x20, 2);
}

static void gather_digits(const Decimal *d, Numeric *num)
{
    int skipped = 0;
    bool leading = true;
    for (size_t i = 0; i < d->whole_len + d->fraction_len; i++) {
        char c = i < d->whole_len ? d->whole[i] : d->fraction[i - d->whole_len];
        leading = leading && c == '0';
        if (leading)
            skipped++;
        else
            num->digits[num->count++] = (unsigned char)(c - '0');
    }
    num->point = (int)d->whole_len + d->exponent - skipped;
    num->dscale = (int)d->fraction_len - d->exponent;
    if (num->dscale < 0)
        num->dscale = 0;
}

/* Rounds to scale digits after the point, halves away from zero. */
static void round_to(Numeric *num, int scale)
{
    num->dscale = scale;
    int keep = num->point + scale;
    if (keep >= num->count)
        return;
    bool up = keep >= 0 && num->digits[keep] >= 5;
    num->count = keep > 0 ? keep : 0;
    if (!up)
        return;
    int i = num->count;
    while (i > 0 && num->digits[i - 1] == 9)
        num->digits[--i] = 0;
    if (i > 0) {
        num->digits[i - 1]++;
        return;
    }
    memmove(num->digits + 1, num->digits, (size_t)num->count);
    num->digits[0] = 1;
    num->count++;
    num->point++;
}

static int floor_div(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/* Writes digits to the base of 10000, without zeros at either end. */
static void put_numeric(Text *out, const Numeric *num, bool negative)
{
    int count = num->count;
    while (count > 0 && num->digits[count - 1] == 0)
        count--;
    int weight = count > 0 ? floor_div(num->point - 1, 4) : 0;
    int lead = (weight + 1) * 4 - num->point; /* zeros before the first digit in its group */
    int groups = count > 0 ? (lead + count + 3) / 4 : 0;
    binary_put(out, 8 + 2 * (uint64_t)groups, 4);
    binary_put(out, (uint64_t)groups, 2);
    binary_put(out, (uint64_t)weight, 2);
    binary_put(out, negative && count > 0 ? NUMERIC_NEGATIVE : 0, 2);
    binary_put(out, (uint64_t)num->dscale, 2);
    for (int g = 0; g < groups; g++) {
        unsigned value = 0;
        for (int i = g * 4 - lead; i < g * 4 - lead + 4; i++)
            value = value * 10 + (i >= 0 && i < count ? num->digits[i] : 0);
        binary_put(out, value, 2);
    }
}

ValueResult number_numeric(const char *s, size_t n, int precision, int scale, Text *out)
{
    trim(&s, &n);
    Decimal decimal;
    if (!read_decimal(s, n, &decimal)) {
        int infinite = infinity_of(s, n);
        bool nan = n == 3 && strncasecmp(s, "nan", 3) == 0;
        if (!infinite && !nan)
            return not_number(s, n);
        if (infinite && precision >= 0)
            return VALUE_OUT_OF_RANGE;
        put_special(out, nan ? NUMERIC_NAN : infinite > 0 ? NUMERIC_INFINITY : NUMERIC_NEGATIVE_INFINITY);
        return VALUE_OK;
    }
    bool far = decimal.exponent > NUMERIC_DIGITS_MAX || decimal.exponent < -NUMERIC_DIGITS_MAX;
    if (far || decimal.whole_len + decimal.fraction_len > NUMERIC_DIGITS_MAX)
        return VALUE_UNSURE;
    Numeric num;
    num.count = 0;
    gather_digits(&decimal, &num);
    if (precision >= 0) {
        round_to(&num, scale);
        if (num.count > 0 && num.point > precision - scale)
            return VALUE_OUT_OF_RANGE;
    }
    put_numeric(out, &num, decimal.negative);
    return VALUE_OK;
}
