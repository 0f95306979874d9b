#include "commands/clean.h"

#include "keys/access_lua.h"
#include "report/text.h"
#include "run/journal.h"
#include "smcb_runtime.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MEMORY_MIB = 512,  /* of Lua */
    DYING_TRIES = 500, /* looks at the lock of a run whose parent is dead */
    DYING_EVERY_NS = 20000000,
};

typedef struct left {
    smcr_journal_t journal;
    smcr_lives_t lives;
} left_t;

typedef struct session {
    const smcr_options_t *options;
    smcr_access_t access;
    left_t *items;
    size_t count;
    size_t orders;
    bool broken; /* a journal could not be read */
} session_t;

static void complain(const smc_error_t *err)
{
    (void)fputs("smcrun: ", stderr);
    smcr_put_lines(stderr, "", err->detail);
}

/* ---- what was left -------------------------------------------------------- */

/* A zombie is dead. */
static bool is_alive(pid_t pid)
{
    char path[64], text[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return false;
    bool read = fgets(text, sizeof(text), in) != NULL;
    (void)fclose(in);
    const char *name_end = strrchr(text, ')'); /* the state stands behind it */
    return read && name_end != NULL && strncmp(name_end, ") Z", 3) != 0 &&
           strncmp(name_end, ") X", 3) != 0;
}

/* Workers die just behind their parent: until then they hold the lock. */
static smc_code_t open_journal(const char *path, smcr_journal_t *out, bool *busy, smc_error_t *err)
{
    pid_t pid = smcr_journal_pid(path);
    smc_code_t rc = smcr_journal_open(path, out, busy, err);
    for (int i = 0; rc == SMC_OK && *busy && i < DYING_TRIES && !is_alive(pid); i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = DYING_EVERY_NS}, NULL);
        rc = smcr_journal_open(path, out, busy, err);
    }
    return rc;
}

/* What cannot be read is told, and stays. */
static void take(session_t *s, const char *path)
{
    smc_error_t err = {0};
    bool busy;
    left_t *left = &s->items[s->count];
    *left = (left_t){.journal = {.fd = -1}};
    smc_code_t rc = open_journal(path, &left->journal, &busy, &err);
    if (rc == SMC_OK && busy) {
        (void)fprintf(stderr, "smcrun: the run of process %ld goes on; its orders are left to it\n",
                      (long)smcr_journal_pid(path));
        return;
    }
    if (rc == SMC_OK)
        rc = smcr_journal_load(&left->journal, &left->lives, &err);
    if (rc != SMC_OK) {
        (void)fprintf(stderr, "smcrun: %s: ", path);
        smcr_put_lines(stderr, "", err.detail);
        s->broken = true;
        smcr_lives_deinit(&left->lives);
        smcr_journal_close(&left->journal);
        return;
    }
    s->orders += left->lives.count;
    s->count++;
}

static int is_journal(const struct dirent *entry)
{
    return smcr_journal_pid(entry->d_name) != 0;
}

static smcr_exit_t find(session_t *s)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct dirent **entries;
    smc_error_t err = {0};
    if (smcr_journal_folder(s->options->state_dir, folder, &err) != SMC_OK) {
        complain(&err);
        return SMCR_EXIT_USAGE;
    }
    int n = scandir(folder, &entries, is_journal, alphasort);
    if (n < 0 && errno == ENOENT)
        return SMCR_EXIT_PASSED; /* no run has ever written one */
    if (n < 0) {
        (void)fprintf(stderr, "smcrun: cannot read %s: %s\n", folder, strerror(errno));
        return SMCR_EXIT_USAGE;
    }
    s->items = calloc((size_t)n + 1, sizeof(*s->items));
    for (int i = 0; i < n; i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
        if (s->items != NULL && len > 0 && (size_t)len < sizeof(path))
            take(s, path);
        free(entries[i]);
    }
    free(entries);
    return s->items == NULL ? SMCR_EXIT_INTERNAL : SMCR_EXIT_PASSED;
}

/* ---- ending it ------------------------------------------------------------- */

/* dead(journal, id, why) */
static int l_dead(lua_State *L)
{
    const session_t *s = lua_touserdata(L, lua_upvalueindex(1));
    size_t at = (size_t)luaL_checkinteger(L, 1) - 1;
    luaL_argcheck(L, at < s->count, 1, "no such journal");
    (void)smcr_journal_note(s->items[at].journal.fd, '-', luaL_checkstring(L, 2),
                            luaL_checkstring(L, 3), false, NULL);
    return 0;
}

