#include "commands/prompt.h"

#include "commands/libedit.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#define OP "prompt"
enum { KEPT_LINES = 1000 };

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

struct smcr_prompt {
    smcr_prompt_conf_t conf;
    smcr_libedit_t lib; /* loaded on a terminal only */
    EditLine *edit;
    History *history;
    const char *text; /* of the prompt that is being shown */
    bool caught;      /* the signals */
    struct sigaction before[SIGNALS];
    sigset_t mask, mask_before; /* while a line is read */
};

/* All that a signal handler can reach. */
static struct {
    volatile sig_atomic_t reading;
    volatile sig_atomic_t broken; /* the line that is being read */
    volatile sig_atomic_t ended;  /* told to end */
    void (*volatile on_signal)(void);
} told;

static void on_signal(int number)
{
    int errno_before = errno;
    void (*elsewhere)(void) = told.on_signal;

    if (number != SIGINT)
        told.ended = 1;
    if (told.reading)
        told.broken = 1;
    else if (elsewhere != NULL)
        elsewhere();
    errno = errno_before;
}

static bool catch_signals(smcr_prompt_t *p)
{
    struct sigaction action = {.sa_handler = on_signal};

    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&p->mask);
    told.on_signal = p->conf.on_signal;
    p->caught = true;
    for (size_t i = 0; i < SIGNALS; i++)
        if (sigaction(signals[i], &action, &p->before[i]) != 0 ||
            sigaddset(&p->mask, signals[i]) != 0)
            return false;
    return true;
}

/* ---- what is remembered ----------------------------------------------------- */

static bool mentions(const char *line, const char *word)
{
    size_t n = strlen(word);
    for (; *line != '\0'; line++)
        if (strncasecmp(line, word, n) == 0)
            return true;
    return false;
}

static bool may_be_kept(const char *line)
{
    static const char *const words[] = {
        "secret", "token", "passw",      "passphrase", "api_key",       "apikey",
        "key =",  "key=",  "credential", "private",    "authorization", "bearer"};
    if (line[strspn(line, " \t")] == '\0' || line[0] == ' ' || line[0] == '\t')
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (mentions(line, words[i]))
            return false;
    return true;
}

void smcr_prompt_remember(smcr_prompt_t *p, const char *line)
{
    HistEvent event;
    if (p->history != NULL && may_be_kept(line))
        (void)p->lib.history(p->history, &event, H_ENTER, line);
}

/* What people try out is nobody else's business: the file is theirs alone from its first byte on. */
static void save_history(smcr_prompt_t *p)
{
    HistEvent event;
    int fd = open(p->conf.history, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return;
    (void)fchmod(fd, 0600);
    (void)close(fd);
    (void)p->lib.history(p->history, &event, H_SAVE, p->conf.history);
}

static void open_history(smcr_prompt_t *p)
{
    HistEvent event;
    if (p->conf.history == NULL)
        return;
    p->history = p->lib.history_init();
    if (p->history == NULL)
        return;
    (void)p->lib.history(p->history, &event, H_SETSIZE, KEPT_LINES);
    (void)p->lib.history(p->history, &event, H_SETUNIQUE, 1);
    (void)p->lib.history(p->history, &event, H_LOAD, p->conf.history);
    (void)p->lib.el_set(p->edit, EL_HIST, p->lib.history, p->history);
}

/* ---- the terminal ------------------------------------------------------------- */

/* libedit calls back without a pointer of ours. */
static smcr_prompt_t *shown;

static char *show_prompt(EditLine *edit)
{
    (void)edit;
    return (char *)(uintptr_t)shown->text;
}

static unsigned char on_tab(EditLine *edit, int key)
{
    smcr_prompt_t *p = shown;
    const LineInfo *line = p->lib.el_line(edit);
    smc_buf_t insert = {0}, list = {0};
    unsigned char result = CC_ERROR; /* the bell */
    char *before = strndup(line->buffer, (size_t)(line->cursor - line->buffer));

    (void)key;
    if (before != NULL && p->conf.complete != NULL)
        p->conf.complete(p->conf.ud, before, &insert, &list);
    free(before);
    if (insert.len > 0 && p->lib.el_insertstr(edit, insert.data) == 0)
        result = CC_REFRESH;
    if (list.len > 0) {
        (void)printf("\n%s", list.data);
        (void)fflush(stdout);
        result = CC_REDISPLAY;
    }
    smc_buf_deinit(&insert);
    smc_buf_deinit(&list);
    return result;
}

/* One byte, or 0 at the end of the input and -1 when a signal came.  Signals are let in while we wait and at no other
 * time, or one that comes just before would be slept through. */
static int get_byte(const smcr_prompt_t *p, char *out)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = ppoll(&in, 1, NULL, &p->mask_before);
    return ready < 0 ? -1 : (int)read(STDIN_FILENO, out, 1);
}

/* libedit's way to a character. */
static int get_character(EditLine *edit, wchar_t *out)
{
    mbstate_t state = {0};
    (void)edit;
    for (;;) {
        char byte;
        int n = get_byte(shown, &byte);
        if (n <= 0)
            return n;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == (size_t)-2)
            continue;
        if (used == (size_t)-1)
            *out = L'?';
        return 1;
    }
}

