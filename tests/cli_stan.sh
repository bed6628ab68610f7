#!/bin/sh
# Stan programs and other targets on the command line: sluice check, sluice log-density.
. "$(dirname "$0")/shell.sh"

cat >m.stan <<'PROGRAM'
data {
  int<lower=0> n;
  vector[n] y;
}
parameters {
  real mu;
  real<lower=0> sigma;
  array[2] simplex[n] p;
}
model {
  mu ~ normal(0, 5);
  sigma ~ exponential(1);
  y ~ normal(mu, sigma);
}
PROGRAM
echo '{"n": 2, "y": [1, 2.5]}' >d.json

run 0 check m.stan
check "says ok" grep -qx ok out
check "lists parameters" grep -qx 'array\[2\] simplex\[n\] p' out
run 0 check m.stan --data d.json --json
json
check "command" test "$(value command)" = check
check "ok is true" test "$(value ok)" = true
check "a name" test "$(value 'parameters[1].name')" = sigma
has 'parameters[1].type' text
check "a size" test "$(value 'parameters[2].sizes[1]')" = n
has unsupported array
"$sluice" check - <m.stan >out && good || bad "check reads a pipe"

cat >wrong.stan <<'PROGRAM'
parameters { real x; }
model { x ~ normal(0, y); }
PROGRAM
run 2 check wrong.stan
check "place" grep -q '^sluice: wrong.stan:2:23: ' err
check "caret" test "$(sed -n 3p err)" = "                        ^"
printf '#include a.stan\nmodel {}\n' >include.stan
run 2 check include.stan
check "include" grep -q 'include.stan:1:1: #include is not read; ' err
refused 'nowhere.stan' check nowhere.stan

# mu, sigma and two free numbers of the simplexes: normal(0.5 | 0, 5) and so on, by hand
printf 'p.1.1,sigma,p.2.1,mu\n0,0,0,0.5\n0,0.7,0,-1\n' >at.csv
run 0 log-density m.stan --data d.json --at at.csv --gradient --json
json
check "command" test "$(value command)" = log-density
check "dim" test "$(value dim)" = 4
check "names" test "$(value 'names[0]')" = mu
expected=$(awk 'BEGIN { l = log(2 * atan2(0, -1)) / 2
  print -(0.5 / 5) ^ 2 / 2 - log(5) - l - 1 - 0.5 ^ 2 / 2 - 2 ^ 2 / 2 - 2 * l + 2 * log(1 / 4) }' \
  OFMT=%.12g)
has 'points[0].log_density' number
run 0 log-density m.stan --data d.json --at at.csv
first=$(sed -n 1p out)
run 0 log-density m.stan --data d.json --at at.csv --no-jacobian
without=$(sed -n 1p out)
jacobian=$(awk -v a="$first" -v b="$without" 'BEGIN {print a - b}')
expected=$(awk 'BEGIN { l = log(2 * atan2(0, -1)) / 2
  printf "%.12g", -(0.5 / 5) ^ 2 / 2 - log(5) - l - 1 - 0.5 ^ 2 / 2 - 2 ^ 2 / 2 - 2 * l }')
check "the density $without is $expected" near "$without" "$expected" 1e-9
check "the simplexes' Jacobian $jacobian" test "$jacobian" != 0
run 0 log-density m.stan --data d.json --at at.csv --propto --no-jacobian
expected=$(awk 'BEGIN {printf "%.12g", -(0.5 / 5) ^ 2 / 2 - 1 - 0.5 ^ 2 / 2 - 2 ^ 2 / 2}')
check "without constants" near "$(sed -n 1p out)" "$expected" 1e-9
printf '0.5,0,0,0\n' >bare.csv
run 0 log-density m.stan --data d.json --at bare.csv
check "columns by position" test "$(cat out)" = "$first"
"$sluice" log-density m.stan --data d.json --at - <bare.csv >out
check "points from a pipe" test "$(cat out)" = "$first"
"$sluice" log-density - --data d.json --at bare.csv <m.stan >out
check "a program from a pipe" test "$(cat out)" = "$first"
printf 'mu,sigma,"p[1,1]","p[1,2]",p.2.1,p.2.2\n0.5,1,.5,.5,.5,.5\n' >own.csv
run 0 log-density m.stan --data d.json --at own.csv --constrained
check "on the parameters' own scale" near "$(cat out)" "$first" 1e-9
run 0 log-density m.stan --data d.json --at at.csv --gradient -o g.csv
check "a table" test "$(head -1 g.csv)" = "log_density,d_mu,d_sigma,d_p.1.1,d_p.2.1"

# a function of threads: none
"$sluice" log-density m.stan --data d.json --at at.csv --threads 1 >one
"$sluice" log-density m.stan --data d.json --at at.csv --threads 2 >two
check "the same bits" cmp -s one two

refused 'the points are 1 x 2, but the target has 4 coordinates' \
  log-density --data d.json m.stan --at /dev/stdin <<'POINTS'
