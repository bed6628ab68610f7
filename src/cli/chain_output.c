/* Draws are written as Stan CSV, row by row, and reach the file soon: so whatever ends a run, whole
 * rows are left. NPY and safetensors have one block for each chain or column, which
 * cannot grow at its end while others follow it: their draws stand in a CSV beside them,
 * NAME.part.csv, until the run is over, and it goes when the block has been written. */
#include "cli/chain_output.h"

#include <stdio.h>
#include <string.h>

#include "cli/draws_file.h"

static const char *const sampler_names[] = {"lp__",        "accept_stat__", "stepsize__",
                                            "treedepth__", "n_leapfrog__",  "divergent__",
                                            "energy__"};
enum { SAMPLER_COLUMNS = sizeof sampler_names / sizeof *sampler_names };
static const double flush_seconds = 0.5;

/* ---- opening ---- */

static sl_status name_columns(sl__chain_output *out) {
  sl__draws *draws = &out->kept.draws;
  draws->names = sl__arena_take(&draws->arena, (size_t)draws->columns, sizeof *draws->names);
  if (!draws->names) return SL_NO_MEMORY;
  int64_t at = 0;
  for (int part = 0; part < SL__TARGET_PARTS; part++)
    for (int32_t i = 0; i < sl__target_count(out->target, (sl__target_part)part); i++) {
      const char *name = sl__target_name(out->target, (sl__target_part)part, i);
      draws->names[at++] = sl__cli_draws_name(&draws->arena, name);
    }
  for (int i = 0; i < SAMPLER_COLUMNS; i++)
    draws->names[at++] = sl__arena_text(&draws->arena, sampler_names[i], strlen(sampler_names[i]));
  for (int64_t i = 0; i < at; i++)
    if (!draws->names[i]) return SL_NO_MEMORY;
  return SL_OK;
}

static sl_status make_room(sl__chain_output *out) {
  const sl__sampler_options *options = out->options;
  sl__draws *draws = &out->kept.draws;
  sl__arena_open(&draws->arena, out->cli->context);
  draws->chains = options->chains;
  draws->draws = (options->draws + options->thin - 1) / options->thin;
  draws->parameters = sl__target_width(out->target, SL__TARGET_GENERATED);
  draws->columns = draws->parameters + SAMPLER_COLUMNS;
  draws->max_treedepth = options->most_depth;
  SL__TRY(name_columns(out));
  const size_t chains = (size_t)draws->chains;
  out->filled = sl__arena_take(&draws->arena, chains, sizeof *out->filled);
  out->divergences = sl__arena_take(&draws->arena, chains, sizeof *out->divergences);
  if (!out->filled || !out->divergences) return SL_NO_MEMORY;
  const size_t rows = chains * (size_t)draws->draws;
  draws->values =
      sl__arena_take(&draws->arena, rows, (size_t)draws->columns * sizeof *draws->values);
  if (draws->values) return SL_OK;
  return sl__fail(out->cli->context, SL_NO_MEMORY,
                  "no memory for %lld draws of %lld chains, %lld numbers each; take fewer --draws, "
                  "or keep one in so many (--thin)",
                  (long long)draws->draws, (long long)draws->chains, (long long)draws->columns);
}

static sl_status open_file(sl__chain_output *out, int64_t comments, const char *const *comment) {
  sl__cli *cli = out->cli;
  if (!out->path) return SL_OK;
  sl__cli_about(cli, out->path, NULL);
  SL__TRY(sl__cli_draws_part(cli, out->path, &out->part));
  const sl__draws *draws = &out->kept.draws;
  const sl__stan_csv_header header = {.path = out->part ? out->part : out->path,
                                      .chains = out->options->chains,
                                      .columns = draws->parameters,
                                      .names = (const char *const *)draws->names,
                                      .comments = comments,
                                      .comment = comment};
  return sl__stan_csv_open(cli->context, &header, &out->csv);
}

sl_status sl__chain_output_open(sl__cli *cli, const sl__target *target,
                                const sl__sampler_options *options,
                                const sl__sampler_report *report, int64_t comments,
                                const char *const *comment, sl__chain_output *out) {
  *out = (sl__chain_output){.cli = cli,
                            .target = target,
                            .options = options,
                            .report = report,
                            .path = sl__cli_option(cli, "output")->text,
                            .begun = sl__os_seconds(),
                            .kept = {.name = "the draws"}};
  sl__watch_open(&out->watch, cli);
  SL__TRY(make_room(out));
  return open_file(out, comments, comment);
}

