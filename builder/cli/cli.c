// cli.c - see cli.h.
// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include "base/cleanup.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/help.h"
#include "cli/message.h"
#include "cluster/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const struct cli_option cli_global_options[] = {
    {"spec", 'f', "FILE",
        "the cluster's spec; by default ./cluster.yaml or, without that file, the built-in "
        "cluster of four nodes",
        OPTION_TEXT(spec)},
    {"json", 0, NULL, "print results and errors as JSON", OPTION_FLAG(json)},
    {"quiet", 'q', NULL, "show no progress", OPTION_FLAG(quiet)},
    {"no-color", 0, NULL, "print no colors", OPTION_FLAG(no_color)},
    {"help", 'h', NULL, "print help on the command", OPTION_FLAG(help)},
    {"version", 'V', NULL, "print the version", OPTION_FLAG(version)},
    {0},
};

static int write_error; // errno of the first write to standard output that failed

bool
cli_print(const char *text)
{
    if ((fputs(text, stdout) < 0 || fflush(stdout) != 0) && write_error == 0)
        write_error = errno;
    return write_error == 0;
}

void
cli_print_json(const json_t *value)
{
    FREE_AUTO char *text = print_json(value, true);
    cli_print(text);
}

void
cli_print_result(const struct cli *cli, const char *text, const json_t *value)
{
    progress_clear(cli->progress);
    if (cli->given.json)
        cli_print_json(value);
    else
        cli_print(text);
}

json_t *
cli_list_json(const struct strv *list)
{
    json_t *value = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(value, text_to_json(list->items[i]));
    return value;
}

const struct cli_command *
cli_find(const struct cli *cli, const char *name)
{
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++)
        if (str_equal((*c)->name, name))
            return *c;
    return NULL;
}

// Append the command that prints help.
static int
usage_hint(const struct cli *cli, struct error *err)
{
    const char *space = cli->command != NULL ? " " : "";
    const char *name = cli->command != NULL ? cli->command->name : "";
    return error_set(err, ERR_USAGE, "%s; see 'airbuild%s%s --help'", err->message, space, name);
}

int
cli_usage(const struct cli *cli, struct error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = str_formatv(format, args);
    va_end(args);
    error_set(err, ERR_USAGE, "%s", text);
    return usage_hint(cli, err);
}

char *
cli_suggest(const char *word, const char *const *names)
{
    const char *near = str_nearest(word, names);
    return near != NULL ? str_format(" (did you mean '%s'?)", near) : str_dup("");
}

int
cli_spec(const struct cli *cli, struct spec **ret, struct error *err)
{
    if (spec_load(cli->given.spec, ret, err) != 0)
        return -1;
    cluster_recall(*ret);
    return 0;
}

int
cli_spec_node(
    const struct cli *cli, struct spec **ret, const struct spec_node **ret_node, struct error *err)
{
    SPEC_AUTO struct spec *spec = NULL;
    if (cli_spec(cli, &spec, err) != 0)
        return -1;
    if (spec_find_or_error(spec, cli->operands.items[0], ret_node, err) != 0)
        return -1;
    *ret = TAKE(spec);
    return 0;
}

int
cli_launched(const struct spec *spec, struct error *err)
{
    if (cluster_exists(spec))
        return 0;
    return error_set(
        err, ERR_NOT_FOUND, "cluster '%s' was not launched; run 'airbuild launch'", spec->cluster);
}

