#!/bin/sh
# `sluice summary` and `sluice compare` on files as CmdStan writes them, on plain ones and wrong ones.
. "$(dirname "$0")/shell.sh"

# draws FILE SEED SHIFT DIVERGENT ROWS [FOLLOW]: independent uniform mu + SHIFT, and tau; with FOLLOW
# near 1 each draw of mu stays near the last.
draws() {
  awk -v seed="$2" -v shift="$3" -v divergent="$4" -v rows="$5" -v follow="${6:-0}" '
    BEGIN {
      srand(seed)
      print "# method = sample\n#     save_warmup = true\n#           max_depth = 5"
      printf "lp__,accept_stat__,stepsize__,treedepth__,n_leapfrog__,divergent__,energy__"
      print ",mu,theta.1,theta.2.1"
      print "-1,1,1,1,1,0,1,1000,1000,1000"
      print "# Adaptation terminated\n# Step size = 0.5"
      for (i = 0; i < rows; i++) {
        mu = follow * mu + rand() - 0.5
        printf "-1,0.9,0.5,%d,7,%d,%.6f,", i < 2 ? 5 : 3, i < divergent, rand()
        printf "%.6f,%.6f,%.6f\n", mu + shift, rand(), rand()
      }
      print "# \n#  Elapsed Time: 0.1 seconds (Warm-up)"
    }' >"$1"
}
for chain in 1 2 3 4; do
  draws "good_$chain.csv" $chain 0 0 500
  draws "far_$chain.csv" 1$chain 0.2 0 500
  draws "bad_$chain.csv" 2$chain 0.$chain 3 500
  draws "slow_$chain.csv" 3$chain 0 0 300 0.995
done

run 0 summary good_1.csv good_2.csv good_3.csv good_4.csv
check "a row for theta[2,1]" grep -q '^theta\[2,1\] ' out
check "trusted" grep -q '^Good: chains agree' out
check "warm-up is told" grep -q '4 draws of warm-up passed over' err
run 0 summary 'good_%d.csv' --json --quiet
json
check "command" test "$(value command)" = summary
check "chains" test "$(value chains)" = 4
check "draws" test "$(value draws)" = 500
check "hits" test "$(value treedepth_hits)" = 8
check "divergences" test "$(value divergences)" = 0
check "E-BFMI of each chain" test "$(value ebfmi)" = 4
check "parameters without the sampler's" test "$(value parameters)" = 3
check "trusted" test "$(value trusted)" = true
has verdict text
has 'parameters[0].name' text
for key in mean mcse_mean sd q5 q50 q95 ess_bulk ess_tail rhat; do
  has "parameters[0].$key" number
done
check "mean" near "$(value 'parameters[0].mean')" 0 0.03
check "sd" near "$(value 'parameters[0].sd')" 0.2887 0.01
check "q95" near "$(value 'parameters[0].q95')" 0.45 0.02
check "independent draws" near "$(value 'parameters[0].ess_bulk')" 2000 300

run 1 summary 'bad_%d.csv' --quiet
check "not trusted" grep -q '^Not to be trusted: 12 of 2000 draws diverged (0.60 %)' out
check "which disagree" grep -q 'R-hat up to .*, in mu' out
check "what to do" grep -q -- '--adapt-delta' out
run 1 summary 'slow_%d.csv' --quiet
check "too few" grep -q 'too few effective draws' out

# Threads change nothing.
run 0 summary 'good_%d.csv' --json --threads 1
sed 's/"seconds.*//' out >one
run 0 summary 'good_%d.csv' --json --threads 3
sed 's/"seconds.*//' out >three
check "the same on three threads" cmp -s one three