/* libedit never frees the names of such a function. */
static void bind_tab(const smcr_prompt_t *p)
{
#if defined(__SANITIZE_ADDRESS__)
    __lsan_disable();
#endif
    (void)p->lib.el_set(p->edit, EL_ADDFN, "smcr-complete", "Complete what is typed", on_tab);
#if defined(__SANITIZE_ADDRESS__)
    __lsan_enable();
#endif
    (void)p->lib.el_set(p->edit, EL_BIND, "^I", "smcr-complete", NULL);
}

static smc_code_t open_editor(smcr_prompt_t *p, smc_error_t *err)
{
    smc_code_t rc = smcr_libedit_load(&p->lib, err);
    if (rc != SMC_OK)
        return rc;
    (void)setlocale(LC_CTYPE, ""); /* letters of more than one byte */
    shown = p;
    p->edit = p->lib.el_init("smcrun", stdin, stdout, stderr);
    if (p->edit == NULL)
        return smc_fail(err, SMC_ESYS, OP, 0, "this terminal cannot be used: is TERM right?");
    (void)p->lib.el_set(p->edit, EL_PROMPT, show_prompt);
    (void)p->lib.el_set(p->edit, EL_GETCFN, get_character);
    (void)p->lib.el_set(p->edit, EL_EDITOR, "emacs");
    bind_tab(p);
    (void)p->lib.el_set(p->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    open_history(p);
    (void)p->lib.el_source(p->edit, NULL);
    return SMC_OK;
}

/* ---- reading ------------------------------------------------------------------- */

/* Appends the next line, with its newline.  False: there is none. */
static bool type_line(smcr_prompt_t *p, const char *text, smc_buf_t *out)
{
    int n = 0;
    const char *line;
    p->text = text;
    (void)sigprocmask(SIG_BLOCK, &p->mask, &p->mask_before);
    told.broken = told.ended;
    told.reading = 1;
    do {
        /* Else it shows the prompt first, and what is typed at once meets the terminal as it was. */
        (void)p->lib.el_set(p->edit, EL_PREP_TERM, 1);
        p->lib.el_resize(p->edit);
        line = p->lib.el_gets(p->edit, &n);
    } while (line == NULL && n == -1 && errno == EINTR && !told.broken); /* SIGCONT */
    told.reading = 0;
    (void)sigprocmask(SIG_SETMASK, &p->mask_before, NULL);
    if (line == NULL || n <= 0) {
        (void)putchar('\n'); /* Ctrl-C and Ctrl-D leave the cursor behind the prompt */
        return false;
    }
    return smc_buf_append(out, line, (size_t)n) == SMC_OK;
}

static bool take_line(smc_buf_t *out)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n = getline(&line, &room, stdin);
    bool have = n > 0 && smc_buf_append(out, line, (size_t)n) == SMC_OK;
    free(line);
    return have;
}

smcr_line_t smcr_prompt_read(smcr_prompt_t *p, const char *text, smc_buf_t *out)
{
    size_t start = out->len;
    (void)fflush(stdout);
    bool have = p->edit != NULL ? type_line(p, text, out) : take_line(out);
    if (told.ended || (!have && !told.broken))
        return SMCR_INPUT_ENDS;
    if (!have)
        return SMCR_BROKEN_OFF;
    while (out->len > start && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        out->data[--out->len] = '\0';
    return SMCR_LINE;
}

/* ---- opening and closing ------------------------------------------------------- */

bool smcr_prompt_is_terminal(const smcr_prompt_t *p)
{
    return p->edit != NULL;
}

bool smcr_prompt_is_told(void)
{
    return told.ended != 0;
}

smc_code_t smcr_prompt_open(const smcr_prompt_conf_t *conf, smcr_prompt_t **out, smc_error_t *err)
{
    smcr_prompt_t *p = calloc(1, sizeof(*p));
    if (p == NULL)
        return smc_fail(err, SMC_ENOMEM, OP, 0, "out of memory");
    p->conf = *conf;
    told.reading = told.broken = told.ended = 0;
    smc_code_t rc = SMC_OK;
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        rc = open_editor(p, err);
    if (rc == SMC_OK && p->edit != NULL && !catch_signals(p))
        rc = smc_fail(err, SMC_ESYS, OP, errno, "%s", strerror(errno));
    if (rc != SMC_OK) {
        smcr_prompt_close(p);
        return rc;
    }
    *out = p;
    return SMC_OK;
}

void smcr_prompt_close(smcr_prompt_t *p)
{
    if (p == NULL)
        return;
    if (p->history != NULL) {
        save_history(p);
        p->lib.history_end(p->history);
    }
    if (p->edit != NULL)
        p->lib.el_end(p->edit);
    told.on_signal = NULL;
    for (size_t i = 0; i < SIGNALS && p->caught; i++)
        (void)sigaction(signals[i], &p->before[i], NULL);
    free(p);
}
