/* smc.core.sign - secret handles and signatures.
 *
 * A secret goes in and never comes out: a handle has no method, its text is "***", its metatable is closed, and the log of
 * the state hides its bytes from the moment it exists.  (The Lua string it was made from is the caller's.)
 */
#include "smcb_sign.h"

#include "smc/sign.h"

#include "smcb_rng.h"
#include "smcb_scratch.h"

static const char secret_mt[] = "smc.secret";
static const char key_mt[] = "smc.sign.key";

enum { KINDS = SMC_SIGN_ED25519 + 1, RANDOM_LENGTH = 64 };

typedef struct secret_box {
    smcb_class_t class;
    smc_secret_t *secret;
    smc_sign_key_t *keys[KINDS]; /* made when first asked to sign or check; NULL before */
} secret_box_t;

typedef struct key_box {
    smcb_class_t class;
    smc_sign_key_t *key;
} key_box_t;

static secret_box_t *push_secret_box(lua_State *L)
{
    return smcb_class_push(L, sizeof(secret_box_t), 0, secret_mt);
}

static key_box_t *push_key_box(lua_State *L)
{
    return smcb_class_push(L, sizeof(key_box_t), 0, key_mt);
}

static int secret_gc(lua_State *L)
{
    secret_box_t *box = lua_touserdata(L, 1);

    for (int k = 0; k < KINDS; k++) {
        smc_sign_key_free(box->keys[k]);
        box->keys[k] = NULL;
    }
    smc_secret_free(box->secret);
    box->secret = NULL;
    return 0;
}

static int key_gc(lua_State *L)
{
    key_box_t *box = lua_touserdata(L, 1);

    smc_sign_key_free(box->key);
    box->key = NULL;
    return 0;
}

/* NULL when the value is something else.  Finalizers of a closing state may still reach a handle that is gone. */
static secret_box_t *test_secret(lua_State *L, int idx)
{
    secret_box_t *box = smcb_class_test(L, idx, secret_mt);

    if (box != NULL)
        luaL_argcheck(L, box->secret != NULL, idx, "the secret is gone");
    return box;
}

const smc_secret_t *smcb_test_secret(lua_State *L, int idx)
{
    const secret_box_t *box = test_secret(L, idx);

    return box == NULL ? NULL : box->secret;
}

static smc_sign_key_t *test_key(lua_State *L, int idx)
{
    const key_box_t *box = smcb_class_test(L, idx, key_mt);

    if (box == NULL)
        return NULL;
    luaL_argcheck(L, box->key != NULL, idx, "the key is gone");
    return box->key;
}

static smc_sign_key_t *check_self(lua_State *L)
{
    (void)smcb_self(L, key_mt);
    return test_key(L, 1);
}

static int l_secret_tostring(lua_State *L)
{
    lua_pushfstring(L, "%s: ***", secret_mt);
    return 1;
}