# One file for all chains; one cut by a kill; standard input; rows without names.
# Chains stand in the order of their numbers, whichever was written first.
awk 'BEGIN {print "energy__,chain__,a"; srand(1); e = 0
  for (i = 0; i < 400; i++) {e = (i >= 200) * 0.9 * e + rand(); print e "," 1 + (i >= 200) "," rand()}}' \
  >first.csv
{ head -1 first.csv; tail -200 first.csv; sed -n 2,201p first.csv; } >second.csv
"$sluice" summary first.csv | grep '^E-BFMI' >first
"$sluice" summary second.csv | grep '^E-BFMI' >second
check "E-BFMI of two chains" test "$(wc -w <first)" = 3
check "the order of chains in a file does not matter" cmp -s first second
awk 'BEGIN {print "lp__,chain__,a"; srand(1); for (i = 0; i < 800; i++) print 0 "," i % 4 "," rand()}' >one.csv
run 0 summary one.csv --json
json
check "four chains" test "$(value chains)" = 4
head -c 5000 one.csv >cut.csv
run 1 summary cut.csv
check "the cut is told" grep -q 'ends in the middle of a row' err
"$sluice" summary - <one.csv >out 2>err
check "standard input" grep -q '^4 chains of 200 draws' out
awk 'BEGIN {srand(1); for (i = 0; i < 400; i++) print rand() "," rand()}' >plain.csv
run 0 summary plain.csv --chains 2
check "two chains" grep -q '^2 chains of 200 draws' out
refused 'cut into 7 chains' summary plain.csv --chains 7
awk 'BEGIN {srand(1); for (j = 1; j <= 40; j++) printf "x%d%s", j, j < 40 ? "," : "\n"
  for (i = 0; i < 50; i++) for (j = 1; j <= 40; j++) printf "%f%s", rand(), j < 40 ? "," : "\n"}' >wide.csv
run 1 summary wide.csv
check "a long table is cut" test "$(grep -c '^x' out)" = 30
run 1 summary wide.csv --all
check "unless asked" test "$(grep -c '^x' out)" = 40

run 0 compare 'good_%d.csv' 'good_%d.csv' --quiet
check "nothing differs" grep -q '^No difference found' out
run 0 compare 'good_%d.csv' 'far_%d.csv' --json
json
check "command" test "$(value command)" = compare
for key in mean_difference_in_mcse mean_difference_in_sd sd_ratio wasserstein_in_sd; do
  has "parameters[2].$key" number
done
has energy_distance number
has p_value number
has verdict text
check "a fifth of 0.2887" near "$(value 'parameters[0].mean_difference_in_sd')" -0.693 0.08
check "as far by Wasserstein" near "$(value 'parameters[0].wasserstein_in_sd')" 0.693 0.08
check "the others are near" near "$(value 'parameters[1].wasserstein_in_sd')" 0 0.1
check "seen together" near "$(value p_value)" 0.005 1e-12
check "on all rows that there may be" test "$(value rows_a)" -gt 1500
check "not the same" test "$(value same)" = false

# Scales whose squares are no numbers any more; constants.
for unit in e160 e-300; do
  awk -v unit=$unit 'BEGIN {
    srand(1)
    print "a" >"low.csv"
    print "a" >"high.csv"
    for (i = 0; i < 800; i++) {
      printf "%.6f%s\n", rand(), unit >"low.csv"
      printf "%.6f%s\n", 3 + rand(), unit >"high.csv"
    }
  }'
  run 0 compare low.csv high.csv --json
  json
  check "$unit: apart" test "$(value same)" = false
  check "$unit: by 3 of 0.2887" near "$(value 'parameters[0].mean_difference_in_sd')" -10.4 0.6
  check "$unit: Wasserstein" near "$(value 'parameters[0].wasserstein_in_sd')" 10.4 0.6
  run 0 compare low.csv low.csv
  check "$unit: no difference from itself" grep -q '^No difference found' out
  run 0 summary low.csv
  check "$unit: sd" awk -v unit=$unit '$1 == "a" {f = $4 + 0 > 0.28 * (1 unit) && $4 + 0 < 0.3 * (1 unit)}
    END {exit !f}' out
done
yes 1 | head -100 >ones.csv
yes 2 | head -100 >twos.csv
run 0 compare ones.csv ones.csv
check "equal constants" grep -q '^No difference found' out
run 0 compare ones.csv twos.csv
check "other constants" grep -q '^Different: 1 of 1 parameters' out
awk 'BEGIN {for (i = 0; i < 101; i++) print i == 0 ? "r" : i % 3 ? 1 : "1.0000000000000002"}' >rounded.csv
awk 'BEGIN {for (i = 0; i < 101; i++) print i == 0 ? "r" : i % 7 ? 1 : "0.9999999999999998"}' >also.csv
run 0 compare rounded.csv also.csv
check "constants but for rounding" grep -q '^No difference found' out
awk 'BEGIN {for (i = 0; i < 101; i++) print i == 0 ? "r" : i % 7 ? 1 : "0.9999999999"}' >moves.csv
run 0 compare rounded.csv moves.csv
check "what moves by more" grep -q '^Different: 1 of 1 parameters' out

