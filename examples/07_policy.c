/* 07: a flow as the policy of reinforcement learning: soft actor-critic swings up a pendulum, with
 * a squashed Gaussian for a policy and with a flow (SAC-NF: Mazoure et al. 2019, arXiv:1905.06893).
 *
 *   07_policy [full] [CURVES.csv [POLICY.safetensors]]
 *   sluice plot CURVES.csv -o curves.png
 *   sluice plot POLICY.safetensors --context-value c1=-1,c2=0,c3=0 -o hanging.png
 *
 * Without "full" one seed and few episodes, in a few seconds. POLICY.safetensors keeps the flow
 * policy of the last seed: any command can draw, sample or score its actions in a state, which is
 * (cosine of the angle, sine of it, speed / 8). The policy is a flow that is
 * conditioned on the state; its draws are actions in -1 .. 1, with their log densities. The two
 * critics are small networks in plain C: all that the flow needs of them is the derivative of the
 * loss by each action. Method: Haarnoja et al. 2018 (arXiv:1812.05905), algorithm 1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sluice/sluice.h"

enum { STATE = 3, INPUTS = STATE + 1, WIDTH = 32, BATCH = 64, DECISIONS = 100, MOST = 20000 };

/* A draw from 0 .. 1 (xorshift64*). */
static double uniform(uint64_t *state) {
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return (double)((*state * 2685821657736338717u) >> 11) * 0x1p-53;
}

/* ---- the pendulum: a rod of 1 m and 1 kg on a motor too weak to lift it at once ---- */

typedef struct pendulum {
  double angle, speed; /* angle 0: upright; radians */
} pendulum;

static pendulum somewhere(uint64_t *random) {
  const double pi = acos(-1.0);
  return (pendulum){pi * (2 * uniform(random) - 1), 2 * uniform(random) - 1};
}

static void observe(const pendulum *p, float state[STATE]) {
  state[0] = (float)cos(p->angle);
  state[1] = (float)sin(p->angle);
  state[2] = (float)(p->speed / 8);
}

/* Two steps of 0.05 s with the torque 2 * action, in Nm; the reward is 0 at best, about -32 at
 * worst. */
static double move(pendulum *p, double action) {
  double reward = 0;
  for (int half = 0; half < 2; half++) {
    const double off = remainder(p->angle, 2 * acos(-1.0)), torque = 2 * action;
    reward -= off * off + 0.1 * p->speed * p->speed + 0.001 * torque * torque;
    p->speed += 0.05 * (15 * sin(p->angle) + 3 * torque);
    p->speed = fmax(-8, fmin(8, p->speed));
    p->angle += 0.05 * p->speed;
  }
  return reward;
}

/* ---- critics: INPUTS -> WIDTH -> WIDTH -> 1 with rectifiers, derivatives by hand ---- */

typedef struct critic {
  double in[WIDTH][INPUTS], in_bias[WIDTH], inner[WIDTH][WIDTH], inner_bias[WIDTH];
  double out[WIDTH], out_bias;
} critic;
enum { NUMBERS = sizeof(critic) / sizeof(double) };

typedef struct pass { /* what a forward pass leaves for the backward one */
  double input[INPUTS], first[WIDTH], second[WIDTH];
} pass;

static void start_critic(critic *q, uint64_t *random) {
  *q = (critic){0};
  for (int i = 0; i < WIDTH; i++) {
    for (int k = 0; k < INPUTS; k++) q->in[i][k] = (2 * uniform(random) - 1) / sqrt(INPUTS);
    for (int k = 0; k < WIDTH; k++) q->inner[i][k] = (2 * uniform(random) - 1) / sqrt(WIDTH);
    q->out[i] = (2 * uniform(random) - 1) / sqrt(WIDTH);
  }
}

static double value_of(const critic *q, const float *state, double action, pass *p) {
  for (int k = 0; k < STATE; k++) p->input[k] = (double)state[k];
  p->input[STATE] = action;
  double value = q->out_bias;
  for (int i = 0; i < WIDTH; i++) {
    double sum = q->in_bias[i];
    for (int k = 0; k < INPUTS; k++) sum += q->in[i][k] * p->input[k];
    p->first[i] = fmax(0, sum);
  }
  for (int i = 0; i < WIDTH; i++) {
    double sum = q->inner_bias[i];
    for (int k = 0; k < WIDTH; k++) sum += q->inner[i][k] * p->first[k];
    p->second[i] = fmax(0, sum);
    value += q->out[i] * p->second[i];
  }
  return value;
}