1,2
POINTS
printf 'a,b\n1,2\n' >ab.csv
refused 'no column "mu"' log-density m.stan --data d.json --at ab.csv
printf 'mu,sigma,p.1.1,p.2.1,more\n1,2,3,4,5\n' >more.csv
refused 'the column "more" is none of' log-density m.stan --data d.json --at more.csv
printf 'mu,sigma,p.1.1,p.2.1,mu\n1,2,3,4,5\n' >double.csv
refused 'more than one column "mu"' log-density m.stan --data d.json --at double.csv
printf '1,2,3,abc\n' >word.csv
refused "was taken for the columns' names" log-density m.stan --data d.json --at word.csv
cat >draws.csv <<'DRAWS'
# model = m
lp__,accept_stat__,mu,sigma,p.1.1,p.2.1
# Adaptation terminated
-1,0.9,0.5,0,0,0
DRAWS
run 0 log-density m.stan --data d.json --at draws.csv
check "Stan CSV" test "$(cat out)" = "$first"
printf 'mu,sigma,p.1.1,p.1.2,p.2.1,p.2.2\n0.5,-1,.5,.5,.5,.5\n' >bad.csv
refused "'sigma' is -1, but must be at least 0 (from bad.csv, row 1)" \
  log-density m.stan --data d.json --at bad.csv --constrained
check "one place" grep -q '^sluice: m.stan:7:17: ' err
refused 'the points are missing' log-density m.stan --data d.json
refused 'has a block data' log-density m.stan --at bare.csv
echo '{"n": 2' >cut.json
run 2 log-density m.stan --data cut.json --at bare.csv
check "no JSON" grep -q '^sluice: cut.json:2:1: not JSON' err
echo '{"n": 3, "y": [1, 2]}' >size.json
run 2 log-density m.stan --data size.json --at bare.csv
check "sizes" grep -q 'y' err
refused 'there is no target' log-density --at bare.csv
refused 'more than one target' log-density m.stan --target pot1 --at bare.csv
refused "no standard target 'pot9'" log-density --target pot9 --at bare.csv
refused '--allow-native' log-density m.so --at bare.csv
refused '--dim' log-density --density 'x' --at bare.csv
refused '--density:1:3: ' log-density --density 'x+q' --dim x --at bare.csv
refused 'the expression is empty' log-density --density ' ' --dim x --at bare.csv
refused "found its end; '(' was opened at 1:2" log-density --density '-(x' --dim x --at bare.csv
refused "the coordinate 'x' is named twice" log-density --density x --dim x,x --at bare.csv

# why a density is 0
cat >why.stan <<'PROGRAM'
data { real y; }
parameters { real mu; }
transformed parameters { real<lower=0> s = mu + 3; }
model {
  if (mu > 1) reject("mu is ", mu);
  mu ~ normal(0, s);
  target += y * log(mu + 2);
}
PROGRAM
echo '{"y": 1}' >y.json
why() { # point, reason
  printf '%s\n' "$1" >at1.csv
  run 0 log-density why.stan --data y.json --at at1.csv
  check "why $1" grep -qF "row 1: why.stan:$2" err
}
why 1.5 '5:15: the program rejects: mu is 1.5'
why -4 "3:40: 's' is -1, but must be at least 0"
why -2.5 '7:3: this makes the log density nan'
sed 's/real y;/real y; vector[2] z;/' why.stan >unread.stan
echo '{"y": 1, "z": [1, "NaN"]}' >unread.json
printf '%s\n' -2.5 >at1.csv
run 0 log-density unread.stan --data unread.json --at at1.csv
check "nan is seen" grep -qF "unread.stan:7:3: this makes the log density nan" err
check "what is not read is not blamed" sh -c '! grep -q "z.*is nan" err'
echo '{"y": "NaN"}' >y.json
why 0.5 "7:3: this makes the log density nan (y.json: 'y' is nan; give a number)"
check "NaN in the data" grep -qF "y.json: 'y' is NaN; a density that reads it is NaN" err

# sizes that are too large to be meant
echo 'parameters { vector[100000000] x; } model {}' >large.stan
refused "'x' has 100000000 numbers, more than can be named" log-density large.stan --at bare.csv
cat >square.stan <<'PROGRAM'
data { int n; }
parameters { vector[2] x; }
model { vector[n] v = append_row(x, rep_vector(1, n - 2)); target += sum(exp(v * v')); }
PROGRAM
echo '{"n": 30000}' >n.json
printf '1,2\n' >x.csv
run 1 log-density square.stan --data n.json --at x.csv
check "megabytes" grep -q 'square.stan: one evaluation needs .* megabytes' err

printf '5,5\n' >five.csv
run 0 log-density --target gaussian55 --at five.csv --gradient
check "a standard target" near "$(cut -d, -f1 out)" -1.8378770664093453 1e-12
printf '1.5,-0.5\n' >xy.csv
run 0 log-density --density '-(x^2-y)^2 - 0.5*y^2' --dim x,y --at xy.csv
check "an expression" near "$(cat out)" -7.6875 1e-12

check "05 runs" "$build/example_05_stan_target" >out
check "05 finds the mode" grep -q '^  slope  *1.9' out
finish