static void push_orders(lua_State *L, const session_t *s)
{
    lua_Integer n = 0;
    lua_createtable(L, (int)s->orders, 0);
    for (size_t i = 0; i < s->count; i++)
        for (size_t k = 0; k < s->items[i].lives.count; k++) {
            const smcr_live_t *live = &s->items[i].lives.items[k];
            lua_createtable(L, 0, 3);
            lua_pushinteger(L, (lua_Integer)i + 1);
            lua_setfield(L, -2, "journal");
            lua_pushstring(L, live->id);
            lua_setfield(L, -2, "id");
            lua_pushstring(L, live->text);
            lua_setfield(L, -2, "text");
            lua_rawseti(L, -2, ++n);
        }
}

/* In protected mode: require("smc.clean").run{...} -> left, without credentials. */
static int l_main(lua_State *L)
{
    session_t *s = lua_touserdata(L, 1);
    smcb_require(L, "smc.clean");
    (void)lua_getfield(L, -1, "run");
    lua_createtable(L, 0, 8);
    push_orders(L, s);
    lua_setfield(L, -2, "orders");
    smcr_push_list(L, s->options->paths, s->options->n_paths);
    lua_setfield(L, -2, "venues");
    smcr_access_fill(L, &s->access);
    lua_pushboolean(L, s->options->dry_run);
    lua_setfield(L, -2, "dry_run");
    smcb_set_closure(L, "dead", l_dead, s);
    lua_call(L, 1, 2);
    return 2;
}

static smcr_exit_t end_orders(session_t *s)
{
    smcb_conf_t conf = {.memory_bytes = (size_t)MEMORY_MIB << 20};
    smcb_host_t *host = NULL;
    lua_State *L = NULL;
    smc_error_t err = {0};
    if (smcb_open(&conf, &host, &L, &err) != SMC_OK) {
        complain(&err);
        return SMCR_EXIT_INTERNAL;
    }
    smcr_exit_t status = SMCR_EXIT_INTERNAL;
    lua_pushcfunction(L, l_main);
    lua_pushlightuserdata(L, s);
    if (lua_pcall(L, 1, 2, 0) != LUA_OK) {
        (void)fputs("smcrun: ", stderr);
        smcr_put_lines(stderr, "", luaL_tolstring(L, -1, NULL));
    } else if (lua_isnil(L, -2)) { /* nil, what is wrong with the command line */
        (void)fprintf(stderr, "smcrun: %s\n", lua_tostring(L, -1));
        status = SMCR_EXIT_USAGE;
    } else {
        lua_Integer left = lua_tointeger(L, -2), without = lua_tointeger(L, -1);
        status = left == 0         ? SMCR_EXIT_PASSED
                 : left == without ? SMCR_EXIT_MISSING
                                   : SMCR_EXIT_FAILED;
    }
    smcb_close(host);
    return status;
}

/* Those without live orders have done their work. */
static void remove_done(session_t *s)
{
    for (size_t i = 0; i < s->count; i++) {
        smcr_lives_t lives = {0};
        bool done =
            smcr_journal_load(&s->items[i].journal, &lives, NULL) == SMC_OK && lives.count == 0;
        smcr_lives_deinit(&lives);
        if (done)
            (void)unlink(s->items[i].journal.path);
    }
}

smcr_exit_t smcr_clean(const smcr_options_t *options)
{
    session_t s = {.options = options};
    smcr_exit_t status = find(&s);
    (void)signal(SIGPIPE, SIG_IGN);
    bool idle = s.orders == 0 && options->n_paths == 0;
    if (status == SMCR_EXIT_PASSED && idle && !s.broken)
        (void)puts("nothing is left");
    if (status == SMCR_EXIT_PASSED && !idle) {
        status = smcr_access_load(&s.access, options);
        if (status == SMCR_EXIT_PASSED)
            status = end_orders(&s);
    }
    if (!options->dry_run)
        remove_done(&s);
    for (size_t i = 0; i < s.count; i++) {
        smcr_lives_deinit(&s.items[i].lives);
        smcr_journal_close(&s.items[i].journal);
    }
    free(s.items);
    smcr_access_deinit(&s.access);
    if (status == SMCR_EXIT_PASSED && s.broken)
        return SMCR_EXIT_FAILED;
    return fflush(stdout) == 0 ? status : SMCR_EXIT_INTERNAL;
}