run 0 data moons -n 400 -o moons.csv
run 0 fit moons.csv -o m.safetensors --steps 50 --quiet
run 0 compare moons.csv m.safetensors --json --quiet
json
check "columns of the model" test "$(value 'parameters[1].name')" = y

check "what p would count" grep -q 'p = .* (below 0.01 would count)' out

# Chains and rows numbered as R and ArviZ do it.
awk 'BEGIN {
  srand(2)
  print "\"\",\".chain\",\".iteration\",\".draw\",\"a\"" >"r.csv"
  print ",chain,draw,a" >"arviz.csv"
  print ",lp__,a,.chain,.iteration,.draw" >"readr.csv"
  for (i = 0; i < 800; i++) {
    c = int(i / 200)
    printf "\"%d\",%d,%d,%d,%.6f\n", i + 1, c + 1, i % 200 + 1, i + 1, rand() >"r.csv"
    printf "%d,%d,%d,%.6f\n", i, c, i % 200, rand() >"arviz.csv"
    printf "%d,%.6f,%.6f,%d,%d,%d\n", i + 1, rand(), rand(), c + 1, i % 200 + 1, i + 1 >"readr.csv"
  }
}'
for file in r arviz readr; do
  run 0 summary $file.csv --json
  json
  check "$file: four chains" test "$(value chains)" = 4
  check "$file: one parameter" test "$(value parameters)" = 1
  check "$file: a" test "$(value 'parameters[0].name')" = a
done
# Words that are quantities without a chain beside them, or numbers of no chains.
awk 'BEGIN {
  srand(3)
  print "draw,iteration" >"words.csv"
  print "chain,draw" >"shares.csv"
  for (i = 0; i < 800; i++) print rand() "," rand() >"words.csv"
  for (i = 0; i < 800; i++) print rand() "," rand() >"shares.csv"
}'
for file in words shares; do
  run 0 summary $file.csv --json
  json
  check "$file: two parameters" test "$(value parameters)" = 2
done
# One chain that wanders off.
awk 'BEGIN {srand(1); print "lp__,a"; for (i = 0; i < 800; i++) print "0," i / 100 + rand()}' >drift.csv
run 1 summary drift.csv
check "halves of one chain" grep -q 'the halves of the one chain disagree on 1 of 1' out
check "which are in no places" test "$(grep -c 'different places' out)" = 0

echo '{"n": 1}' >data.json
echo 'parameters { real a; } model { a ~ normal(0, 1); }' >model.stan
refused 'data.json is data, no draws; `sluice nuts`' compare drift.csv data.json
refused 'model.stan is a Stan program, no draws; `sluice nuts`' compare drift.csv model.stan
refused 'model.stan is a Stan program' summary good_1.csv model.stan
{ printf "\223NUMPY\001\000v\000"
  printf "%-117s\n" "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 10, 2), }"
  head -c 640 /dev/zero; } >cube.npy
refused 'chain after chain, and give --chains 4' summary cube.npy

refused 'no such file' summary 'none_%d.csv'
refused 'missing.csv' summary missing.csv
refused 'a fitted flow, not draws' summary m.safetensors
refused 'give files of one run' summary good_1.csv one.csv
refused 'no parameter has a name' compare plain.csv one.csv
printf 'a,a\n1,2\n2,3\n3,1\n4,2\n' >twice.csv
refused 'twice.csv' compare twice.csv twice.csv
printf 'lp__,a\n-1,2\n-1,x\n' >word.csv
refused "word.csv:3:4: 'x' is not a number" summary word.csv
printf '# only\n# comments\n' >comments.csv
refused 'comments.csv' summary comments.csv
printf 'lp__,energy__\n1,2\n' >none.csv
refused 'no parameters' summary none.csv
finish
