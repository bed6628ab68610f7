/* Watching a fit: Ctrl-C and the progress line. */
#ifndef SL_CLI_WATCH_H
#define SL_CLI_WATCH_H
#include "cli/cli.h"

/* From here on the first SIGINT or SIGTERM waits to be asked for, and the second ends the
 * program. Call it before threads are made: they inherit it. */
void sl__watch_signals(void);
/* Whether one has come. */
bool sl__watch_interrupted(void);

typedef struct sl__watch {
  sl__cli *cli;
  bool terminal; /* a line that is written over, else a line now and then */
  bool interrupted;
  double next; /* seconds at which to print again */
  double interval;
} sl__watch;
void sl__watch_open(sl__watch *watch, sl__cli *cli);
/* Whether a line is wanted at this time of the run; then print one soon. */
bool sl__watch_wants(sl__watch *watch, double seconds);
/* Prints a line, and on a terminal a bar before it, of which `done`, from 0 to 1, is full. */
void sl__watch_line(sl__watch *watch, double done, const sl__text *line);
/* An sl_fit_progress_function; user is the sl__watch. */
bool sl__watch_progress(void *user, const sl_fit_progress *now);
void sl__watch_close(sl__watch *watch);
#endif