/* ---- rows ---- */

static void keep_row(sl__chain_output *out, const sl__sampler_draw *draw, const double *values) {
  const sl__draws *draws = &out->kept.draws;
  int64_t *filled = &out->filled[draw->chain];
  if (draw->warmup || *filled == draws->draws) return;
  double *to = draws->values + (draw->chain * draws->draws + (*filled)++) * draws->columns;
  memcpy(to, values, (size_t)draws->parameters * sizeof *to);
  const double facts[SAMPLER_COLUMNS] = {draw->log_density,
                                         draw->accept,
                                         draw->step_size,
                                         (double)draw->depth,
                                         (double)draw->leapfrogs,
                                         (double)draw->divergent,
                                         draw->energy};
  memcpy(to + draws->parameters, facts, sizeof facts);
}

static sl_status take_row(void *user, const sl__sampler_draw *draw, const double *values) {
  sl__chain_output *out = user;
  keep_row(out, draw, values);
  if (!out->csv) return SL_OK;
  const sl__draw_facts facts = {.log_density = draw->log_density,
                                .acceptance = draw->accept,
                                .step_size = draw->step_size,
                                .energy = draw->energy,
                                .treedepth = draw->depth,
                                .leapfrog_steps = draw->leapfrogs,
                                .divergent = draw->divergent};
  const sl_status status = sl__stan_csv_row(out->csv, draw->chain, &facts, values);
  if (status != SL_OK) out->failed_to_write = true;
  return status;
}

/* CmdStan's files hold a diagonal or a matrix. Of a metric of low rank the diagonal is written: of
 * the whole inverse metric, not of its scales alone. */
static sl_status take_adapted(void *user, int32_t chain, double step_size,
                              const sl__metric *metric) {
  sl__chain_output *out = user;
  if (out->warm == 0) out->warm = sl__os_seconds();
  if (!out->csv) return SL_OK;
  const bool dense = metric->form == SL__METRIC_DENSE;
  const size_t dim = (size_t)metric->dim;
  double *diagonal = dense ? NULL : sl__allocate(out->cli->context, dim, sizeof *diagonal);
  if (!dense && !diagonal) return SL_NO_MEMORY;
  if (!dense) sl__metric_diagonal(metric, diagonal);
  const sl__sampler_report *report = out->report;
  const bool as_asked =
      report->trajectories == 1 && !(report->adapt_delta > out->options->adapt_delta);
  const sl__adaptation_facts facts = {
      .step_size = step_size,
      .trajectories = as_asked ? 0 : report->trajectories,
      .acceptance = report->adapt_delta,
      .metric =
          dense ? "Elements of inverse mass matrix:" : "Diagonal elements of inverse mass matrix:",
      .rows = dense ? metric->dim : 1,
      .columns = metric->dim,
      .inverse_metric = dense ? metric->dense : diagonal,
  };
  const sl_status status = sl__stan_csv_adaptation(out->csv, chain, &facts);
  sl__free(&out->cli->context->allocator, diagonal);
  return status;
}

/* Draws that all chains have, moved together, so that there is one block of them. */
static void cut_to_shortest(sl__chain_output *out) {
  sl__draws *draws = &out->kept.draws;
  int64_t least = draws->draws;
  for (int64_t c = 0; c < draws->chains; c++)
    least = out->filled[c] < least ? out->filled[c] : least;
  for (int64_t c = 1; c < draws->chains; c++)
    memmove(draws->values + c * least * draws->columns,
            draws->values + c * draws->draws * draws->columns,
            (size_t)(least * draws->columns) * sizeof *draws->values);
  draws->draws = least;
}

/* ---- progress ---- */

static void add_chains(const sl__chain_output *out, const int64_t *iterations, sl__text *text) {
  const int64_t total = (int64_t)out->options->warmup + out->options->draws;
  int64_t divergences = 0, done = 0;
  sl__text_add(text, "chains");
  for (int32_t c = 0; c < out->options->chains; c++) {
    divergences += out->divergences[c];
    done += iterations[c];
    if (c < 8) {
      const bool warm = iterations[c] < out->options->warmup;
      sl__text_add(text, "  %d: %lld%%%s", c + 1, (long long)(100 * iterations[c] / total),
                   warm ? " (warm-up)" : "");
      if (out->divergences[c] > 0) sl__text_add(text, " %lld div.", (long long)out->divergences[c]);
    }
  }
  if (out->options->chains > 8)
    sl__text_add(text, "  ... all: %lld%%", (long long)(100 * done / total / out->options->chains));
  sl__text_add(text, "  %lld divergences", (long long)divergences);
}

