/* File: whole small files, read and written with a bound. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The bytes of a file of at most max bytes, terminated; the caller frees *ret_data. Directories, devices and
 * pipes are errors, so is a larger file. Errors are ERROR_PROJECT with the file named. */
bool file_read(const char *path, size_t max, char **ret_data, size_t *ret_len, Error *err);
/* Writes a file whole or not at all: into a temporary name beside it, flushed, then renamed. */
bool file_write(const char *path, const char *data, size_t len, unsigned mode, Error *err);
/* That it is a file, no directory or device, and may be read; how many bytes it has. ERROR_PROJECT otherwise. */
bool file_check(const char *path, uint64_t *ret_size, Error *err);
bool file_exists(const char *path);
bool dir_exists(const char *path);
