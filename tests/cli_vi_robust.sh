#!/bin/sh
# sluice vi in robust mode, the default: its JSON, its file, what it refuses.
. "$(dirname "$0")/shell.sh"

run 0 vi --target gaussian55 --flow scale -o q.safetensors --json --quiet --seed 3
json
for key in climbs particles chains; do has searched.$key number; done
has density_evaluations number
check "the verdict tells what was searched" grep -q '68 climbs, 4096 particles and 8 chains' out
check "nothing is said with --quiet" test ! -s err
for key in command flow verdict; do has $key text; done
for key in elbo log_evidence upper_bound bridge tail_missed; do has $key.value number && has $key.se number; done
for key in own_mean_gap_in_sd own_log_sd_ratio log_sd_ratio tempered_accept chain_draws; do
  has $key number
done
for key in strays stray_mean_gap_in_sd stray_log_sd_ratio; do has $key number; done
for key in khat ess ess_forward gradient_evaluations missed seconds seed; do has $key number; done
check "it is certified" test "$(value certified)" = true
check "gaps of means and sds" test "$(value by_quartiles)" = false
check "the evidence is 0" near "$(value log_evidence.value)" 0 0.01
run 0 info q.safetensors --json
json
check "the record tells the target" test "$(value training.target)" = gaussian55
run 0 sample q.safetensors -n 5
cp q.safetensors first.safetensors
run 0 vi --target gaussian55 --flow scale -o q.safetensors --quiet --seed 3 --threads 1
check "the same file on one thread" cmp -s q.safetensors first.safetensors
run 1 vi --target gaussian_mixture --flow scale --judge 2000 --quiet
check "a flow that is too small says so" grep -q 'not to be trusted' out
run 2 vi --target pot1 --steps 5
run 2 vi --target pot1 --flow 'planar*x'
check "a bad formula is refused before exploring" test "$(grep -c exploring err)" = 0
run 1 vi --density 'x > 0 ? -x : negative_infinity()' --dim x
check "a bound that is not declared is said once" test "$(grep -c ' skipped, its loss' err)" = 1
check "and how to declare it" grep -q 'not to be trusted: .*declare that, as real<lower=0> x;' out
echo 'model { }' >empty.stan
for mode in robust plain; do
  run 2 vi empty.stan --mode $mode
  check "$mode: without parameters" grep -q 'has no parameters; there is nothing to infer' err
done
run 2 vi --density '-x^2' --dim x,y --quiet
check "an improper density is refused by name" grep -q 'no finite integral: however far y goes' err
run 2 vi --density '-log(1+x^2+y^2)' --dim x,y --quiet
check "one that falls too slowly in the plane" grep -q 'falls no faster than 1 / distance^2' err
run 0 vi --density '-log(1+x^2)' --dim x --seed 1 --quiet --json
json
check "a Cauchy density is fitted" near "$(value log_evidence.value)" 1.144730 0.01
check "which has no sd" test "$(value by_quartiles)" = true
cat >correlation.stan <<'END'
parameters { cholesky_factor_corr[2] L; }
model { L ~ lkj_corr_cholesky(2); }
END
run 0 vi correlation.stan --seed 1 --quiet --json
json
check "parameters that are constants have no tails" near "$(value parameter_sd_gap)" 0 0.14
cat >nan.stan <<'END'
data { vector[2] y; }
parameters { real mu; }
model { y ~ normal(mu, 1); }
END
echo '{"y": [1, NaN]}' >nan.json
for mode in robust plain; do
  run 2 vi nan.stan --data nan.json --mode $mode
  check "$mode: the place is in the program" grep -q '^sluice: nan.stan:3:' err
  check "$mode: and in the data" grep -q "(nan.json: 'y\[2\]' is nan; give a number)" err
done
cat >explosive.stan <<'END'
functions {
  vector f(real t, vector y, real a, real b) {
    return [a * y[1] - y[1] * y[2], b * y[2] + y[1] * y[2]]';
  }
}
parameters { real a; real b; }
model {
  array[3] vector[2] y = ode_rk45_tol(f, [1, 1]', 0, {1, 2, 3}, 1e-6, 1e-6, 100000, a, b);
  a ~ normal(0.5, 0.3);
  b ~ normal(-0.5, 0.3);
  y[3][1] ~ normal(0.7, 1);
}
END
run 1 vi explosive.stan --max-seconds 1 --quiet
check "a population of long solutions ends within the time" \
  grep -q 'no draw of the target was found in the time' err
interrupted vi explosive.stan -o none.safetensors
check "before any fit nothing is saved" grep -q '^interrupted: nothing is saved$' err
check "nor is there a file" test ! -e none.safetensors
finish
