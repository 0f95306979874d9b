#include "options/options_priv.h"

#include "command_line.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect_error(const char *text, const char *detail)
{
    smcr_options_t o;
    smc_error_t err = {0};
    assert_int_equal(parse(text, &o, &err), SMC_EINVAL);
    assert_string_equal(err.detail, detail);
    smcr_options_deinit(&o);
}

/* Valid until the next call. */
static const char *help_of(smcr_command_t topic)
{
    static char text[16384];
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    smcr_help_print(out, topic);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void defaults_are_sandbox_and_virtual(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("a.lua b");
    assert_int_equal(o.command, SMCR_CMD_RUN);
    assert_int_equal(o.n_paths, 2);
    assert_int_equal(o.target, SMCR_SANDBOX);
    assert_int_equal(o.clock, SMCR_CLOCK_VIRTUAL);
    assert_int_equal(o.memory_mib, 512);
    assert_true(o.timeout_s == 60);
    assert_false(o.has_seed);
    smcr_options_deinit(&o);
}

static void values_stand_behind_equals_or_in_the_next_argument(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("--timeout=2.5 --seed 9223372036854775807 -j4 -k slow a.lua");
    assert_true(o.timeout_s == 2.5);
    assert_true(o.has_seed && o.seed == INT64_MAX);
    assert_int_equal(o.jobs, 4);
    assert_string_equal(o.expr, "slow");
    assert_string_equal(o.paths[0], "a.lua");
    smcr_options_deinit(&o);
    o = must_parse("--report tap --report=pretty:out.txt a.lua");
    assert_int_equal(o.n_reports, 2);
    assert_int_equal(o.reports[0].format, SMCR_TAP);
    assert_null(o.reports[0].file);
    assert_string_equal(o.reports[1].file, "out.txt");
    smcr_options_deinit(&o);
}

static void run_is_a_command_only_in_first_place(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("run run");
    assert_int_equal(o.n_paths, 1);
    assert_string_equal(o.paths[0], "run");
    smcr_options_deinit(&o);
    o = must_parse("./run -- --list");
    assert_int_equal(o.n_paths, 2);
    assert_string_equal(o.paths[1], "--list");
    assert_int_equal(o.command, SMCR_CMD_RUN);
    smcr_options_deinit(&o);
}

static void testnet_implies_real_time(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("--target testnet a.lua");
    assert_int_equal(o.clock, SMCR_CLOCK_REAL);
    smcr_options_deinit(&o);
    expect_error("--clock virtual --target testnet a.lua",
                 "--clock virtual contradicts --target testnet: a testnet's time is real");
    expect_error("--sabotage dead --target testnet a.lua",
                 "--sabotage contradicts --target testnet: only a sandbox can be sabotaged");
}

static void help_and_version_need_no_path(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("--help");
    assert_int_equal(o.command, SMCR_CMD_HELP);
    smcr_options_deinit(&o);
    o = must_parse("--version --list");
    assert_int_equal(o.command, SMCR_CMD_VERSION);
    smcr_options_deinit(&o);
}

static void environment_is_checked_by_command_or_option(void **state)
{
    static const char *const lines[] = {"check-env --offline --require bybit oanda",
                                        "--offline oanda --require bybit --check-env"};
    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        smcr_options_t o = must_parse(lines[i]);
        assert_int_equal(o.command, SMCR_CMD_CHECK_ENV);
        assert_int_equal(o.target, SMCR_TESTNET);
        assert_true(o.offline);
        assert_string_equal(o.required[0], "bybit");
        assert_string_equal(o.paths[0], "oanda");
        smcr_options_deinit(&o);
    }
    smcr_options_t o = must_parse("-- --check-env");
    assert_int_equal(o.command, SMCR_CMD_RUN);
    smcr_options_deinit(&o);
    expect_error("check-env --seed 1", "unknown option '--seed'; it is one of 'smcrun run'");
    expect_error("--offline a.lua", "unknown option '--offline'; it is one of 'smcrun check-env'");
}

