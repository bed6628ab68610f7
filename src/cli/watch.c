/* Signals are not handled but blocked, and looked for between two steps: so there is no handler,
 * no global variable, and nothing is ever interrupted half-way. On seeing the first one they are
 * unblocked, with their default action, so that a second Ctrl-C ends the program at once. */
#include "cli/watch.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>

static void set_of_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGTERM);
}

void sl__watch_signals(void) {
  sigset_t set;
  set_of_signals(&set);
  sigprocmask(SIG_BLOCK, &set, NULL);
  /* A shell starts background jobs with SIGINT ignored; here it has a meaning. */
  signal(SIGINT, SIG_DFL);
}

bool sl__watch_interrupted(void) {
  sigset_t set, pending;
  set_of_signals(&set);
  sigpending(&pending);
  if (!sigismember(&pending, SIGINT) && !sigismember(&pending, SIGTERM)) return false;
  int taken;
  sigwait(&set, &taken);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  return true;
}

void sl__watch_open(sl__watch *watch, sl__cli *cli) {
  *watch = (sl__watch){.cli = cli, .terminal = sl__os_is_terminal(stderr)};
  watch->interval = watch->terminal ? 0.1 : 5;
}

/* 73 -> "1:13" */
static void add_time(sl__text *text, double seconds) {
  long long whole = isfinite(seconds) ? (long long)(seconds + 0.5) : 0;
  if (whole >= 3600)
    sl__text_add(text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  else
    sl__text_add(text, "%lld:%02lld", whole / 60, whole % 60);
}

static void add_bar(sl__text *text, double done) {
  enum { WIDTH = 20 };
  int full = (int)(done * WIDTH);
  sl__text_add(text, "[");
  for (int i = 0; i < WIDTH; i++) sl__text_add(text, i < full ? "#" : ".");
  sl__text_add(text, "] ");
}

bool sl__watch_wants(sl__watch *watch, double seconds) {
  if (watch->cli->quiet || seconds < watch->next) return false;
  watch->next = seconds + watch->interval;
  return true;
}

void sl__watch_line(sl__watch *watch, double done, const sl__text *line) {
  sl__text text;
  sl__text_open(&text, watch->cli->context);
  if (watch->terminal) add_bar(&text, done);
  if (!line->failed) sl__text_add_bytes(&text, line->data, line->length);
  if (!text.failed && !line->failed) {
    int width = sl__os_terminal_width();
    if (watch->terminal)
      fprintf(stderr, "\r\033[K%.*s", width > 1 ? width - 1 : 79, text.data);
    else
      fprintf(stderr, "%s\n", text.data);
    fflush(stderr);
    watch->cli->drawn = watch->terminal;
  }
  sl__text_close(&text);
}

bool sl__watch_progress(void *user, const sl_fit_progress *now) {
  sl__watch *watch = user;
  if (sl__watch_interrupted()) watch->interrupted = true;
  if (watch->interrupted) return false;
  if (!sl__watch_wants(watch, now->seconds)) return true;
  sl__text text;
  sl__text_open(&text, watch->cli->context);
  double done = now->steps > 0 ? (double)now->step / (double)now->steps : 0;
  sl__text_add(&text, "step %lld of %lld, loss ", (long long)now->step, (long long)now->steps);
  sl__cli_fixed(&text, now->loss, 4, 0);
  if (isfinite(now->best_valid_loss)) {
    sl__text_add(&text, ", held-out ");
    sl__cli_fixed(&text, now->valid_loss, 4, 0);
    sl__text_add(&text, " (best ");
    sl__cli_fixed(&text, now->best_valid_loss, 4, 0);
    sl__text_add(&text, ")");
  }
  sl__text_add(&text, ", %lld rows/s, ", (long long)now->rows_per_second);
  if (now->step > 0) {
    add_time(&text, now->seconds * (double)(now->steps - now->step) / (double)now->step);
    sl__text_add(&text, " left");
  }
  sl__watch_line(watch, done, &text);
  sl__text_close(&text);
  return true;
}

void sl__watch_close(sl__watch *watch) {
  if (watch->cli->drawn) fputs("\r\033[K", stderr);
  watch->cli->drawn = false;
}