/* Adds slope * d value / d numbers to by (NULL: not wanted); gives slope * d value / d action. */
static double differentiate(const critic *q, const pass *p, double slope, critic *by) {
  double by_first[WIDTH] = {0}, by_action = 0;
  for (int i = 0; i < WIDTH; i++) {
    const double by_second = p->second[i] > 0 ? slope * q->out[i] : 0;
    if (by) by->out[i] += slope * p->second[i];
    if (by) by->inner_bias[i] += by_second;
    for (int k = 0; k < WIDTH; k++) by_first[k] += by_second * q->inner[i][k];
    for (int k = 0; by && k < WIDTH; k++) by->inner[i][k] += by_second * p->first[k];
  }
  for (int i = 0; i < WIDTH; i++) {
    const double by_sum = p->first[i] > 0 ? by_first[i] : 0;
    by_action += by_sum * q->in[i][STATE];
    if (by) by->in_bias[i] += by_sum;
    for (int k = 0; by && k < INPUTS; k++) by->in[i][k] += by_sum * p->input[k];
  }
  if (by) by->out_bias += slope;
  return by_action;
}

/* ---- the agent ---- */

typedef struct memory { /* everything seen so far */
  float state[MOST][STATE], next[MOST][STATE];
  double action[MOST], reward[MOST];
  int count;
} memory;

typedef struct agent {
  sl_context *context;
  sl_flow *policy;
  sl_evaluator *evaluator;
  sl_optimizer *of_policy, *of_critic[2], *of_temperature;
  double *by_policy; /* [parameters] */
  critic q[2], slow[2];
  double log_temperature;
  uint64_t draws, random; /* how often the policy was asked, and all other random numbers */
  memory seen;
} agent;

static sl_status make_agent(agent *a, const char *formula, uint64_t seed) {
  sl_fit_options options;
  sl_fit_options_default(&options, sizeof options);
  options.rate = 1e-3;
  options.clip = 10;
  a->random = 88172645463325252u + seed;
  for (int k = 0; k < 10; k++) uniform(&a->random);
  for (int k = 0; k < 2; k++) start_critic(&a->q[k], &a->random);
  memcpy(a->slow, a->q, sizeof a->q);
  sl_status status = sl_flow_new(a->context, formula, NULL, 1, STATE, SL_F32, seed, &a->policy);
  if (status != SL_OK) return status;
  const int64_t count = sl_flow_parameter_count(a->policy);
  a->by_policy = calloc((size_t)count, sizeof *a->by_policy);
  if (!a->by_policy) return SL_NO_MEMORY;
  a->draws = seed << 32;
  status = sl_evaluator_new(a->context, a->policy, SL_EVALUATE_SAMPLE | SL_EVALUATE_SAMPLE_GRADIENT,
                            BATCH, &a->evaluator);
  if (status == SL_OK) status = sl_optimizer_new(a->context, &options, count, &a->of_policy);
  if (status == SL_OK) status = sl_optimizer_new(a->context, &options, 1, &a->of_temperature);
  for (int k = 0; k < 2 && status == SL_OK; k++)
    status = sl_optimizer_new(a->context, &options, NUMBERS, &a->of_critic[k]);
  return status;
}

static void free_agent(agent *a) {
  for (int k = 0; k < 2; k++) sl_optimizer_free(a->of_critic[k]);
  sl_optimizer_free(a->of_temperature);
  sl_optimizer_free(a->of_policy);
  sl_evaluator_free(a->evaluator);
  sl_flow_free(a->policy);
  free(a->by_policy);
}

/* Actions in these states, and their log densities. */
static sl_status act(agent *a, int rows, const float *states, double *actions, double *log_prob) {
  const sl_array_in condition = sl_in_f32(states, rows, STATE);
  const sl_array_out x = sl_out_f64(actions, rows, 1), q = sl_out_f64(log_prob, rows, 1);
  return sl_evaluator_sample(a->context, a->evaluator, ++a->draws, &condition, &x, &q);
}

