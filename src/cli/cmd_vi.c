/* sluice vi TARGET: a flow fitted to a density that is known up to a constant. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/handle.h"
#include "cli/estimate.h"
#include "cli/kept.h"
#include "cli/target_options.h"
#include "cli/vi_plain.h"
#include "cli/vi_robust.h"
#include "cli/watch.h"
#include "infer/vi/vi.h"

static const sl__option_row options[] = {
    {"output", SL__OPTION_TEXT, NULL, 0, 0, NULL, "model file to write, .safetensors"},
    {"without-target", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "leave a Stan program and its data out of the file"},
    {"mode", SL__OPTION_CHOICE, "robust", 0, 0, "robust|plain",
     "robust explores and certifies; plain is the classical method with the options below"},
    {"flow", SL__OPTION_TEXT, NULL, 0, 0, NULL, "formula of the flow [plain: scale-loc]"},
    {"base", SL__OPTION_TEXT, NULL, 0, 0, NULL, "base density, normal by default"},
    {"precision", SL__OPTION_CHOICE, "f64", 0, 0, "f32|f64",
     "precision of the flow; robust mode chooses it itself"},
    {"objective", SL__OPTION_CHOICE, "elbo", 0, 0, "elbo|iwae|renyi|chi|forward|draws",
     "what is minimised: elbo, the divergence of q from p (reverse KL); iwae and renyi, tighter "
     "bounds; chi, an upper bound, and forward, the divergence of p from q, which cover all of p; "
     "draws, the likelihood of given ones"},
    {"estimator", SL__OPTION_CHOICE, NULL, 0, 0, "reparameterized|stl|dreg|score",
     "of its gradient; the objective's usual one by default"},
    {"alpha", SL__OPTION_REAL, "0.5", -100, 100, NULL,
     "order of the objective renyi; at 1 it is elbo"},
    {"samples", SL__OPTION_INT, "100", 1, 1e7, NULL, "draws per step"},
    {"particles", SL__OPTION_INT, "0", 0, 1e7, NULL,
     "draws that are weighed against each other; 0: all of a step"},
    {"draws", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "file of draws of the target, for the objective draws; columns have names, unless no "
     "parameter "
     "is constrained"},
    {"steps", SL__OPTION_INT, "10000", 1, 4294967295.0, NULL, "optimiser steps"},
    {"optimizer", SL__OPTION_TEXT, "adam", 0, 0, NULL,
     "adam, adamax, adagrad_window, sgd, momentum, nesterov_momentum, adagrad, rmsprop, adadelta: "
     "with PyMC3's formulas and defaults; adamw, nesterov"},
    {"apply-momentum", SL__OPTION_REAL, "0", 0, 0.9999999, NULL,
     "momentum around what the optimiser does, whichever it is, 0.9 is usual; 0: none"},
    {"apply-nesterov-momentum", SL__OPTION_REAL, "0", 0, 0.9999999, NULL,
     "the same, looking ahead"},
    {"lr", SL__OPTION_REAL, NULL, 1e-12, 1e3, NULL, "learning rate; the optimiser's default"},
    {"schedule", SL__OPTION_TEXT, "constant", 0, 0, NULL,
     "of the rate: constant, cosine, warmup or plateau"},
    {"warmup", SL__OPTION_INT, "0", 0, 1e9, NULL, "steps over which the rate rises"},
    {"clip", SL__OPTION_REAL, "0", 0, 1e12, NULL, "bound on the norm of the gradient; 0: none"},
    {"clip-by-median", SL__OPTION_BOOL, "false", 0, 0, NULL,
     "bound it by twice its running median"},
    {"max-norm", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "bound on the norm of the weights that come in to a unit, kept after every step: X for all "
     "matrices, PATTERN=X[,PATTERN=X] for tensors by name, vectors as a whole"},
    {"ema", SL__OPTION_REAL, "0", 0, 0.9999999, NULL,
     "decay of the running average of the parameters, which is kept then; 0: none"},
    {"jitter", SL__OPTION_REAL, NULL, 1e-9, 1e3, NULL,
     "standard deviation of what starts at random"},
    {"anneal", SL__OPTION_INT, "0", 0, 1e9, NULL,
     "steps over which the target's weight rises from 0.01 to 1"},
    {"noise", SL__OPTION_CHOICE, "philox", 0, 0, "philox|sobol",
     "random numbers, or scrambled Sobol points"},
    {"track", SL__OPTION_TEXT, NULL, 0, 0, NULL,
     "record numbers of the run: WHAT[,WHAT][@EVERY][=FILE], WHAT loss, gradient_norm, "
     "layers.1.*, gradient:layers.1.u"},
    {"stop-parameters", SL__OPTION_REAL, "0", 0, 1e9, NULL,
     "end when the parameters change by less than this, 0.001 is usual, as --stop-change measures "
     "it; 0: never"},
    {"stop-change", SL__OPTION_CHOICE, "windows", 0, 0, "windows|relative|absolute",
     "windows: how far their means drift over the last half of the run or more, as a share of "
     "their size, or of 1 where that is smaller, beyond what their noise makes; relative, "
     "absolute: PyMC3's, of single steps, whose noise at a constant rate mostly keeps it from "
     "ending a fit"},
    {"stop-norm", SL__OPTION_CHOICE, "inf", 0, 0, "inf|2|1",
     "the norm of PyMC3's changes; inf: the largest"},
    {"stop-every", SL__OPTION_INT, "100", 1, 1e9, NULL,
     "steps between PyMC3's looks, or in the shortest window; it takes 8"},
    {"stop-elbo", SL__OPTION_REAL, "0", 0, 1e9, NULL,
     "end when the loss changes by less than this, relative; 0: never"},
    {"stop-iterates", SL__OPTION_REAL, "0", 0, 1e9, NULL,
     "end when the mean of the iterates is known this well, and keep it; 0: never"},
    {"go-back", SL__OPTION_CHOICE, "on", 0, 0, "on|off",
     "take up the best parameters so far again when the loss rises far above theirs, at half the "
     "rate, and keep them at the end where fresh draws find them better; off: the optimiser as its "
     "paper has it"},
    {"judge", SL__OPTION_INT, "20000", 100, 1e8, NULL, "fresh draws to judge the fit by"},
    {"max-seconds", SL__OPTION_REAL, "0", 0, 1e9, NULL,
     "time limit; the one option that makes results depend on speed"},
};

typedef struct request {
  sl__target *target;
  sl__vi_plan plan;
  sl__vi_term term;
  const char *track;
} request;

static double real_of(sl__cli *cli, const char *name) {
  return sl__cli_option(cli, name)->real;
}
static int64_t integer_of(sl__cli *cli, const char *name) {
  return sl__cli_option(cli, name)->integer;
}
static const char *text_of(sl__cli *cli, const char *name) {
  return sl__cli_option(cli, name)->text;
}

static void read_term(sl__cli *cli, request *r) {
  r->term.objective = text_of(cli, "objective");
  r->term.estimator = text_of(cli, "estimator");
  r->term.alpha = real_of(cli, "alpha");
  r->term.samples = integer_of(cli, "samples");
  r->term.particles = integer_of(cli, "particles");
}

static void read_run(sl__cli *cli, request *r) {
  sl__vi_options *run = &r->plan.options;
  run->steps = integer_of(cli, "steps");
  run->optimiser = text_of(cli, "optimizer");
  run->rate = real_of(cli, "lr");
  run->schedule = text_of(cli, "schedule");
  run->warmup_steps = integer_of(cli, "warmup");
  run->clip = real_of(cli, "clip");
  run->clip_by_median = integer_of(cli, "clip-by-median") != 0;
  run->ema = real_of(cli, "ema");
  run->anneal_steps = integer_of(cli, "anneal");
  run->sobol = strcmp(text_of(cli, "noise"), "sobol") == 0;
  run->stop.parameter_tolerance = real_of(cli, "stop-parameters");
  run->stop.change = text_of(cli, "stop-change");
  run->stop.norm = sl__cli_vi_plain_norm(cli);
  run->stop.every = integer_of(cli, "stop-every");
  run->apply_momentum = real_of(cli, "apply-momentum");
  run->apply_nesterov_momentum = real_of(cli, "apply-nesterov-momentum");
  run->max_norm = text_of(cli, "max-norm");
  run->stop.elbo_tolerance = real_of(cli, "stop-elbo");
  run->stop.iterate_tolerance = real_of(cli, "stop-iterates");
  run->go_back = strcmp(text_of(cli, "go-back"), "on") == 0;
  run->max_seconds = real_of(cli, "max-seconds");
  run->seed = cli->seed;
  r->track = text_of(cli, "track");
  run->tracks = &r->track;
  run->track_count = r->track != NULL;
}

static sl_status read_request(sl__cli *cli, request *r) {
  const char *flow = text_of(cli, "flow");
  sl__vi_defaults(&r->plan.options, &r->term);
  read_term(cli, r);
  read_run(cli, r);
  r->plan.formula = flow ? flow : "scale-loc";
  r->plan.base = text_of(cli, "base");
  r->plan.type = strcmp(text_of(cli, "precision"), "f32") == 0 ? SL_F32 : SL_F64;
  r->plan.jitter = real_of(cli, "jitter");
  r->plan.draws = integer_of(cli, "judge");
  SL__TRY(sl__cli_check_model_file(cli, text_of(cli, "output")));
  SL__TRY(sl__cli_open_target(cli, &r->target));
  if (integer_of(cli, "without-target")) SL__TRY(sl__target_forget(cli->context, r->target));
  double *draws;
  SL__TRY(sl__cli_vi_plain_draws(cli, r->target, &r->term.rows, &draws));
  r->term.draws = draws;
  return SL_OK;
}

/* ---- progress ---- */

