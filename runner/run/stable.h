/* stable.h - texts that are equal whenever the run was: without addresses, without our own insides.
 *
 * Lua shows tables and functions by address, and names a function of ours by one of several names, drawn by a hash.
 */
#ifndef SMCR_STABLE_H
#define SMCR_STABLE_H

#include "smc/buf.h"

/* Appends text with "table: 0x55d0c8a1b2c0" as "table: #1", the same number for the same address within this text.
 * Errors: SMC_ENOMEM. */
smc_code_t smcr_number_addresses(const char *text, size_t n, smc_buf_t *out);

/* Appends a text; of one that fills a book, SMCR_MESSAGE_MAX bytes: how it begins and how it ends.  Errors: SMC_ENOMEM. */
enum { SMCR_MESSAGE_MAX = 64 << 10 };
smc_code_t smcr_shorten(const char *text, size_t n, smc_buf_t *out);

/* Appends a traceback without the lines of C functions and of embedded modules.  Errors: SMC_ENOMEM. */
smc_code_t smcr_trim_traceback(const char *text, size_t n, smc_buf_t *out);

#endif /* SMCR_STABLE_H */