/* Equations 5 and 6: the critics towards reward + 0.98 (soft value of the next state). */
static sl_status train_critics(agent *a, const int *chosen) {
  float next[BATCH][STATE];
  double action[BATCH], log_prob[BATCH];
  critic by[2] = {0};
  pass p;
  for (int r = 0; r < BATCH; r++) memcpy(next[r], a->seen.next[chosen[r]], sizeof next[r]);
  sl_status status = act(a, BATCH, *next, action, log_prob);
  if (status != SL_OK) return status;
  for (int r = 0; r < BATCH; r++) {
    const int i = chosen[r];
    const double least = fmin(value_of(&a->slow[0], next[r], action[r], &p),
                              value_of(&a->slow[1], next[r], action[r], &p));
    const double soft = least - exp(a->log_temperature) * log_prob[r];
    const double wanted = a->seen.reward[i] + 0.98 * soft;
    for (int k = 0; k < 2; k++) {
      const double off = value_of(&a->q[k], a->seen.state[i], a->seen.action[i], &p) - wanted;
      differentiate(&a->q[k], &p, off / BATCH, &by[k]);
    }
  }
  for (int k = 0; k < 2 && status == SL_OK; k++) {
    double *numbers = (double *)&a->q[k], *slow = (double *)&a->slow[k];
    const sl_array_in gradient = sl_in_f64((const double *)&by[k], 1, NUMBERS);
    const sl_array_out vector = sl_out_f64(numbers, 1, NUMBERS);
    status = sl_optimizer_step(a->context, a->of_critic[k], &gradient, &vector);
    for (int i = 0; i < NUMBERS; i++) slow[i] += 0.01 * (numbers[i] - slow[i]);
  }
  return status;
}

/* Equations 9 and 18: the policy against the mean of temperature * log_prob - value, and the
 * temperature so that the entropy comes to -1. The critics are asked about draws, and their answers
 * go back through the same draws. */
static sl_status train_policy(agent *a, const int *chosen) {
  float state[BATCH][STATE];
  double action[BATCH], log_prob[BATCH], by_action[BATCH], by_log_prob[BATCH], excess = 0;
  for (int r = 0; r < BATCH; r++) memcpy(state[r], a->seen.state[chosen[r]], sizeof state[r]);
  sl_status status = act(a, BATCH, *state, action, log_prob);
  if (status != SL_OK) return status;
  for (int r = 0; r < BATCH; r++) {
    pass p[2];
    const double one = value_of(&a->q[0], state[r], action[r], &p[0]);
    const double two = value_of(&a->q[1], state[r], action[r], &p[1]);
    const int k = one < two ? 0 : 1;
    by_action[r] = differentiate(&a->q[k], &p[k], -1.0 / BATCH, NULL);
    by_log_prob[r] = exp(a->log_temperature) / BATCH;
    excess += (log_prob[r] - 1) / BATCH;
  }
  const int64_t count = sl_flow_parameter_count(a->policy);
  const sl_array_in condition = sl_in_f32(*state, BATCH, STATE);
  const sl_array_in by_x = sl_in_f64(by_action, BATCH, 1), by_q = sl_in_f64(by_log_prob, BATCH, 1);
  const sl_array_in gradient = sl_in_f64(a->by_policy, 1, count);
  const sl_array_out x = sl_out_f64(action, BATCH, 1), by = sl_out_f64(a->by_policy, 1, count);
  status = sl_evaluator_sample_gradient(a->context, a->evaluator, a->draws, &condition, &by_x,
                                        &by_q, &x, NULL, &by, NULL);
  if (status == SL_OK)
    status = sl_optimizer_step_flow(a->context, a->of_policy, &gradient, a->policy);
  const double by_temperature = -excess;
  const sl_array_in slope = sl_in_f64(&by_temperature, 1, 1);
  const sl_array_out temperature = sl_out_f64(&a->log_temperature, 1, 1);
  if (status == SL_OK)
    status = sl_optimizer_step(a->context, a->of_temperature, &slope, &temperature);
  return status;
}