typedef struct showing {
  sl__watch watch;
  double next, samples; /* when to look for Ctrl-C again */
} showing;

static bool show(void *user, const sl__vi_progress *now) {
  showing *s = user;
  if (now->seconds < s->next) return true;
  s->next = now->seconds + 0.05;
  const sl_fit_progress progress = {
      .size = sizeof progress,
      .step = now->step,
      .steps = now->steps,
      .loss = now->loss_average,
      .valid_loss = (double)NAN,
      .best_valid_loss = (double)NAN,
      .seconds = now->seconds,
      .rows_per_second = s->samples * (double)now->step / now->seconds,
  };
  return sl__watch_progress(&s->watch, &progress);
}

/* ---- printing ---- */

static int print_json(sl__cli *cli, const request *r, const sl__model *model,
                      const sl__vi_result *result) {
  const sl__vi_scores *scores = &result->scores;
  const double none = (double)NAN;
  sl__text text;
  sl__json json;
  sl__cli_json_open(cli, &text, &json);
  sl__json_text(&json, "target", r->target->title);
  sl__json_integer(&json, "dim", r->target->dim);
  sl__json_text(&json, "mode", "plain");
  sl__json_text(&json, "flow", r->plan.formula);
  sl__json_integer(&json, "parameters", model->flow->size);
  sl__json_text(&json, "objective", r->term.objective);
  sl__cli_json_estimate(&json, "elbo", scores->elbo, scores->elbo_se);
  sl__cli_json_estimate(&json, "log_evidence", scores->log_evidence, scores->log_evidence_se);
  sl__cli_json_estimate(&json, "upper_bound", none, none); /* needs draws of the target */
  sl__json_real(&json, "exact_log_evidence", r->target->log_evidence);
  sl__json_real(&json, "khat", scores->khat);
  sl__json_real(&json, "khat_threshold", scores->khat_threshold);
  sl__json_real(&json, "largest_weight", scores->largest_weight);
  sl__json_real(&json, "ess", scores->ess);
  sl__json_real(&json, "ess_forward", none);
  sl__json_integer(&json, "judged_by", scores->rows);
  sl__json_integer(&json, "steps", result->fit.steps);
  sl__json_integer(&json, "skipped", result->fit.skipped);
  sl__json_integer(&json, "restored", result->fit.restored);
  sl__json_integer(&json, "gradient_evaluations", result->fit.gradient_evaluations);
  sl__json_real(&json, "loss_average", result->fit.loss_average);
  sl__json_real(&json, "loss_kept", result->fit.loss_kept);
  sl__json_real(&json, "fit_seconds", result->fit.seconds);
  sl__json_boolean(&json, "certified", false);
  sl__json_text(&json, "stopped", result->fit.stopped);
  sl__json_text(&json, "trouble", result->fit.trouble);
  sl__json_text(&json, "verdict", result->verdict);
  return sl__cli_json_close(cli, &text, &json);
}

