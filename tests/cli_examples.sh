#!/bin/sh
# The examples run and do what they say, made short.
. "$(dirname "$0")/shell.sh"

"$sluice" data moons -n 300 -o d.csv
check "01 on a file" "$build/example_01_density" d.csv m.safetensors 50 >out
check "01 scores rows" grep -q 'log p(row 5)' out
run 0 score m.safetensors d.csv
check "the command reads the example's model" test "$(wc -l <out)" = 300
"$build/example_01_density" d.csv m.safetensors 50 | grep 'row 2' | sed 's/.*= //' >example
run 0 score m.safetensors d.csv
check "both score the same" near "$(cat example)" "$(sed -n 2p out)" 1e-4

check "02 runs" "$build/example_02_two_moons" --steps 20 --folder . >out
for name in z_of_x z x x_of_z; do check "$name.csv" test "$(wc -l <$name.csv)" = 1001; done
check "density.csv" test "$(wc -l <density.csv)" = 10001
integral=$(sed -n 's/.*grid: //p' out)
check "the density integrates to one, not $integral" near "$integral" 1 0.05
check "03 gives the same bits" "$build/example_03_threads"
finish
