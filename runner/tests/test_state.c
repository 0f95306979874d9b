/* What workers rely on in a Lua state: that its CPU budget ends whatever does not wait, and that one forked from a warm
 * state is like one that was opened. */
#include "smcb_runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include <cmocka.h>

#define BUDGET_MS 60

static int l_require(lua_State *L)
{
    smcb_require(L, luaL_checkstring(L, 1));
    return 1;
}

/* Runs Lua with `need`, which also finds internal modules; returns what it returns as text, borrowed from the stack. */
static const char *run_lua(lua_State *L, const char *code)
{
    lua_pushcfunction(L, l_require);
    lua_setglobal(L, "need");
    if (luaL_dostring(L, code))
        return lua_tostring(L, -1);
    return luaL_tolstring(L, -1, NULL);
}

/* The outcome of a spec: what core.run says of `body`, which is Lua. */
static const char *status_of(lua_State *L, const char *body)
{
    lua_settop(L, 0);
    lua_pushfstring(L,
                    "local core = need 'smc.core.task'\n"
                    "core.open_world()\n"
                    "local o = core.run(function() %s end, 30)\n"
                    "core.finish()\n"
                    "core.close_world()\n"
                    "return o.status",
                    body);
    return run_lua(L, lua_tostring(L, -1));
}

static void open_host(smcb_host_t **host, lua_State **L, uint64_t budget_ms)
{
    smcb_conf_t conf = {.virtual_clock = true, .cpu_budget_ms = budget_ms, .seed = 7};

    assert_int_equal(SMC_OK, smcb_open(&conf, host, L, NULL));
}

static void ends_every_loop(lua_State *L)
{
    static const char *const loops[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "coroutine.resume(coroutine.create(function() while true do end end))",
        "coroutine.wrap(function() while true do end end)()",
        "local deep = coroutine.create(function() coroutine.wrap(function() while true do end "
        "end)() end)\n"
        "while true do coroutine.resume(deep) end",
        "core.after(0, function() while true do end end) core.sleep(1)",
        "local t = core.spawn(function()\n"
        "  local _ <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "  core.sleep(9)\n"
        "end)\n"
        "core.sleep(1) core.cancel(t)\n"
        "while true do end",
        "local _ <close> = setmetatable({}, {__close = function() while true do end end})\n"
        "coroutine.yield()",
    };

    for (size_t i = 0; i < sizeof(loops) / sizeof(loops[0]); i++) {
        const char *status = status_of(L, loops[i]);
        if (strcmp("cpu", status) != 0)
            fail_msg("%s: %s", loops[i], status);
        assert_string_equal("ok",
                            status_of(L, "coroutine.wrap(function() for _ = 1, 50000 do end end)()"
                                         "core.sleep(1)"));
    }
}

/* Two tasks that wake each other, and a third, the last of its round, that ends before its turn. */
static void a_round_ends_without_its_last_task(void **state)
{
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    open_host(&host, &L, 0);
    assert_string_equal(
        "livelock", status_of(L, "local gate = need 'smc.core.gate'\n"
                                 "local a, b, last = gate.new(), gate.new(), nil\n"
                                 "core.spawn(function()\n"
                                 "  core.cancel(last)\n"
                                 "  while true do b:open() a:wait() end\n"
                                 "end)\n"
                                 "core.spawn(function() while true do a:open() b:wait() end end)\n"
                                 "last = core.spawn(function() end)\n"
                                 "core.sleep(1)"));
    smcb_close(host);
}

static void the_budget_ends_what_does_not_wait(void **state)
{
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    open_host(&host, &L, BUDGET_MS);
    ends_every_loop(L);
    smcb_close(host);
}

/* Three budgets in all, in slices of a third; in the scenario's own coroutines, too. */
static void the_budget_is_of_one_slice(void **state)
{
    static const char *const bodies[] = {
        "for _ = 1, 9 do\n"
        "  local past = os.clock() + 0.02\n"
        "  repeat until os.clock() > past\n"
        "  core.sleep(0.001)\n"
        "end",
        "for _ = 1, 9 do\n"
        "  coroutine.wrap(function()\n"
        "    local past = os.clock() + 0.02\n"
        "    repeat until os.clock() > past\n"
        "  end)()\n"
        "  core.sleep(0.001)\n"
        "end",
    };
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    open_host(&host, &L, BUDGET_MS);
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_string_equal("ok", status_of(L, bodies[i]));
    smcb_close(host);
}

/* Memory is refused, collected and given: what fails afterwards is no matter of memory. */
static void only_what_memory_ends_is_told_of_it(void **state)
{
    static const char fill[] = "local live = {}\n"
                               "for i = 1, 18 do\n"
                               "  live[i] = ('x'):rep(1 << 20) .. i\n"
                               "  collectgarbage()\n"
                               "end\n"
                               "for i = 1, 300000 do local _ = {i, i} end\n";
    smcb_conf_t conf = {.virtual_clock = true, .memory_bytes = 32u << 20};
    smcb_host_t *host;
    lua_State *L;
    char body[512];

    (void)state;
    assert_int_equal(SMC_OK, smcb_open(&conf, &host, &L, NULL));
    (void)snprintf(body, sizeof(body), "%s error('something else')", fill);
    assert_string_equal("error", status_of(L, body));
    (void)snprintf(body, sizeof(body), "%s for i = 19, 99 do live[i] = ('x'):rep(1 << 20) end",
                   fill);
    assert_string_equal("memory", status_of(L, body));
    smcb_close(host);
}