static int print_text(sl__cli *cli, const request *r, const sl__model *model,
                      const sl__vi_result *result) {
  const sl__vi_scores *scores = &result->scores;
  const double none = (double)NAN;
  sl__text text;
  sl__text_open(&text, cli->context);
  sl__cli_add_target(&text, r->target);
  sl__text_add(&text, "\nflow    %s, %lld parameters, %lld steps, ", r->plan.formula,
               (long long)model->flow->size, (long long)result->fit.steps);
  sl__cli_fixed(&text, result->fit.seconds, 1, 0);
  sl__text_add(&text, " s\n\n");
  sl__cli_add_estimate_heads(&text);
  sl__cli_add_estimate(&text, "ELBO", scores->elbo, scores->elbo_se);
  sl__cli_add_estimate(&text, "log evidence", scores->log_evidence, scores->log_evidence_se);
  if (!isnan(r->target->log_evidence))
    sl__cli_add_estimate(&text, "exact log evidence", r->target->log_evidence, none);
  sl__cli_add_estimate(&text, "average loss, last 1,000 steps", result->fit.loss_average, none);
  if (!isnan(result->fit.loss_kept))
    sl__cli_add_estimate(&text, "loss of what is kept, fresh draws", result->fit.loss_kept, none);
  sl__cli_add_khat(&text, scores->khat, scores->khat_threshold);
  sl__cli_add_estimate(&text, "effective sample size", scores->ess, none);
  if (result->fit.stopped[0]) sl__text_add(&text, "\nStopped %s\n", result->fit.stopped);
  if (result->fit.trouble[0])
    sl__text_add(&text, "\nTrouble on the way: %s\nSteps left out for it: %lld\n",
                 result->fit.trouble, (long long)result->fit.skipped);
  if (result->fit.restored > 0)
    sl__text_add(&text, "\nReturned to the best parameters so far, times: %lld\n",
                 (long long)result->fit.restored);
  if (!isnan(result->fit.loss_kept))
    sl__text_add(&text, "The last of these at the end: fresh draws found them better than the last "
                        "step's\n");
  sl__text_add(&text, "\n%s\n", result->verdict);
  return sl__cli_print(cli, &text);
}

