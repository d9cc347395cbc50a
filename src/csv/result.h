/* ValueResult: what became of the text of a value. value.h says what each promises. */
#pragma once

typedef enum ValueResult {
    VALUE_OK,
    VALUE_BAD,          /* no valid input for the type */
    VALUE_OUT_OF_RANGE, /* valid in form, but does not fit: also a string too long for varchar(n) or char(n) */
    VALUE_UNSURE,
} ValueResult;