/* Far more waits than there is memory for at a time. */
static void what_was_waited_for_is_collected(void **state)
{
    smcb_conf_t conf = {.virtual_clock = true, .memory_bytes = 16u << 20};
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    assert_int_equal(SMC_OK, smcb_open(&conf, &host, &L, NULL));
    assert_string_equal("ok", status_of(L, "local live = {}\n"
                                           "for i = 1, 40000 do live[i] = {} end\n"
                                           "for _ = 1, 2000 do\n"
                                           "  core.sleep(0.001)\n"
                                           "  for _ = 1, 99 do core.sleep(0) end\n"
                                           "end"));
    smcb_close(host);
}

/* So many timers that the registry has to grow for the next ones, and has no memory for that. */
static void a_timer_that_nobody_can_keep_does_not_fire(void **state)
{
    static const char body[] = "local none, keep, n = function() end, {}, 0\n"
                               "for i = 1, 4000 do keep[i] = false end\n"
                               "for _ = 1, %d do core.after(0, none) end\n"
                               "for shift = 20, 14, -2 do\n"
                               "  while true do\n"
                               "    local fits, text = pcall(string.rep, 'x', 1 << shift)\n"
                               "    if not fits then break end\n"
                               "    n = n + 1\n"
                               "    keep[n] = text\n"
                               "  end\n"
                               "end\n"
                               "local failed = 0\n"
                               "while failed < 50 do\n"
                               "  if not pcall(core.after, 0, none) then failed = failed + 1 end\n"
                               "end\n"
                               "keep = nil\n"
                               "core.sleep(1)";
    smcb_conf_t conf = {.virtual_clock = true, .memory_bytes = 16u << 20};
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    assert_int_equal(SMC_OK, smcb_open(&conf, &host, &L, NULL));
    for (int n = 1800; n <= 2040; n += 40) {
        char text[sizeof(body) + 16];
        (void)snprintf(text, sizeof(text), body, n);
        assert_string_equal("ok", status_of(L, text));
    }
    smcb_close(host);
}

static void coroutines_are_as_of_lua(void **state)
{
    smcb_host_t *host;
    lua_State *L;

    (void)state;
    open_host(&host, &L, BUDGET_MS);
    assert_string_equal(
        "1 2 thread dead | 3 | false false",
        run_lua(L,
                "local co = coroutine.create(function(a)\n"
                "  local b = coroutine.yield(a + 0)\n"
                "  return b\n"
                "end)\n"
                "local _, x = coroutine.resume(co, 1)\n"
                "local _, y = coroutine.resume(co, 2)\n"
                "local w = coroutine.wrap(function() coroutine.yield(3) end)\n"
                "return table.concat({x, y, type(co), coroutine.status(co), '|', w(), '|',\n"
                "  tostring(pcall(coroutine.create, 1)), tostring(pcall(coroutine.wrap))}, ' ')"));
    smcb_close(host);
}

/* ---- forked from a warm state ------------------------------------------------ */

static int in_child(smcb_host_t *host, int (*work)(lua_State *L))
{
    pid_t pid = fork();
    int status = -1;

    assert_true(pid >= 0);
    if (pid == 0) {
        smcb_conf_t conf = {.virtual_clock = true, .cpu_budget_ms = BUDGET_MS, .seed = 7};
        lua_State *L;
        if (smcb_take_over(host, &conf, &L, NULL) != SMC_OK)
            _exit(99);
        _exit(work(L));
    }
    assert_int_equal(pid, waitpid(pid, &status, 0));
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int has_a_budget(lua_State *L)
{
    return strcmp("cpu", status_of(L, "while true do end")) == 0 ? 0 : 1;
}

static int drawn(lua_State *L)
{
    (void)run_lua(L, "return math.random(0, 97)");
    return (int)lua_tointeger(L, -2);
}

/* English, though other languages are there to be asked for. */
static int speaks(lua_State *L)
{
    return strstr(run_lua(L, "return tostring(select(2, pcall(need 'luassert'.equal, 1, 2)))"),
                  "Expected objects to be equal") == NULL;
}

static int has_modules(lua_State *L)
{
    (void)run_lua(L, "local n = 0\n"
                     "for name in next, need 'package'.loaded do\n"
                     "  if name:find '^smc%.sandbox%.' then n = n + 1 end\n"
                     "end\n"
                     "return n");
    return (int)lua_tointeger(L, -2) > 50 ? 0 : 1;
}

static void a_fork_of_a_warm_state_is_like_a_new_one(void **state)
{
    smcb_host_t *host;
    lua_State *L;
    int wanted;

    (void)state;
    open_host(&host, &L, BUDGET_MS);
    wanted = drawn(L);
    smcb_close(host);

    open_host(&host, &L, 0);
    assert_int_equal(SMC_OK, smcb_warm(host, NULL));
    (void)drawn(L);
    assert_int_equal(wanted, in_child(host, drawn));
    assert_int_equal(0, in_child(host, speaks));
    assert_int_equal(0, in_child(host, has_modules));
    assert_int_equal(0, in_child(host, has_a_budget));
    smcb_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_ends_without_its_last_task),
        cmocka_unit_test(the_budget_ends_what_does_not_wait),
        cmocka_unit_test(the_budget_is_of_one_slice),
        cmocka_unit_test(only_what_memory_ends_is_told_of_it),
        cmocka_unit_test(what_was_waited_for_is_collected),
        cmocka_unit_test(a_timer_that_nobody_can_keep_does_not_fire),
        cmocka_unit_test(coroutines_are_as_of_lua),
        cmocka_unit_test(a_fork_of_a_warm_state_is_like_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
