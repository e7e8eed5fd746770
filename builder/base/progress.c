// progress.c - see progress.h. Only this file and cli/ write to the user's streams.
// SPDX-License-Identifier: Apache-2.0
#include "base/progress.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/text.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

enum { TICK_MS = 250 };

struct progress_task {
    char *name;
    char *text;
    double part;      // 0..1, negative when unknown
    int64_t start_ms; // of its first step, as clock_ms counts
    int64_t took_ms;  // -1 while it runs
};

struct progress {
    FILE *stream;
    bool live, quiet;
    bool color, utf8;
    unsigned turn; // position of the spinner
    pthread_mutex_t mutex;
    pthread_cond_t ended; // wakes the ticker at the end
    pthread_t ticker;
    bool ticking, ending, cleared;
    struct progress_task *tasks;
    size_t count, capacity;
    size_t drawn; // lines of the board that are on the screen
};

// ---- a line: pure text --------------------------------------------------------------------------

// Whether the locale is UTF-8, by the order of variables in setlocale(3).
static bool
wants_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

bool
progress_wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");
    return no_color == NULL || *no_color == '\0';
}

// Returns the first columns of a text; the caller frees it.
static char *
cut(const char *text, size_t columns)
{
    struct text_iter iter = {.next = text, .left = strlen(text)};
    while (columns > 0 && text_next(&iter))
        columns--;
    return str_ndup(text, (size_t) (iter.next - text));
}

// Adds a task's line: mark, name, text, and at the right end percentage and elapsed time. First the
// text is shortened to fit, then the name. name_columns: of the widest name.
static void
render_task(const struct progress *progress, const struct progress_task *task, size_t columns,
    size_t name_columns, struct buf *out)
{
    static const char *const round[] = {"⠋", "⠙", "⠸", "⠴", "⠦", "⠇"};
    static const char *const plain[] = {"|", "/", "-", "\\"};
    bool done = task->took_ms >= 0;
    const char *mark = progress->utf8 ? round[progress->turn % 6] : plain[progress->turn % 4];
    if (done)
        mark = progress->utf8 ? "✓" : "*";
    long long seconds = (done ? task->took_ms : clock_ms() - task->start_ms) / 1000;
    BUF_AUTO struct buf end = {0};
    if (!done && task->part >= 0)
        buf_printf(&end, "%3.0f%%  ", task->part * 100);
    if (seconds >= 60)
        buf_printf(&end, "%lldm%02llds", seconds / 60, seconds % 60);
    else
        buf_printf(&end, "%llds", seconds);
    size_t fixed = end.length + 6; // the mark and the spaces between
    size_t room = columns > fixed ? columns - fixed : 0;
    size_t name_room = name_columns < room ? name_columns : room;
    FREE_AUTO char *name = cut(task->name, name_room);
    FREE_AUTO char *text = cut(task->text, room - name_room);
    int name_pad = (int) (name_room - text_columns(name)) + 2;
    int text_pad = (int) (room - name_room - text_columns(text)) + 2;
    const char *color = done ? "\x1b[32m" : "\x1b[36m";
    buf_printf(
        out, "%s%s%s ", progress->color ? color : "", mark, progress->color ? "\x1b[0m" : "");
    buf_printf(out, "%s%*s%s%*s%s\x1b[K\n", name, name_pad, "", text, text_pad, "", end.data);
}

// ---- the board ----------------------------------------------------------------------------------

static void
erase(struct progress *progress, struct buf *out)
{
    if (progress->drawn > 0)
        buf_printf(out, "\r\x1b[%zuA\x1b[J", progress->drawn);
    progress->drawn = 0;
}

static void
flush(struct progress *progress, struct buf *out)
{
    if (out->length > 0)
        fwrite(out->data, 1, out->length, progress->stream);
    fflush(progress->stream);
}

// Turns wrapping off meanwhile, so a line is one row even when the count of columns is wrong.
static void
draw(struct progress *progress, struct buf *out)
{
    struct winsize size = {0};
    ioctl(fileno(progress->stream), TIOCGWINSZ, &size);
    size_t rows = size.ws_row > 0 ? size.ws_row : 24;
    size_t columns = size.ws_col > 0 ? size.ws_col : 80, widest = 0;
    for (size_t i = 0; i < progress->count; i++) {
        size_t width = text_columns(progress->tasks[i].name);
        widest = width > widest ? width : widest;
    }
    size_t shown = progress->count < rows - 1 ? progress->count : rows - 1;
    buf_add(out, "\x1b[?7l");
    if (progress->drawn > 0)
        buf_printf(out, "\r\x1b[%zuA", progress->drawn);
    for (size_t i = progress->count - shown; i < progress->count; i++)
        render_task(progress, &progress->tasks[i], columns, widest, out);
    buf_add(out, "\x1b[J\x1b[?7h");
    progress->drawn = shown;
    progress->cleared = false;
    flush(progress, out);
}

static void
redraw_board(struct progress *progress)
{
    BUF_AUTO struct buf out = {0};
    draw(progress, &out);
}

