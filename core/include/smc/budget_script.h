/* smc/budget_script.h - the limiter's law for budgets that many machines share: a script that Redis runs.
 *
 * What it takes and returns stands at its head, in core/policy/budget_redis.lua.
 * Source  Redis "Scripting with Lua": a script runs at one instant for all clients
 */
#ifndef SMC_BUDGET_SCRIPT_H
#define SMC_BUDGET_SCRIPT_H

/* NUL-terminated. */
const char *smc_budget_script(void);

#endif /* SMC_BUDGET_SCRIPT_H */
