#include "select/expr.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Nesting is recursion, in the parser and in the evaluation. */
#define MAX_DEPTH 100
#define MAX_NODES 4096 /* "a and a and ..." makes a tree as deep as it is long */
#define OP "expr.parse"

typedef enum node_kind { WORD, NOT, AND, OR } node_kind_t;

typedef struct node {
    node_kind_t kind;
    char *word;         /* WORD; owned */
    size_t left, right; /* indexes of operands; NOT has left only */
} node_t;

struct smcr_expr {
    node_t *nodes;
    size_t count;
    size_t cap;
    size_t root;
};

typedef enum token_kind { T_END, T_OPEN, T_CLOSE, T_AND, T_OR, T_NOT, T_WORD } token_kind_t;

typedef struct parser {
    const char *text;
    size_t at;    /* behind the token */
    size_t start; /* of the token */
    token_kind_t kind;
    const char *word; /* T_WORD: borrowed from text, without quotes */
    size_t word_len;
    unsigned depth;
    smcr_expr_t *e;
    smc_error_t *err;
} parser_t;

static smc_code_t parse_or(parser_t *p, size_t *out);

static bool is_word(const parser_t *p, const char *word)
{
    size_t n = strlen(word);
    return p->word_len == n && memcmp(p->word, word, n) == 0;
}

static smc_code_t read_quoted(parser_t *p)
{
    char quote = p->text[p->at];
    const char *end = strchr(p->text + p->at + 1, quote);
    if (end == NULL)
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: the %c has no partner",
                        p->start + 1, quote);
    p->word = p->text + p->at + 1;
    p->word_len = (size_t)(end - p->word);
    p->at = (size_t)(end - p->text) + 1;
    p->kind = T_WORD;
    if (p->word_len == 0)
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: an empty text matches nothing",
                        p->start + 1);
    return SMC_OK;
}

static void read_word(parser_t *p)
{
    p->word = p->text + p->at;
    p->word_len = strcspn(p->word, " \t\r\n()\"'");
    p->at += p->word_len;
    p->kind = is_word(p, "and")   ? T_AND
              : is_word(p, "or")  ? T_OR
              : is_word(p, "not") ? T_NOT
                                  : T_WORD;
}

static smc_code_t advance(parser_t *p)
{
    p->at += strspn(p->text + p->at, " \t\r\n");
    p->start = p->at;
    switch (p->text[p->at]) {
    case '\0':
        p->kind = T_END;
        return SMC_OK;
    case '(':
        p->kind = T_OPEN;
        p->at++;
        return SMC_OK;
    case ')':
        p->kind = T_CLOSE;
        p->at++;
        return SMC_OK;
    case '"':
    case '\'':
        return read_quoted(p);
    default:
        read_word(p);
        return SMC_OK;
    }
}

static smc_code_t add_node(parser_t *p, node_t node, size_t *out)
{
    smcr_expr_t *e = p->e;
    if (e->count == MAX_NODES) {
        free(node.word);
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: the expression is too long",
                        p->start + 1);
    }
    if (e->count == e->cap) {
        size_t cap = e->cap == 0 ? 8 : e->cap * 2;
        node_t *grown = realloc(e->nodes, cap * sizeof(*grown));
        if (grown == NULL) {
            free(node.word);
            return smc_fail(p->err, SMC_ENOMEM, OP, 0, "no memory for the expression");
        }
        e->nodes = grown;
        e->cap = cap;
    }
    *out = e->count;
    e->nodes[e->count++] = node;
    return SMC_OK;
}

static smc_code_t parse_word(parser_t *p, size_t *out)
{
    if (is_word(p, "#"))
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: a # wants the name of a tag",
                        p->start + 1);
    node_t node = {.kind = WORD, .word = strndup(p->word, p->word_len)};
    if (node.word == NULL)
        return smc_fail(p->err, SMC_ENOMEM, OP, 0, "no memory for the expression");
    smc_code_t rc = add_node(p, node, out);
    return rc == SMC_OK ? advance(p) : rc;
}

static smc_code_t parse_group(parser_t *p, size_t *out)
{
    size_t open = p->start;
    smc_code_t rc = advance(p);
    if (rc == SMC_OK)
        rc = parse_or(p, out);
    if (rc != SMC_OK)
        return rc;
    if (p->kind != T_CLOSE)
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: this ( is not closed%s", open + 1,
                        p->kind == T_END ? "" : "; between two words goes 'and' or 'or'");
    return advance(p);
}