/* One episode, with a step of training after each decision; the sum of its rewards. */
static sl_status run_episode(agent *a, double *sum) {
  pendulum p = somewhere(&a->random);
  sl_status status = SL_OK;
  *sum = 0;
  for (int t = 0; t < DECISIONS && status == SL_OK && a->seen.count < MOST; t++) {
    const int now = a->seen.count++;
    double log_prob;
    int chosen[BATCH];
    observe(&p, a->seen.state[now]);
    status = act(a, 1, a->seen.state[now], &a->seen.action[now], &log_prob);
    const double reward = move(&p, a->seen.action[now]);
    a->seen.reward[now] = reward / 16;
    *sum += reward;
    observe(&p, a->seen.next[now]);
    if (now < 4 * BATCH) continue;
    for (int r = 0; r < BATCH; r++) chosen[r] = (int)(uniform(&a->random) * a->seen.count);
    if (status == SL_OK) status = train_critics(a, chosen);
    if (status == SL_OK) status = train_policy(a, chosen);
  }
  return status;
}

/* ---- the comparison ---- */

static int by_size(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Microseconds of one action with its log density, one state at a time: the median of many rounds,
 * which other work of the machine hardly moves. */
static sl_status measure(agent *a, double *microseconds) {
  enum { ROUNDS = 101, CALLS = 50 };
  struct timespec from, to;
  double action, log_prob, each[ROUNDS];
  sl_status status = SL_OK;
  for (int round = 0; round < ROUNDS; round++) {
    timespec_get(&from, TIME_UTC);
    for (int k = 0; k < CALLS && status == SL_OK; k++)
      status = act(a, 1, a->seen.state[k % a->seen.count], &action, &log_prob);
    timespec_get(&to, TIME_UTC);
    each[round] = (double)(to.tv_sec - from.tv_sec) * 1e6 / CALLS +
                  (double)(to.tv_nsec - from.tv_nsec) * 1e-3 / CALLS;
  }
  qsort(each, ROUNDS, sizeof *each, by_size);
  *microseconds = each[ROUNDS / 2];
  return status;
}

static sl_status train(agent *a, const char *name, const char *formula, int seed, int episodes,
                       FILE *curves, const char *kept) {
  double early = 0, late = 0, microseconds = 0;
  sl_status status = make_agent(a, formula, (uint64_t)seed);
  for (int episode = 0; episode < episodes && status == SL_OK; episode++) {
    double sum;
    status = run_episode(a, &sum);
    if (episode < 5) early += sum / 5;
    if (episode >= episodes - 5) late += sum / 5;
    if (curves) fprintf(curves, "%s,%d,%d,%.3f\n", name, seed, episode + 1, sum);
  }
  if (status == SL_OK) status = measure(a, &microseconds);
  if (status == SL_OK && kept) status = sl_flow_save(a->context, a->policy, kept);
  if (status == SL_OK)
    printf("%-8s seed %d: mean return %8.1f (first 5 episodes) %8.1f (last 5), temperature %.3f, "
           "one action %.1f us\n",
           name, seed, early, late, exp(a->log_temperature), microseconds);
  free_agent(a);
  return status;
}

int main(int count, char **words) {
  static const char *const policies[2][2] = {
      {"gaussian", "scale(exp,jitter=0)-loc-tanh"},
      {"flow", "scale(exp,jitter=0)-loc-planar(hidden=16)*3-tanh"}};
  const int full = count > 1 && strcmp(words[1], "full") == 0;
  const char *path = count > 1 + full ? words[1 + full] : NULL;
  const char *kept = count > 2 + full ? words[2 + full] : NULL;
  const int seeds = full ? 5 : 1, episodes = full ? 150 : 30;
  const sl_context_options one_thread = {.size = sizeof one_thread, .threads = 1};
  FILE *curves = path ? fopen(path, "w") : NULL;
  agent *a = calloc(1, sizeof *a);
  sl_context *context;
  if (!a || (path && !curves) || sl_context_new(&one_thread, &context) != SL_OK) return 1;
  if (curves) fprintf(curves, "policy,seed,episode,return\n");
  sl_status status = SL_OK;
  for (int seed = 1; seed <= seeds && status == SL_OK; seed++)
    for (int k = 0; k < 2 && status == SL_OK; k++) {
      *a = (agent){.context = context};
      status =
          train(a, policies[k][0], policies[k][1], seed, episodes, curves, k == 1 ? kept : NULL);
    }
  if (status != SL_OK) fprintf(stderr, "%s: %s\n", sl_status_text(status), sl_error(context));
  if (curves) fclose(curves);
  sl_context_free(context);
  free(a);
  return status == SL_OK ? 0 : 1;
}