static int l_key_tostring(lua_State *L)
{
    lua_pushfstring(L, "%s: %s", key_mt, smc_sign_kind_text(smc_sign_key_kind(check_self(L))));
    return 1;
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* The log first: a secret that cannot be hidden must not exist. */
static smc_code_t keep_secret(lua_State *L, const char *bytes, size_t n, secret_box_t *box,
                              smc_error_t *err)
{
    smc_code_t code = smc_log_hide(smcb_log(L), bytes, n, err);

    return code == SMC_OK ? smc_secret_new(bytes, n, &box->secret, err) : code;
}

static int l_secret(lua_State *L)
{
    size_t n;
    const char *bytes = luaL_checklstring(L, 1, &n);
    smc_error_t err = {0};

    luaL_argcheck(L, n >= SMC_LOG_SECRET_MIN, 1, "a secret must have at least 4 bytes");
    if (keep_secret(L, bytes, n, push_secret_box(L), &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    return 1;
}

static smc_code_t make_random(smc_rng_t *rng, secret_box_t *box, smc_error_t *err)
{
    char text[RANDOM_LENGTH + 1];
    smc_code_t code;

    if (rng == NULL)
        return smc_secret_random(RANDOM_LENGTH, &box->secret, err);
    smc_rng_alnum(rng, text, RANDOM_LENGTH);
    code = smc_secret_new(text, RANDOM_LENGTH, &box->secret, err);
    smc_wipe(text, sizeof(text));
    return code;
}

/* From a seeded stream it is the same in every run, so that transcripts are; without one nobody can know it. */
static int l_random_secret(lua_State *L)
{
    smc_rng_t *rng = lua_isnoneornil(L, 1) ? NULL : smcb_check_rng(L, 1);
    secret_box_t *box = push_secret_box(L);
    smc_error_t err = {0};
    const char *bytes;
    size_t n;

    if (make_random(rng, box, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    bytes = smc_secret_borrow(box->secret, &n);
    if (smc_log_hide(smcb_log(L), bytes, n, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    return 1;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static smc_sign_kind_t check_kind(lua_State *L, int idx)
{
    static const char *const names[KINDS + 1] = {"hmac", "rsa", "ed25519", NULL};

    return (smc_sign_kind_t)luaL_checkoption(L, idx, NULL, names);
}

/* The bytes of a secret handle or a string; raises for anything else. */
static const char *check_material(lua_State *L, int idx, size_t *n)
{
    const secret_box_t *box = test_secret(L, idx);

    if (box != NULL)
        return smc_secret_borrow(box->secret, n);
    if (lua_type(L, idx) != LUA_TSTRING)
        (void)luaL_typeerror(L, idx, "secret handle or string");
    return lua_tolstring(L, idx, n);
}

/* Pushes the key of a string.  A string that signs is a secret, too, though nobody said so. */
static smc_code_t push_key(lua_State *L, smc_sign_kind_t kind, int idx, smc_sign_key_t **out,
                           smc_error_t *err)
{
    size_t n;
    const char *material = check_material(L, idx, &n);
    key_box_t *box;
    smc_code_t code;

    luaL_argcheck(L, kind != SMC_SIGN_HMAC || n >= SMC_LOG_SECRET_MIN, idx,
                  "a secret must have at least 4 bytes");
    box = push_key_box(L);
    code = smc_sign_key_new(kind, material, n, &box->key, err);
    if (code != SMC_OK)
        return code;
    *out = box->key;
    if (!smc_sign_key_is_private(box->key))
        return SMC_OK;
    return smc_log_hide(smcb_log(L), material, n, err);
}

static int l_key(lua_State *L)
{
    smc_sign_kind_t kind = check_kind(L, 1);
    smc_sign_key_t *key = NULL;
    smc_error_t err = {0};

    if (push_key(L, kind, 2, &key, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    return 1;
}

static int l_key_sign(lua_State *L)
{
    smc_sign_key_t *key = check_self(L);
    size_t n;
    const char *payload = luaL_checklstring(L, 2, &n);
    smc_buf_t *out = smcb_scratch(L);
    smc_error_t err = {0};
    smc_code_t code = smc_sign(key, payload, n, out, &err);

    return smcb_scratch_result(L, out, code, &err);
}

/* The key behind a key handle, a secret handle (which keeps it: servers check thousands) or a string. */
static smc_code_t find_key(lua_State *L, smc_sign_kind_t kind, int idx, smc_sign_key_t **out,
                           smc_error_t *err)
{
    smc_sign_key_t *key = test_key(L, idx);
    secret_box_t *secret_box = test_secret(L, idx);
    const char *bytes;
    size_t n;
    smc_code_t code = SMC_OK;

    if (key != NULL) {
        luaL_argcheck(L, smc_sign_key_kind(key) == kind, idx, "a key of another kind");
        *out = key;
        return SMC_OK;
    }
    if (secret_box == NULL)
        return push_key(L, kind, idx, out, err);
    bytes = smc_secret_borrow(secret_box->secret, &n);
    if (secret_box->keys[kind] == NULL)
        code = smc_sign_key_new(kind, bytes, n, &secret_box->keys[kind], err);
    *out = secret_box->keys[kind];
    return code;
}

static int l_verify(lua_State *L)
{
    smc_sign_kind_t kind = check_kind(L, 1);
    size_t n;
    const char *payload = luaL_checklstring(L, 3, &n);
    size_t signature_n;
    const char *signature = luaL_checklstring(L, 4, &signature_n);
    smc_sign_key_t *key = NULL;
    smc_error_t err = {0};

    if (find_key(L, kind, 2, &key, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    lua_pushboolean(L, smc_verify(key, payload, n, signature, signature_n));
    return 1;
}

static int l_detect(lua_State *L)
{
    size_t n;
    const char *material = check_material(L, 1, &n);
    smc_sign_kind_t kind;
    smc_error_t err = {0};

    if (smc_sign_detect(material, n, &kind, &err) != SMC_OK)
        return smcb_push_fail(L, &err);
    lua_pushstring(L, smc_sign_kind_text(kind));
    return 1;
}

/* A metatable with these functions that scripts can neither read nor replace. */
static void new_class(lua_State *L, const char *name, lua_CFunction gc, lua_CFunction text)
{
    if (!smcb_class_new(L, name))
        return;
    lua_pushcfunction(L, gc);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, text);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
}

int smcb_open_sign(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"secret", l_secret}, {"random_secret", l_random_secret},
        {"key", l_key},       {"verify", l_verify},
        {"detect", l_detect}, {NULL, NULL},
    };
    static const luaL_Reg key_methods[] = {{"sign", l_key_sign}, {NULL, NULL}};

    new_class(L, secret_mt, secret_gc, l_secret_tostring);
    new_class(L, key_mt, key_gc, l_key_tostring);
    luaL_newlibtable(L, key_methods);
    smcb_scratch_push(L);
    luaL_setfuncs(L, key_methods, 1);
    lua_setfield(L, -2, "__index");
    luaL_newlib(L, functions);
    return 1;
}