static smc_code_t parse_not(parser_t *p, size_t *out)
{
    size_t operand;
    smc_code_t rc = advance(p);
    if (rc != SMC_OK)
        return rc;
    switch (p->kind) {
    case T_WORD:
        rc = parse_word(p, &operand);
        break;
    case T_OPEN:
        rc = parse_group(p, &operand);
        break;
    case T_NOT:
        if (++p->depth > MAX_DEPTH)
            return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: nested too deep", p->start + 1);
        rc = parse_not(p, &operand);
        p->depth--;
        break;
    case T_END:
    case T_CLOSE:
    case T_AND:
    case T_OR:
        return smc_fail(p->err, SMC_EPARSE, OP, 0,
                        "column %zu: 'not' wants a word or a ( behind it", p->start + 1);
    }
    return rc == SMC_OK ? add_node(p, (node_t){.kind = NOT, .left = operand}, out) : rc;
}

static smc_code_t parse_factor(parser_t *p, size_t *out)
{
    switch (p->kind) {
    case T_WORD:
        return parse_word(p, out);
    case T_OPEN:
        return parse_group(p, out);
    case T_NOT:
        return parse_not(p, out);
    case T_END:
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: a word is missing at the end",
                        p->start + 1);
    case T_CLOSE:
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: a word is missing before this )",
                        p->start + 1);
    case T_AND:
    case T_OR:
        break;
    }
    return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: a word is missing before '%s'",
                    p->start + 1, p->kind == T_AND ? "and" : "or");
}

static smc_code_t parse_and(parser_t *p, size_t *out)
{
    smc_code_t rc = parse_factor(p, out);
    while (rc == SMC_OK && p->kind == T_AND) {
        size_t right;
        rc = advance(p);
        if (rc == SMC_OK)
            rc = parse_factor(p, &right);
        if (rc == SMC_OK)
            rc = add_node(p, (node_t){.kind = AND, .left = *out, .right = right}, out);
    }
    return rc;
}

static smc_code_t parse_or(parser_t *p, size_t *out)
{
    if (++p->depth > MAX_DEPTH)
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: nested too deep", p->start + 1);
    smc_code_t rc = parse_and(p, out);
    while (rc == SMC_OK && p->kind == T_OR) {
        size_t right;
        rc = advance(p);
        if (rc == SMC_OK)
            rc = parse_and(p, &right);
        if (rc == SMC_OK)
            rc = add_node(p, (node_t){.kind = OR, .left = *out, .right = right}, out);
    }
    p->depth--;
    return rc;
}

static smc_code_t parse_all(parser_t *p)
{
    smc_code_t rc = advance(p);
    if (rc == SMC_OK)
        rc = parse_or(p, &p->e->root);
    if (rc != SMC_OK || p->kind == T_END)
        return rc;
    if (p->kind == T_CLOSE)
        return smc_fail(p->err, SMC_EPARSE, OP, 0, "column %zu: this ) was never opened",
                        p->start + 1);
    return smc_fail(
        p->err, SMC_EPARSE, OP, 0,
        "column %zu: between two words goes 'and' or 'or'; a text with blanks is quoted",
        p->start + 1);
}

smc_code_t smcr_expr_parse(const char *text, smcr_expr_t **out, smc_error_t *err)
{
    smcr_expr_t *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "no memory for the expression");
    parser_t p = {.text = text, .e = e, .err = err};
    smc_code_t rc = parse_all(&p);
    if (rc != SMC_OK) {
        smcr_expr_free(e);
        return rc;
    }
    *out = e;
    return SMC_OK;
}

void smcr_expr_free(smcr_expr_t *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->count; i++)
        free(e->nodes[i].word);
    free(e->nodes);
    free(e);
}

static bool has_tag(const char *tags, const char *tag)
{
    size_t n = strlen(tag);
    for (const char *at = tags; at != NULL && *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (len == n && memcmp(at, tag, n) == 0)
            return true;
        at += len;
        at += *at == ',' ? 1 : 0;
    }
    return false;
}

/* Not strcasestr: that follows the locale, and ids must match alike everywhere. */
static bool contains(const char *text, const char *word)
{
    for (; *text != '\0'; text++) {
        size_t i = 0;
        while (word[i] != '\0' &&
               tolower((unsigned char)text[i]) == tolower((unsigned char)word[i]))
            i++;
        if (word[i] == '\0')
            return true;
    }
    return false;
}

/* A word has no part in two tags: a comma ends each. */
static bool in_a_tag(const char *tags, const char *word)
{
    return strchr(word, ',') == NULL && contains(tags, word);
}

static bool eval(const smcr_expr_t *e, size_t at, const char *id, const char *tags)
{
    const node_t *n = &e->nodes[at];
    switch (n->kind) {
    case WORD:
        if (n->word[0] == '#')
            return has_tag(tags, n->word + 1);
        return contains(id, n->word) || (tags != NULL && in_a_tag(tags, n->word));
    case NOT:
        return !eval(e, n->left, id, tags);
    case AND:
        return eval(e, n->left, id, tags) && eval(e, n->right, id, tags);
    case OR:
        return eval(e, n->left, id, tags) || eval(e, n->right, id, tags);
    }
    return false;
}

bool smcr_expr_matches(const smcr_expr_t *e, const char *id, const char *tags)
{
    return eval(e, e->root, id, tags);
}