static void *
tick(void *context)
{
    struct progress *progress = context;
    pthread_mutex_lock(&progress->mutex);
    while (!progress->ending) {
        struct timespec when;
        clock_gettime(CLOCK_MONOTONIC, &when);
        when.tv_nsec += TICK_MS * 1000000L;
        when.tv_sec += when.tv_nsec / 1000000000L;
        when.tv_nsec %= 1000000000L;
        pthread_cond_clockwait(&progress->ended, &progress->mutex, CLOCK_MONOTONIC, &when);
        progress->turn++;
        if (!progress->ending && !progress->cleared && progress->count > 0)
            redraw_board(progress);
    }
    pthread_mutex_unlock(&progress->mutex);
    return NULL;
}

struct progress *
progress_new(FILE *stream, bool live, bool quiet)
{
    struct progress *progress = mem_zero(1, sizeof *progress);
    progress->stream = stream;
    progress->live = live && !quiet;
    progress->quiet = quiet;
    progress->color = progress_wants_color();
    progress->utf8 = wants_utf8();
    progress->cleared = true;
    pthread_mutex_init(&progress->mutex, NULL);
    pthread_cond_init(&progress->ended, NULL);
    // Without the ticker the board is only redrawn on changes.
    if (progress->live)
        progress->ticking = pthread_create(&progress->ticker, NULL, tick, progress) == 0;
    return progress;
}

void
progress_free(struct progress *progress)
{
    if (progress == NULL)
        return;
    if (progress->ticking) {
        pthread_mutex_lock(&progress->mutex);
        progress->ending = true;
        pthread_cond_signal(&progress->ended);
        pthread_mutex_unlock(&progress->mutex);
        pthread_join(progress->ticker, NULL);
    }
    progress_clear(progress);
    for (size_t i = 0; i < progress->count; i++) {
        free(progress->tasks[i].name);
        free(progress->tasks[i].text);
    }
    free(progress->tasks);
    pthread_cond_destroy(&progress->ended);
    pthread_mutex_destroy(&progress->mutex);
    free(progress);
}

static struct progress_task *
find_task(struct progress *progress, const char *name)
{
    for (size_t i = 0; i < progress->count; i++)
        if (str_equal(progress->tasks[i].name, name))
            return &progress->tasks[i];
    return NULL;
}

// Returns a new text without control characters, which text of a guest may have.
__attribute__((format(printf, 1, 0))) static char *
clean_row(const char *format, va_list args)
{
    FREE_AUTO char *text = str_formatv(format, args);
    return text_clean(TEXT_ROW, text);
}

// A step after the end restarts the task.
void
progress_set(struct progress *progress, const char *name, bool done, const char *format, ...)
{
    if (progress == NULL || progress->quiet)
        return;
    va_list args;
    va_start(args, format);
    char *text = clean_row(format, args);
    va_end(args);
    pthread_mutex_lock(&progress->mutex);
    struct progress_task *task = find_task(progress, name);
    if (task == NULL) {
        mem_grow(&progress->tasks, &progress->capacity, progress->count + 1, sizeof *task);
        task = &progress->tasks[progress->count++];
        *task = (struct progress_task){
            .name = str_dup(name), .part = -1, .start_ms = clock_ms(), .took_ms = -1};
    }
    bool changed = !str_equal(task->text, text);
    if (!done && task->took_ms >= 0)
        task->start_ms = clock_ms();
    free(task->text);
    task->text = text;
    if (changed)
        task->part = -1;
    task->took_ms = done ? clock_ms() - task->start_ms : -1;
    if (progress->live)
        redraw_board(progress);
    else if (changed) {
        fprintf(progress->stream, "%s: %s\n", task->name, text);
        fflush(progress->stream);
    }
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_part(struct progress *progress, const char *task, double part)
{
    if (progress == NULL || !progress->live)
        return;
    pthread_mutex_lock(&progress->mutex);
    struct progress_task *found = find_task(progress, task);
    if (found != NULL)
        found->part = part < 0 ? 0 : part > 1 ? 1 : part; // the ticker draws it
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_note(struct progress *progress, const char *format, ...)
{
    if (progress == NULL || progress->quiet)
        return;
    va_list args;
    va_start(args, format);
    FREE_AUTO char *text = clean_row(format, args);
    va_end(args);
    pthread_mutex_lock(&progress->mutex);
    BUF_AUTO struct buf out = {0};
    erase(progress, &out);
    buf_printf(&out, "%s\n", text);
    if (progress->live && !progress->cleared)
        draw(progress, &out);
    else
        flush(progress, &out);
    pthread_mutex_unlock(&progress->mutex);
}

void
progress_clear(struct progress *progress)
{
    if (progress == NULL || !progress->live)
        return;
    pthread_mutex_lock(&progress->mutex);
    BUF_AUTO struct buf out = {0};
    erase(progress, &out);
    flush(progress, &out);
    progress->cleared = true;
    pthread_mutex_unlock(&progress->mutex);
}