/* ---- the command ---- */

static int finish(sl__cli *cli, const request *r, const sl__model *model,
                  const sl__vi_result *result, sl_status fitted) {
  const char *path = text_of(cli, "output");
  const int code =
      sl__cli_save_fit(cli, model, fitted == SL_OK ? SL__EXIT_DONE : sl__cli_fail(cli, fitted));
  const int printed =
      cli->json ? print_json(cli, r, model, result) : print_text(cli, r, model, result);
  if (code != SL__EXIT_DONE) return code;
  if (!path && !cli->json)
    sl__cli_say(cli, "the fit was not saved; -o q.safetensors would keep it");
  if (printed != SL__EXIT_DONE) return printed;
  return result->trusted ? SL__EXIT_DONE : SL__EXIT_FAILED;
}

static int fail_fit(sl__cli *cli, const request *r, sl_status status) {
  sl__cli_about_formula(cli, r->plan.formula);
  return sl__cli_fail(cli, status);
}

static int run_plain(sl__cli *cli, request *r) {
  showing s = {.samples = (double)r->term.samples};
  sl__vi_result result;
  sl__model *model;
  r->plan.options.terms = &r->term;
  r->plan.options.progress = show;
  r->plan.options.user = &s;
  sl__watch_open(&s.watch, cli);
  sl_status status = sl__vi_plain(cli->context, r->target, &r->plan, &model, &result);
  sl__watch_close(&s.watch);
  if (model && s.watch.interrupted) /* the library knows only that its caller stopped it */
    snprintf(result.fit.stopped, sizeof result.fit.stopped, "after step %lld: interrupted",
             (long long)result.fit.steps);
  if (model && sl__cli_keep_command(cli, model) != SL_OK) status = SL_NO_MEMORY;
  const int code = model ? finish(cli, r, model, &result, status) : fail_fit(cli, r, status);
  sl__model_free(cli->context, model);
  return code;
}

static int run(sl__cli *cli) {
  const bool robust = strcmp(text_of(cli, "mode"), "plain") != 0;
  const int refused = robust ? sl__cli_vi_plain_alone(cli) : sl__cli_vi_plain_check(cli);
  if (refused != SL__EXIT_DONE) return refused;
  request r = {0};
  sl_status status = read_request(cli, &r);
  if (status == SL_OK) {
    sl__watch_signals();
    status = sl__cli_hire(cli);
  }
  const int code = status != SL_OK ? sl__cli_fail(cli, status)
                   : robust        ? sl__cli_vi_robust(cli, r.target)
                                   : run_plain(cli, &r);
  sl__target_free(r.target);
  return code;
}

const sl__command sl__command_vi = {
    .name = "vi",
    .arguments = "[TARGET]",
    .summary = "fit a flow to a Stan program or another density, and say how good it is",
    .details = "TARGET is a .stan file with --data; or give --target NAME, or --density with "
               "--dim.\n"
               "The file holds a Stan program and its data, up to 8 MB, so that `sluice sample`, "
               "score,\ncompare and evidence come back to its parameters by themselves; "
               "--without-target leaves\nthem out, and then these commands want --model and "
               "--data.\n"
               "Exit code 1: the fit is not to be trusted, for the reason that the verdict says.\n"
               "Ctrl-C stops at the next step and saves the best so far in -o FILE, or beside it, "
               "as\nNAME.unfinished.safetensors, when FILE is there: a finished fit is never "
               "replaced by one\nthat is not.\n",
    .examples =
        "  sluice vi model.stan --data data.json -o q.safetensors\n"
        "  sluice vi --density '-(x^2-y)^2 - 0.5*y^2' --dim x,y\n"
        "  sluice vi --target pot1 --json\n"
        "  sluice vi --mode plain --target pot1 --flow 'planar*8' --lr 0.01 -o q.safetensors\n"
        "  sluice vi --mode plain --target pot1 --track 'loss,layers.1.*@10=trace.csv'\n",
    .minimum = 0,
    .maximum = 1,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .shared_options = sl__cli_target_rows,
    .run = run,
};
