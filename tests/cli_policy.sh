#!/bin/sh
# The examples with losses of their own: a policy that learns, made short, and variational inference.
. "$(dirname "$0")/shell.sh"
left_out "what the examples call is tested by t_api_policy and t_api_vi"

check "07 runs" "$build/example_07_policy" curves.csv policy.safetensors >out
check "07 says how long an action takes" test "$(grep -c 'one action [0-9.]* us' out)" = 2
check "07 writes learning curves" test "$(wc -l <curves.csv)" = 61
for policy in gaussian flow; do
  rise=$(awk -F, -v p=$policy '$1 == p && $3 <= 5 {a += $4 / 5}
    $1 == p && $3 > 25 {b += $4 / 5} END {print b - a}' curves.csv)
  check "the $policy policy's returns rise by $rise" awk "BEGIN {exit !($rise > 300)}"
done

for state in 1,c2=0,c3=0 0.7,c2=0.714,c3=0.1 -1,c2=0,c3=0.25; do
  run 0 plot policy.safetensors --context-value c1=$state --grid policy.csv --quiet
  check "the policy at c1=$state has all its mass within the actions" awk -F, 'NR > 2 {
    sum += ($1 - last) * $2; if (($1 < -1 || $1 > 1) && $2 > 0) bad = 1} {last = $1}
    END {exit bad || sum < 0.97 || sum > 1.03}' policy.csv
done
run 0 plot curves.csv -o curves.gp
check "its learning curves can be drawn" grep -q "title 'flow'" curves.gp

check "08 runs" "$build/example_08_variational" 3 >out
loss=$(sed -n 's/mixture: median loss \([0-9.]*\),.*/\1/p' out)
check "the mixture's loss is $loss" awk "BEGIN {exit !($loss > 446 && $loss < 461)}"
check "both modes are found" test "$(grep -c '[45][0-9]\.[0-9] % of the draws near' out)" = 6
loss=$(sed -n 's/affine: loss \([0-9.]*\),.*/\1/p' out)
check "the affine flow's loss is $loss" near "$loss" 363.25 1
check "both coordinates are there" grep -q 'near (5, 5), mean (\(4\.9\|5\.0\).*, \(4\.9\|5\.0\)' out
finish
