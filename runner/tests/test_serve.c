/* What serving needs of the host: a stop from a signal, and handlers that raise without ending anything. */
#include "smcb_runtime.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#include <lauxlib.h>

#include <cmocka.h>

static struct {
    smcb_host_t *host;
    lua_State *L;
    char errors[512]; /* what on_job_error was told, a line each */
} world;

static void on_job_error(void *ud, const char *message)
{
    size_t n = strlen(world.errors);

    assert_ptr_equal(&world, ud);
    assert_null(strchr(message, '\n'));
    (void)snprintf(world.errors + n, sizeof(world.errors) - n, "%s\n", message);
}

static int setup(void **state)
{
    smcb_conf_t conf = {.cpu_budget_ms = 5000, .on_job_error = on_job_error, .ud = &world};

    (void)state;
    world.errors[0] = '\0';
    return smcb_open(&conf, &world.host, &world.L, NULL) == SMC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    smcb_close(world.host);
    return 0;
}

static int l_require(lua_State *L)
{
    smcb_require(L, luaL_checkstring(L, 1));
    return 1;
}

/* Runs Lua with `need`, which also finds internal modules; returns what it returns as text, borrowed from the stack. */
static const char *run_lua(const char *code)
{
    lua_pushcfunction(world.L, l_require);
    lua_setglobal(world.L, "need");
    if (luaL_dostring(world.L, code))
        fail_msg("%s", lua_tostring(world.L, -1));
    return lua_tostring(world.L, -1);
}

static void on_alarm(int number)
{
    (void)number;
    /* Its header promises that a signal handler may call it.  NOLINTNEXTLINE(bugprone-signal-handler) */
    smcb_request_stop(world.host);
}

static void a_signal_ends_a_run_that_waits_for_ever(void **state)
{
    struct itimerval soon = {.it_value = {.tv_usec = 30000}};

    (void)state;
    assert_true(signal(SIGALRM, on_alarm) != SIG_ERR);
    assert_int_equal(0, setitimer(ITIMER_REAL, &soon, NULL));
    assert_string_equal("cancelled closed",
                        run_lua("local core = need 'smc.core.task'\n"
                                "local closed = ''\n"
                                "core.open_world()\n"
                                "local o = core.run(function()\n"
                                "  local _ <close> = setmetatable({}, {\n"
                                "    __close = function() closed = ' closed' end})\n"
                                "  core.sleep(1e6)\n"
                                "end)\n"
                                "core.close_world()\n"
                                "return o.status .. closed"));
}

static void a_stop_that_was_asked_for_before_ends_the_run_too(void **state)
{
    (void)state;
    smcb_request_stop(world.host);
    assert_string_equal("cancelled",
                        run_lua("local core = need 'smc.core.task'\n"
                                "core.open_world()\n"
                                "return core.run(function() core.sleep(1e6) end).status"));
}

static void handlers_that_raise_answer_500_and_are_told_of_one_by_one(void **state)
{
    (void)state;
    assert_string_equal(
        "500 500 ok", run_lua("local core, http = need 'smc.core.task', need 'smc.core.http'\n"
                              "core.open_world()\n"
                              "local s = need 'smc.core.server'.listen {\n"
                              "  on_request = function(ex) error('no ' .. ex.path, 0) end}\n"
                              "local out = {}\n"
                              "local o = core.run(function()\n"
                              "  core.after(0, function() error({}) end)\n"
                              "  for i = 1, 2 do\n"
                              "    local r = assert(http.request {url = s:origin() .. '/' .. i})\n"
                              "    out[i] = r.status\n"
                              "  end\n"
                              "end, 20)\n"
                              "s:close()\n"
                              "core.close_world()\n"
                              "return table.concat(out, ' ') .. ' ' .. o.status"));
    assert_string_equal("table\nno /1\nno /2\n", world.errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signal_ends_a_run_that_waits_for_ever, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stop_that_was_asked_for_before_ends_the_run_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(handlers_that_raise_answer_500_and_are_told_of_one_by_one,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
