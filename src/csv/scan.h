/* Scan: which of 64 bytes matter to a CSV reader. */
#pragma once

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bit i of special is set where byte i is the delimiter, the quote, LF, CR or zero; bit i of high where it is no
 * ASCII (in the portable version: any bit, where any byte is). */
typedef struct ScanMask {
    uint64_t special;
    uint64_t high;
} ScanMask;

/* Eight bytes in a word, the first one lowest. */
static inline uint64_t scan_word(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

/* 0x80 in every byte of x that is zero, exactly (no borrow runs from byte to byte): Hacker's Delight, 6-1. */
static inline uint64_t scan_zero_bytes(uint64_t x)
{
    const uint64_t low7 = UINT64_C(0x7F7F7F7F7F7F7F7F);
    return ~(((x & low7) + low7) | x | low7);
}

static inline ScanMask scan_block_portable(const char *p, char delimiter, char quote)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t d = ones * (unsigned char)delimiter, q = ones * (unsigned char)quote;
    ScanMask mask = {0, 0};
    for (unsigned i = 0; i < 8; i++) {
        uint64_t x = scan_word(p + (size_t)8 * i);
        uint64_t hits = scan_zero_bytes(x ^ d) | scan_zero_bytes(x ^ q) | scan_zero_bytes(x ^ (ones * '\n')) |
                        scan_zero_bytes(x ^ (ones * '\r')) | scan_zero_bytes(x);
        /* Gathers the eight top bits into the top byte, in order. */
        mask.special |= (((hits >> 7) * UINT64_C(0x0102040810204080)) >> 56) << (8 * i);
        mask.high |= x & UINT64_C(0x8080808080808080);
    }
    return mask;
}

#ifdef __SSE2__

static inline ScanMask scan_block(const char *p, char delimiter, char quote)
{
    const __m128i d = _mm_set1_epi8(delimiter), q = _mm_set1_epi8(quote), lf = _mm_set1_epi8('\n');
    const __m128i cr = _mm_set1_epi8('\r'), zero = _mm_setzero_si128();
    ScanMask mask = {0, 0};
    for (unsigned i = 0; i < 4; i++) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + (size_t)16 * i));
        __m128i a = _mm_or_si128(_mm_cmpeq_epi8(x, d), _mm_cmpeq_epi8(x, q));
        __m128i b = _mm_or_si128(_mm_cmpeq_epi8(x, lf), _mm_cmpeq_epi8(x, cr));
        __m128i hits = _mm_or_si128(_mm_or_si128(a, b), _mm_cmpeq_epi8(x, zero));
        mask.special |= (uint64_t)(uint32_t)_mm_movemask_epi8(hits) << (16 * i);
        mask.high |= (uint64_t)(uint32_t)_mm_movemask_epi8(x) << (16 * i);
    }
    return mask;
}

#else

static inline ScanMask scan_block(const char *p, char delimiter, char quote)
{
    return scan_block_portable(p, delimiter, quote);
}

#endif
