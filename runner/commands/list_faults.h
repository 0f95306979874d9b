/* list_faults.h - the command --list-faults. */
#ifndef SMCR_LIST_FAULTS_H
#define SMCR_LIST_FAULTS_H

#include "run/run.h"

#include <stdbool.h>

/* Prints what there is to standard output, for people or as one line of JSON.  Runs nothing. */
smcr_exit_t smcr_list_faults(bool as_json);

#endif /* SMCR_LIST_FAULTS_H */