static void show(sl__chain_output *out, const int64_t *iterations) {
  sl__text text;
  sl__text_open(&text, out->cli->context);
  add_chains(out, iterations, &text);
  if (!text.failed && out->watch.terminal) {
    const int width = sl__os_terminal_width();
    fprintf(stderr, "\r\033[K%.*s", width > 1 ? width - 1 : 79, text.data);
    out->cli->drawn = true;
  } else if (!text.failed) {
    fprintf(stderr, "%s\n", text.data);
  }
  fflush(stderr);
  sl__text_close(&text);
}

/* A write that fails here is found again by the next row or at the end, and told there. */
static void flush_now_and_then(sl__chain_output *out, double now) {
  if (!out->csv || now < out->next_flush) return;
  out->next_flush = now + flush_seconds;
  sl__stan_csv_flush(out->csv);
}

static bool take_progress(void *user, const int64_t *iterations, const int64_t *divergences) {
  sl__chain_output *out = user;
  if (sl__watch_interrupted()) out->interrupted = true;
  if (out->interrupted) return false;
  const double now = sl__os_seconds();
  flush_now_and_then(out, now);
  if (out->cli->quiet || now < out->next) return true;
  const bool first = out->next == 0;
  out->next = now + out->watch.interval;
  memcpy(out->divergences, divergences, (size_t)out->options->chains * sizeof *divergences);
  if (!first) show(out, iterations);
  return true;
}

sl__record_listener sl__chain_output_listener(sl__chain_output *out) {
  return (sl__record_listener){
      .row = take_row, .adapted = take_adapted, .progress = take_progress, .user = out};
}

/* ---- the end ---- */

bool sl__chain_output_has_draws(const sl__chain_output *out) {
  return out->kept.draws.values && out->kept.draws.draws > 0;
}

static sl_status finish_csv(sl__chain_output *out, sl_status status) {
  const double now = sl__os_seconds(), warm = out->warm > 0 ? out->warm : now;
  const int32_t files = strchr(out->path, '%') ? out->options->chains : 1;
  sl_status written = SL_OK;
  for (int32_t c = 0; c < files && written == SL_OK; c++)
    written = status == SL_OK
                  ? sl__stan_csv_times(out->csv, c, warm - out->begun, now - warm)
                  : sl__stan_csv_comment(out->csv, c, "Interrupted before the last draw");
  const sl_status closed = sl__stan_csv_close(out->csv);
  out->csv = NULL;
  return written != SL_OK ? written : closed;
}

/* What cannot be put in its place, for lack of room or as a chain has no draw, is left. */
static sl_status replace_part(sl__chain_output *out) {
  int64_t most = 0;
  for (int32_t c = 0; c < out->options->chains; c++)
    most = out->filled[c] > most ? out->filled[c] : most;
  if (most == 0) return SL_OK;
  if (!sl__chain_output_has_draws(out)) {
    sl__cli_say(out->cli, "the draws of the chains that have some are in %s", out->part);
    return SL_OK;
  }
  const sl_status status = sl__draws_write(out->cli->context, out->path, &out->kept.draws);
  if (status != SL_OK)
    return sl__fail_prefix(out->cli->context, "the draws remain in %s", out->part);
  remove(out->part);
  return SL_OK;
}

/* What is to be known of the run by whoever judges its draws. */
static void note_facts(sl__chain_output *out) {
  sl__draws *draws = &out->kept.draws;
  draws->trajectories = out->report->trajectories;
  draws->thin = out->options->thin;
  draws->adapt_delta = out->report->adapt_delta;
  draws->preconditioned = sl__cli_option(out->cli, "precondition")->text != NULL;
  draws->jumped = out->options->jumps > 0;
  draws->halves = out->options->halvings > 0;
}

/* Where draws cannot be written, that is told rather than how the run ended: it says what is left
 * of them. */
sl_status sl__chain_output_finish(sl__chain_output *out, sl_status status) {
  sl__watch_close(&out->watch);
  cut_to_shortest(out);
  note_facts(out);
  if (!out->path || out->failed_to_write) return status;
  sl_status written = finish_csv(out, status);
  if (written == SL_OK && out->part) written = replace_part(out);
  return written != SL_OK ? written : status;
}

void sl__chain_output_close(sl__chain_output *out) {
  if (out->csv) sl__stan_csv_close(out->csv);
  if (out->kept.draws.arena.context) sl__draws_close(&out->kept.draws);
}