int
cli_agree(const struct cli *cli, const char *question, const char *refusal, const char *done,
    struct error *err)
{
    char answer[16] = "";
    struct pollfd waiting[] = {{STDIN_FILENO, POLLIN, 0}, {interrupt_fd(), POLLIN, 0}};
    if (cli->given.yes)
        return 0;
    if (cli->given.json || !isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return error_set(err, ERR_USAGE, "%s", refusal);
    progress_clear(cli->progress);
    fprintf(stderr, "%s [y/N] ", question);
    while (poll(waiting, 2, -1) < 0 && errno == EINTR)
        ;
    if (waiting[1].revents != 0 || fgets(answer, sizeof(answer), stdin) == NULL)
        fputs("\n", stderr);
    answer[strcspn(answer, "\n")] = '\0';
    if (interrupt_check(err) != 0)
        return -1;
    if (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
        return 0;
    return error_set(err, ERR_FAILED, "nothing was %s, as the answer was not 'y'", done);
}

struct progress *
cli_progress(struct cli *cli)
{
    bool live = message_live(STDERR_FILENO);
    if (cli->progress == NULL)
        cli->progress = progress_new(stderr, live, cli->given.quiet || (cli->given.json && !live));
    return cli->progress;
}

// The variable is read by base/progress, too.
static void
apply_no_color(const struct cli *cli)
{
    if (cli->given.no_color)
        setenv("NO_COLOR", "1", 1);
}

// Returns whether --help or --version was given, after printing that.
static bool
print_about(const struct cli *cli)
{
    BUF_AUTO struct buf text = {0};
    if (cli->given.help) {
        if (cli->command != NULL)
            help_command(cli->command, &text);
        else
            help_general(cli, &text);
        cli_print(text.data);
    } else if (cli->given.version) {
        json_auto_t *version = json_pack("{s:s}", "version", AIRBUILD_VERSION);
        cli_print_result(cli, "airbuild " AIRBUILD_VERSION "\n", version);
    }
    return cli->given.help || cli->given.version;
}

static int
run_command(struct cli *cli, int argc, char *const *argv, struct error *err)
{
    const struct cli_command *command = cli->command;
    const struct strv *operands = &cli->operands;
    if (options_parse(command->options, cli_global_options, argc, argv, command->stop_early,
            &cli->given, &cli->operands, err) != 0)
        return usage_hint(cli, err);
    if (print_about(cli))
        return 0;
    if (operands->count < command->operands_min)
        return cli_usage(cli, err, "usage: airbuild %s %s", command->name, command->arguments);
    if (operands->count > command->operands_max)
        return cli_usage(cli, err, "'airbuild %s' does not take '%s'", command->name,
            operands->items[command->operands_max]);
    if (cluster_check_folders(err) != 0)
        return -1;
    apply_no_color(cli);
    cli->color = message_colors(STDOUT_FILENO);
    int status = command->run(cli, err);
    progress_freep(&cli->progress);
    return status;
}

static int
run_arguments(struct cli *cli, int argc, char *const *argv, struct error *err)
{
    STRV_AUTO struct strv rest = {0}, names = {0};
    if (options_parse(NULL, cli_global_options, argc, argv, true, &cli->given, &rest, err) != 0)
        return usage_hint(cli, err);
    if (rest.count == 0)
        return print_about(cli) ? 0 : cli_usage(cli, err, "no command given");
    cli->command = cli_find(cli, rest.items[0]);
    if (cli->command != NULL)
        return run_command(cli, (int) rest.count, argv + argc - rest.count, err);
    for (const struct cli_command *const *c = cli->commands; *c != NULL; c++)
        strv_add(&names, (*c)->name);
    FREE_AUTO char *hint = cli_suggest(rest.items[0], (const char *const *) names.items);
    return cli_usage(cli, err, "there is no command '%s'%s", rest.items[0], hint);
}

// After a usage error --json may not have been parsed yet.
static bool
wants_json(const struct cli *cli, char *const *argv, const struct error *err)
{
    if (cli->given.json || err->code != ERR_USAGE)
        return cli->given.json;
    for (; *argv != NULL && !str_equal(*argv, "--"); argv++)
        if (str_starts(*argv, "--js") && str_starts("--json", *argv))
            return true;
    return false;
}

// Prints "airbuild: SENTENCE" on standard error.
static void
print_error(const struct error *err)
{
    BUF_AUTO struct buf line = {0};
    FREE_AUTO char *sentence =
        text_clean(TEXT_LINES, err->message != NULL ? err->message : "failed");
    message_paint(&line, message_colors(STDERR_FILENO), COLOR_RED, "airbuild:");
    buf_printf(&line, " %s%s", sentence, str_ends(sentence, "\n") ? "" : "\n");
    fputs(line.data, stderr);
}

int
cli_run(const struct cli_command *const *commands, int argc, char *const *argv)
{
    struct cli cli = {.commands = commands};
    ERROR_AUTO struct error err = {0};
    // Closed descriptors would be given to files and sockets, which then are standard output.
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void) !open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
    signal(SIGPIPE, SIG_IGN);
    int status = run_arguments(&cli, argc, argv, &err);
    strv_free(&cli.operands);
    if (status < 0) {
        status = err.code != ERR_NONE ? (int) err.code : ERR_FAILED;
        if (wants_json(&cli, argv, &err)) {
            json_auto_t *value =
                json_pack("{s:{s:s, s:i, s:o}}", "error", "cause", error_code_name(err.code),
                    "status", (int) err.code, "message", text_to_json(err.message));
            cli_print_json(value);
        } else {
            apply_no_color(&cli);
            print_error(&err);
        }
    }
    // EPIPE is not a failure: `| head` ends early.
    if (status != 0 || write_error == 0 || write_error == EPIPE)
        return status;
    error_errno(&err, write_error, "cannot write the result to standard output");
    print_error(&err);
    return (int) err.code;
}