static void faults_are_listed_for_people_or_for_programs(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("--list-faults");
    assert_int_equal(o.command, SMCR_CMD_LIST_FAULTS);
    assert_false(o.json);
    smcr_options_deinit(&o);
    o = must_parse("--list-faults=json");
    assert_int_equal(o.command, SMCR_CMD_LIST_FAULTS);
    assert_true(o.json);
    smcr_options_deinit(&o);
    o = must_parse("--help --list-faults");
    assert_int_equal(o.command, SMCR_CMD_HELP);
    smcr_options_deinit(&o);
    expect_error("--list-faults=xml", "--list-faults wants text or json, not 'xml'");
    expect_error("--list-faults json", "--list-faults runs nothing: drop the paths");
}

static void help_fits_a_terminal_of_80_columns(void **state)
{
    (void)state;
    for (smcr_command_t c = SMCR_CMD_RUN; smcr_command_text(c) != NULL; c++)
        for (const char *line = help_of(c); *line != '\0'; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\n") > 80)
                fail_msg("%s: %.*s", smcr_command_text(c), (int)strcspn(line, "\n"), line);
}

static void each_letter_of_an_argument_may_be_an_option(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("-xxxxxxxxxxxxxxxxxxxxxxxxvj3 a.lua");
    assert_true(o.verbose);
    assert_int_equal(o.max_fail, 1);
    assert_int_equal(o.jobs, 3);
    assert_string_equal(o.paths[0], "a.lua");
    smcr_options_deinit(&o);
}

static void slip_of_the_finger_is_named_with_its_mend(void **state)
{
    (void)state;
    expect_error("--repot tap a.lua", "unknown option '--repot'; did you mean '--report'?");
    expect_error("--tmeout=3 a.lua", "unknown option '--tmeout'; did you mean '--timeout'?");
    expect_error("porve a.lua",
                 "there is no file, folder or command 'porve'; did you mean 'prove'?");
    expect_error("check_envs",
                 "there is no file, folder or command 'check_envs'; did you mean 'check-env'?");
    expect_error("help prove",
                 "there is no file, folder or command 'help'; did you mean '--help'?");
    assert_int_equal(mkdir("prov", 0700), 0);
    smcr_options_t o = must_parse("prov");
    assert_int_equal(rmdir("prov"), 0);
    assert_string_equal(o.paths[0], "prov");
    smcr_options_deinit(&o);
    expect_error("--frobnicate a.lua", "unknown option '--frobnicate'");
    expect_error("-z a.lua", "unknown option '-z'");
}

static void bad_values_are_named_with_what_is_wanted(void **state)
{
    (void)state;
    expect_error("-j 0 a", "-j wants a number of workers from 1 to 1024, not '0'");
    expect_error("--timeout 1s a", "--timeout wants seconds from 0.001 to 10000000, not '1s'");
    expect_error("--timeout -1 a", "--timeout wants seconds from 0.001 to 10000000, not '-1'");
    expect_error("--timeout nan a", "--timeout wants seconds from 0.001 to 10000000, not 'nan'");
    expect_error("--seed -1 a", "--seed wants a number from 0 to 9223372036854775807, not '-1'");
    expect_error("--seed 9223372036854775808 a",
                 "--seed wants a number from 0 to 9223372036854775807, not '9223372036854775808'");
    expect_error("--target prod a", "--target wants sandbox or testnet, not 'prod'");
    expect_error("--clock= a", "--clock wants virtual or real, not ''");
    expect_error("--sabotage none a",
                 "--sabotage knows no 'none': try dead; see smcrun prove --help");
    expect_error(
        "--report xml a",
        "--report wants pretty or tap or tap13 or junit or json or html or github, not 'xml'");
    expect_error("--report tap: a", "--report tap:: the name of a file is missing behind the :");
    expect_error("--memory 0 a", "--memory wants MiB from 1 to 1048576, not '0'");
    expect_error("--list=yes a", "--list wants text or json, not 'yes'");
    expect_error("--shuffle=yes a", "--shuffle takes no value, but got 'yes'");
    expect_error("--tag a,b a", "--tag wants a tag: letters, digits, _ or -, not 'a,b'");
    expect_error("--tag # a", "--tag wants a tag: letters, digits, _ or -, not '#'");
    expect_error("--suite= a", "--suite wants the name of a suite, not ''");
    expect_error("a --seed", "--seed wants a value behind it");
}

static void contradictions_are_refused(void **state)
{
    (void)state;
    expect_error("-v -q a", "-v and -q contradict each other: drop one");
    expect_error("--seed 1 --seed 2 a", "--seed is given twice");
    expect_error("--list --transcripts d a",
                 "--transcripts contradicts --list: nothing runs, so nothing is recorded");
    expect_error("--list --report tap a",
                 "--report contradicts --list: nothing runs, so nothing is reported");
    expect_error("--report tap --report pretty a",
                 "two reports cannot share standard output: write one of them to a file, --report "
                 "pretty:FILE");
    expect_error("--report tap:x --report pretty:x a", "two reports cannot share the file 'x'");
    expect_error("-k a --custom b c",
                 "-k and --custom are one option: drop one, or join them by 'and'");
    expect_error("--last-failed --failed-first a",
                 "--failed-first contradicts --last-failed, which runs nothing else: drop one");
    expect_error("--suite s a b", "--suite says itself what runs: drop the paths, or name one "
                                  "folder, in which suites.lua lies");
}

static void specs_are_selected_by_many_words(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("--suite full --custom a --tag #slow --tag fast --shuffle");
    assert_string_equal(o.suite, "full");
    assert_string_equal(o.expr, "a");
    assert_int_equal(o.n_tags, 2);
    assert_string_equal(o.tags[0], "slow");
    assert_true(o.shuffle);
    assert_false(o.last_failed || o.failed_first);
    assert_int_equal(o.shard.count, 0);
    smcr_options_deinit(&o);
    o = must_parse("--last-failed --shard 2/3 --list=json a.lua");
    assert_true(o.last_failed && o.json);
    assert_int_equal(o.command, SMCR_CMD_LIST);
    assert_int_equal(o.shard.index, 2);
    assert_int_equal(o.shard.count, 3);
    smcr_options_deinit(&o);
    o = must_parse("--failed-first --list=text a.lua");
    assert_true(o.failed_first);
    assert_false(o.json);
    smcr_options_deinit(&o);
}

static void help_names_every_option(void **state)
{
    (void)state;
    static const char *const names[] = {
        "--filter",      "--list",         "--jobs",     "--target",   "--clock",
        "--seed",        "--timeout",      "--memory",   "--report",   "--env-file",
        "--sabotage",    "--verbose",      "--quiet",    "--no-color", "--help",
        "--version",     "--gc-stress",    "--internal", "-k,",        "--transcripts",
        "--hang-after",  "--list-faults",  "--suite",    "--custom",   "--tag",
        "--last-failed", "--failed-first", "--shard",    "--shuffle"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strstr(help_of(SMCR_CMD_RUN), names[i]) == NULL)
            fail_msg("--help does not name %s", names[i]);
    static const char *const serve[] = {"--port", "--seed",    "--key",   "--secret",
                                        "--json", "--help",    "--host",  "--allow-remote",
                                        "--tls",  "--ca-file", "--token", "--account"};
    for (size_t i = 0; i < sizeof(serve) / sizeof(serve[0]); i++)
        if (strstr(help_of(SMCR_CMD_SERVE), serve[i]) == NULL)
            fail_msg("serve --help does not name %s", serve[i]);
    assert_non_null(strstr(help_of(SMCR_CMD_RUN), "smcrun serve"));
}

static void serve_has_options_and_venues_of_its_own(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("serve");
    assert_int_equal(o.command, SMCR_CMD_SERVE);
    assert_int_equal(o.n_paths, 0);
    assert_int_equal(o.port, 0);
    assert_null(o.key);
    assert_null(o.secret);
    assert_null(o.host);
    assert_false(o.json || o.has_seed || o.tls);
    smcr_options_deinit(&o);
    o = must_parse("serve --port=8000 --seed 3 --key a-B_9 --secret 12345678 --json binance");
    assert_int_equal(o.n_paths, 1);
    assert_string_equal(o.paths[0], "binance");
    assert_int_equal(o.port, 8000);
    assert_int_equal(o.seed, 3);
    assert_string_equal(o.key, "a-B_9");
    assert_string_equal(o.secret, "12345678");
    assert_true(o.json);
    smcr_options_deinit(&o);
    o = must_parse(
        "serve --host 127.0.0.2 --tls --ca-file ca.pem --token a-B_9-xyz --account 101-1");
    assert_string_equal(o.host, "127.0.0.2");
    assert_string_equal(o.ca_file, "ca.pem");
    assert_string_equal(o.token, "a-B_9-xyz");
    assert_string_equal(o.account, "101-1");
    assert_true(o.tls);
    smcr_options_deinit(&o);
    o = must_parse("serve --host 0.0.0.0 --allow-remote");
    assert_string_equal(o.host, "0.0.0.0");
    smcr_options_deinit(&o);
    o = must_parse("serve -h");
    assert_int_equal(o.command, SMCR_CMD_HELP);
    assert_int_equal(o.topic, SMCR_CMD_SERVE);
    smcr_options_deinit(&o);
    o = must_parse("./serve");
    assert_int_equal(o.command, SMCR_CMD_RUN);
    smcr_options_deinit(&o);
}

static void venues_can_be_required(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("a.lua --require binance --require my_own");
    assert_int_equal(o.n_required, 2);
    assert_string_equal(o.required[1], "my_own");
    smcr_options_deinit(&o);
    expect_error("a.lua --require a,b", "--require wants the name of a venue, not 'a,b'");
    expect_error("--list a.lua --require binance",
                 "--require contradicts --list: nothing runs, so no venue is talked to");
    assert_non_null(strstr(help_of(SMCR_CMD_RUN), "--require"));
}

static void clean_has_options_of_its_own_and_one_target(void **state)
{
    (void)state;
    smcr_options_t o = must_parse("clean");
    assert_int_equal(o.command, SMCR_CMD_CLEAN);
    assert_int_equal(o.target, SMCR_TESTNET);
    assert_int_equal(o.n_paths, 0);
    assert_null(o.state_dir);
    assert_false(o.dry_run);
    smcr_options_deinit(&o);

    o = must_parse("clean --dry-run --state-dir here --env-file mine --target testnet oanda");
    assert_true(o.dry_run);
    assert_string_equal(o.state_dir, "here");
    assert_string_equal(o.env_file, "mine");
    assert_string_equal(o.paths[0], "oanda");
    smcr_options_deinit(&o);

    o = must_parse("clean --help");
    assert_int_equal(o.command, SMCR_CMD_HELP);
    assert_int_equal(o.topic, SMCR_CMD_CLEAN);
    smcr_options_deinit(&o);
    static const char *const all[] = {"--dry-run", "--state-dir", "--env-file", "--target",
                                      "--help"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_non_null(strstr(help_of(SMCR_CMD_CLEAN), all[i]));
    assert_non_null(strstr(help_of(SMCR_CMD_RUN), "smcrun clean"));

    expect_error("clean --target sandbox",
                 "--target sandbox has nothing to clean: sandboxes end with their run");
    expect_error("clean --seed 1", "unknown option '--seed'; it is one of 'smcrun run'");
    expect_error("a.lua --dry-run", "unknown option '--dry-run'; it is one of 'smcrun clean'");
    expect_error("a.lua --state-dir x",
                 "--state-dir wants --target testnet: of a sandbox nothing is left");
    expect_error("a.lua --target testnet --state-dir=",
                 "--state-dir wants the name of a folder, not ''");
}

static void serve_says_what_it_wants(void **state)
{
    (void)state;
    expect_error("serve --port 65533",
                 "--port wants a port from 1 to 65532, or 0 for any, not '65533'");
    expect_error("serve --secret 1234567",
                 "--secret wants 8 to 128 printable characters without blanks");
    expect_error("serve --secret 12345678\x7f",
                 "--secret wants 8 to 128 printable characters without blanks");
    expect_error("serve --key a/b", "--key wants 1 to 128 letters, digits, - or _, not 'a/b'");
    expect_error("serve --host 0.0.0.0",
                 "--host 0.0.0.0 lets other machines in: add --allow-remote if they may");
    expect_error("serve --host 10.0.0.1",
                 "--host 10.0.0.1 lets other machines in: add --allow-remote if they may");
    expect_error("serve --host ::1", "--host wants an IPv4 address of this machine, not '::1'");
    expect_error("serve --host 127.0.0.1 --allow-remote",
                 "--allow-remote wants a --host that other machines reach, as in --host 0.0.0.0");
    expect_error("serve --ca-file f", "--ca-file wants --tls: without it there is no certificate");
    expect_error("serve --ca-file= --tls", "--ca-file wants the name of a file, not ''");
    expect_error("serve --token 1234567", "--token wants 8 to 128 letters, digits, - or _");
    expect_error("serve --account a", "--account wants digits and dashes, as in "
                                      "101-001-1234567-001, not 'a'");
    expect_error("serve --jobs 2", "unknown option '--jobs'; it is one of 'smcrun run'");
    expect_error("serve --prot 2", "unknown option '--prot'; did you mean '--port'?");
    expect_error("--json a", "unknown option '--json'; it is one of 'smcrun serve'");
}

/* "--report wants tap or junit, not '?'" */
static void list_accepted(const char *command, const char *name, char list[256])
{
    char *argv[] = {"smcrun", (char *)(uintptr_t)command, (char *)(uintptr_t)name, "?", NULL};
    smcr_options_t o;
    smc_error_t err = {0};
    assert_int_equal(smcr_options_parse(&o, 4, argv, &err), SMC_EINVAL);
    smcr_options_deinit(&o);
    (void)snprintf(list, 256, "%s", err.detail);
}

/* What help and the completions of shells offer is what is accepted. */
static void words_in_help_are_those_that_are_accepted(void **state)
{
    (void)state;
    size_t seen = 0;
    const smcr_option_t *o;
    for (size_t n = 0; (o = smcr_nth_option(SMCR_CMD_RUN, n)) != NULL; n++) {
        char told[256] = "", accepted[256];
        if (o->value == NULL || strchr(o->value, '|') == NULL)
            continue;
        list_accepted("run", o->name, accepted);
        int len = snprintf(told, sizeof(told), "%s wants ", o->name);
        for (const char *c = o->value; *c != '\0' && *c != '['; c++)
            len += *c == '|' ? snprintf(told + len, sizeof(told) - (size_t)len, " or ")
                             : snprintf(told + len, sizeof(told) - (size_t)len, "%c", *c);
        (void)snprintf(told + len, sizeof(told) - (size_t)len, ", not '?'");
        assert_string_equal(told, accepted);
        seen++;
    }
    assert_true(seen >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_sandbox_and_virtual),
        cmocka_unit_test(values_stand_behind_equals_or_in_the_next_argument),
        cmocka_unit_test(run_is_a_command_only_in_first_place),
        cmocka_unit_test(testnet_implies_real_time),
        cmocka_unit_test(help_and_version_need_no_path),
        cmocka_unit_test(environment_is_checked_by_command_or_option),
        cmocka_unit_test(faults_are_listed_for_people_or_for_programs),
        cmocka_unit_test(help_fits_a_terminal_of_80_columns),
        cmocka_unit_test(each_letter_of_an_argument_may_be_an_option),
        cmocka_unit_test(slip_of_the_finger_is_named_with_its_mend),
        cmocka_unit_test(bad_values_are_named_with_what_is_wanted),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(specs_are_selected_by_many_words),
        cmocka_unit_test(help_names_every_option),
        cmocka_unit_test(serve_has_options_and_venues_of_its_own),
        cmocka_unit_test(venues_can_be_required),
        cmocka_unit_test(clean_has_options_of_its_own_and_one_target),
        cmocka_unit_test(serve_says_what_it_wants),
        cmocka_unit_test(words_in_help_are_those_that_are_accepted),
    };
    return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
