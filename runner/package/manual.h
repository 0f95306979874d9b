/* manual.h - the program that writes the manual page and the completions of shells, from the tables of options that the
 * command line is parsed with.
 */
#ifndef SMCM_MANUAL_H
#define SMCM_MANUAL_H

#include "options/options_priv.h"

/* All of smcrun.1 but what stands in manual.1. */
void smcm_put_man(FILE *out, const char *date);

/* A line for each option of each command, and one before them for what stands where no option does:
 *   COMMAND|LONG|SHORT|TAKES|KIND|WORDS|GIST      serve|--port||value|anything||binance on N
 *   COMMAND|||operand|KIND|WORDS|GIST             serve|||operand|words|binance bybit oanda|Runs sandboxed exchanges
 * TAKES: flag, value or maybe (a value behind =).  KIND of the value: anything, file, folder, scenario (a Lua file, or a
 * folder), words (one of WORDS), report (one of WORDS, and perhaps :FILE).
 * GIST: what it does, in some words, without quotes. */
void smcm_put_table(FILE *out);

#endif /* SMCM_MANUAL_H */
