/* A model with BridgeStan's C interface, written for t_target_library.c, which compiles it as
 * VERSION 1 and 2: mu ~ normal(0, 1), sigma = exp(q_2) ~ exponential(1), both if mu < 9 (else
 * it refuses), a transformed parameter mu * sigma and a generated quantity, the seed. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct model {
  double shift; /* what the data say */
} model;

static char *text(const char *words) {
  char *copy = malloc(strlen(words) + 1);
  return copy ? strcpy(copy, words) : NULL;
}

static double density(const double *q, bool propto, bool jacobian, double *slope) {
  const double sigma = exp(q[1]);
  if (slope) {
    slope[0] = -q[0];
    slope[1] = -sigma + (jacobian ? 1 : 0);
  }
  return -q[0] * q[0] / 2 - (propto ? 0 : 0.91893853320467274178) - sigma + (jacobian ? q[1] : 0);
}

static void constrain(bool transformed, bool generated, const double *q, double random,
                      double *out) {
  int n = 0;
  out[n++] = q[0];
  out[n++] = exp(q[1]);
  if (transformed) out[n++] = q[0] * exp(q[1]);
  if (generated) out[n++] = random;
}

const char *bs_param_names(const void *m, bool transformed, bool generated);
const char *bs_param_names(const void *m, bool transformed, bool generated) {
  (void)m;
  if (transformed) return generated ? "mu,sigma,both,noise" : "mu,sigma,both";
  return generated ? "mu,sigma,noise" : "mu,sigma";
}
const char *bs_param_unc_names(const void *m);
const char *bs_param_unc_names(const void *m) {
  (void)m;
#ifdef MORE_NAMES
  return "mu,sigma,more";
#else
  return "mu,sigma";
#endif
}
int bs_param_num(const void *m, bool transformed, bool generated);
int bs_param_num(const void *m, bool transformed, bool generated) {
  (void)m;
  return 2 + transformed + generated;
}
int bs_param_unc_num(const void *m);
int bs_param_unc_num(const void *m) {
  (void)m;
  return 2;
}
const char *bs_model_info(const void *m);
const char *bs_model_info(const void *m) {
  (void)m;
  return VERSION == 2 ? "STAN_THREADS=true" : "STAN_THREADS=false";
}

#if VERSION == 1
void *bs_construct(const char *data, unsigned seed, unsigned chain);
void *bs_construct(const char *data, unsigned seed, unsigned chain) {
  (void)seed, (void)chain;
  return strstr(data, "bad") ? NULL : malloc(sizeof(model));
}
int bs_destruct(void *m);
int bs_destruct(void *m) {
  free(m);
  return 0;
}
int bs_log_density(void *m, bool propto, bool jacobian, const double *q, double *value);
int bs_log_density(void *m, bool propto, bool jacobian, const double *q, double *value) {
  (void)m;
  *value = density(q, propto, jacobian, NULL);
  return q[0] < 9 ? 0 : -1;
}
int bs_log_density_gradient(void *m, bool propto, bool jacobian, const double *q, double *value,
                            double *slope);
int bs_log_density_gradient(void *m, bool propto, bool jacobian, const double *q, double *value,
                            double *slope) {
  (void)m;
  *value = density(q, propto, jacobian, slope);
  return q[0] < 9 ? 0 : -1;
}
int bs_param_constrain(void *m, bool transformed, bool generated, const double *q, double *out);
int bs_param_constrain(void *m, bool transformed, bool generated, const double *q, double *out) {
  (void)m;
  constrain(transformed, generated, q, 1, out);
  return 0;
}
int bs_param_unconstrain(void *m, const double *parameters, double *q);
int bs_param_unconstrain(void *m, const double *parameters, double *q) {
  (void)m;
  q[0] = parameters[0];
  q[1] = log(parameters[1]);
  return parameters[1] > 0 ? 0 : -1;
}
#else
static int refuse(char **message, const char *words) {
  *message = text(words);
  return -1;
}
void *bs_model_construct(const char *data, unsigned seed, char **message);
void *bs_model_construct(const char *data, unsigned seed, char **message) {
  (void)seed;
  if (!strstr(data, "bad")) return malloc(sizeof(model));
  refuse(message, "the data are bad");
  return NULL;
}
void bs_model_destruct(void *m);
void bs_model_destruct(void *m) {
  free(m);
}
void bs_free_error_msg(char *message);
void bs_free_error_msg(char *message) {
  free(message);
}
int bs_log_density(void *m, bool propto, bool jacobian, const double *q, double *value,
                   char **message);
int bs_log_density(void *m, bool propto, bool jacobian, const double *q, double *value,
                   char **message) {
  (void)m;
  *value = density(q, propto, jacobian, NULL);
  return q[0] < 9 ? 0 : refuse(message, "mu is too large");
}
int bs_log_density_gradient(void *m, bool propto, bool jacobian, const double *q, double *value,
                            double *slope, char **message);
int bs_log_density_gradient(void *m, bool propto, bool jacobian, const double *q, double *value,
                            double *slope, char **message) {
  (void)m;
  *value = density(q, propto, jacobian, slope);
  return q[0] < 9 ? 0 : refuse(message, "mu is too large");
}
void *bs_rng_construct(unsigned seed, char **message);
void *bs_rng_construct(unsigned seed, char **message) {
  (void)message;
  double *made = malloc(sizeof *made);
  if (made) *made = (double)seed;
  return made;
}
void bs_rng_destruct(void *rng);
void bs_rng_destruct(void *rng) {
  free(rng);
}
int bs_param_constrain(void *m, bool transformed, bool generated, const double *q, double *out,
                       void *rng, char **message);
int bs_param_constrain(void *m, bool transformed, bool generated, const double *q, double *out,
                       void *rng, char **message) {
  (void)m, (void)message;
  constrain(transformed, generated, q, rng ? *(double *)rng : 0, out);
  return 0;
}
int bs_param_unconstrain(void *m, const double *parameters, double *q, char **message);
int bs_param_unconstrain(void *m, const double *parameters, double *q, char **message) {
  (void)m;
  q[0] = parameters[0];
  q[1] = log(parameters[1]);
  return parameters[1] > 0 ? 0 : refuse(message, "sigma must be positive");
}
#endif
