#!/bin/sh
# `sluice plot`: what it refuses, the scripts it writes (which need no gnuplot), and, where gnuplot is
# there, that every kind of figure comes out as the picture that its file's name says.
. "$(dirname "$0")/shell.sh"

run 0 data moons -n 300 -o moons.csv
run 0 fit moons.csv -o m.safetensors --steps 60 --quiet --flow 'coupling(affine,hidden=8)*2'
run 0 sample m.safetensors -n 200 -o s.csv
awk 'BEGIN {srand(2); print "lp__,energy__,chain__,mu,tau,theta.1"
  for (i = 0; i < 400; i++) print 0 "," rand() "," i % 4 "," rand() "," rand() * rand() "," rand()}' >draws.csv
awk 'BEGIN {print "step,loss,w,gradient:w"; for (i = 1; i < 50; i++) print i "," 1 / i "," i "," 2 / i}' >track.csv
awk 'BEGIN {print "policy,seed,episode,return"
  for (s = 1; s < 4; s++) for (e = 1; e < 30; e++) {
    print "gaussian," s "," e "," (-e * s); print "it'\''s a flow," s "," e "," (e * s)}}' >curves.csv
awk 'NR == 1 {print "x"; next} {print $1 + 0}' FS=, moons.csv >one.csv
run 0 fit one.csv -o one.safetensors --steps 60 --quiet --flow 'elementwise(rqs)'

# ---- requests that are wrong ----
refused 'nothing to draw' plot -o a.png
refused 'a figure is .png' plot moons.csv -o a.jpg
refused 'did you mean density' plot moons.csv --kind densty -o a.png
refused 'there are density, corner' plot moons.csv --kind zzzzzz -o a.png
refused '--kind loss needs a fitted model' plot moons.csv --kind loss -o a.png
refused '--kind panels needs rows beside' plot m.safetensors --kind panels -o a.png
refused '--kind layers needs a model of two columns' plot one.safetensors --kind layers -o a.png
refused '--kind trace needs draws' plot m.safetensors --kind trace -o a.png
refused '--kind weights needs the target' plot m.safetensors --kind weights -o a.png
refused 'has no column "z"' plot moons.csv --columns z -o a.png
refused 'no column "x"' plot moons.csv draws.csv -o a.png
refused 'choose one' plot moons.csv --show -o a.png
refused 'writes numbers instead' plot moons.csv --grid g.csv -o a.png
refused 'standard output' plot moons.csv --json
refused 'No such file' plot none.csv -o a.png
refused 'no column "policy"' plot track.csv --kind curves -o a.png
refused 'by itself' plot moons.csv --target pot1 -o a.png
for range in 1 2:1 1:1 a:2 0:nan; do
  refused "$range is no range" plot moons.csv --xrange $range -o a.png
done
refused 'has several panels' plot moons.csv --kind corner --yrange 0:1 -o a.png
refused 'did you mean "tau"' plot draws.csv --columns tauu -o a.png
check "a refusal leaves no file" test ! -e a.png

# ---- every kind is in the help ----
"$sluice" plot moons.csv --kind zzzzzz -o a.png 2>err
for kind in $(sed 's/.*there are //; s/,//g' err); do
  check "help has $kind" sh -c "'$sluice' help plot | grep -q '^  *$kind '"
done

# ---- numbers: the grid of a flow is its density ----
run 0 plot m.safetensors --grid grid.csv
check "a header" test "$(head -1 grid.csv)" = x,y,density
awk -F, 'NR % 997 == 2 {print $1 "," $2}' grid.csv >points.csv
awk -F, 'NR % 997 == 2 {print $3}' grid.csv >density
run 0 score m.safetensors points.csv --quiet
check "points enough" test "$(wc -l <density)" -gt 20
check "the same as score" sh -c "paste out density | awk '{d = exp(\$1) - \$2; if (d < 0) d = -d
  if (d > 1e-5 * (1e-3 + \$2)) bad++} END {exit bad > 0}'"
run 0 plot --target pot1 --grid pot.csv
check "a target's grid is 25,600 points" test "$(wc -l <pot.csv)" = 25601
run 0 plot moons.csv --columns y --grid line.csv
check "mass of a smoothed line" near "$(awk -F, 'NR == 2 {a = $1} NR > 1 {s += $2; b = $1}
  END {print s * (b - a) / 511}' line.csv)" 1 0.02

# ---- a part of an axis; the grid has its ends ----
run 0 plot m.safetensors --xrange=-1:0.5 --yrange :1 --grid part.csv
check "from the end asked for" test "$(sed -n 2p part.csv | cut -d, -f1)" = -1
check "to the end asked for" near "$(tail -1 part.csv | cut -d, -f2)" 1 1e-6
run 0 plot moons.csv --columns x --yrange 0:7 -o part.gp
check "heights" grep -q '^set yrange \[0:7\]' part.gp

# ---- nothing is drawn beyond the end of a support ----
run 0 plot draws.csv --columns mu --grid mu.csv
check "the grid of what is positive begins at 0" test "$(sed -n 2p mu.csv | cut -d, -f1)" = 0
check "and a share ends at 1" test "$(tail -1 mu.csv | cut -d, -f1)" = 1

# ---- columns of words ----
awk '{print (NR == 1 ? "kind" : NR % 2 ? "a" : "b") "," $0}' moons.csv >words.csv
"$sluice" plot words.csv -o words.gp 2>err
check "words are left out" test $? = 0
check "which is said" grep -q 'column "kind" holds words' err
check "and the rest is drawn" grep -q "set xlabel 'x'" words.gp
run 0 plot words.csv --columns 'x,y' -o words.gp --quiet

# ---- scripts: hostile names are no commands ----
printf "\"'; system('touch pwned1') #\",\`touch pwned2\`\n" >evil.csv
tail -n +2 moons.csv >>evil.csv
run 0 plot evil.csv -o evil.gp
check "no word ends its string" grep -q "^set xlabel '[^']*; system([^']*touch pwned1[^']*) #'\$" evil.gp
check "a script" grep -q '^plot ' evil.gp
run 0 plot moons.csv --title "a
quit" -o line.gp
check "no word ends its line" grep -q "'a quit'" line.gp
run 0 plot m.safetensors --seed 3 --threads 1 -o one.gp
run 0 plot m.safetensors --seed 3 --threads 3 -o three.gp
check "the same on three threads" cmp -s one.gp three.gp

# ---- without gnuplot ----
mkdir empty
PATH=$work/empty "$sluice" plot moons.csv -o a.png 2>err
check "exit 2 without gnuplot" test $? = 2
check "how to get it" /bin/grep -q 'apt install gnuplot-nox' err
check "and no file" test ! -e a.png

if ! command -v gnuplot >/dev/null 2>&1; then
  echo "skipped: no gnuplot, so no figure is drawn"
  finish
fi

# drawn NAME ARGUMENTS...: draws into NAME, whose first bytes must be its format's.
drawn() {
  name=$1
  shift
  run 0 plot "$@" -o "$name" --quiet
  check "$*: nothing said" test ! -s err
  case $name in
    *.png) check "$name is a PNG" test "$(head -c 4 "$name" | tail -c 3)" = PNG ;;
    *.svg) check "$name is an SVG" grep -q '<svg' "$name" ;;
    *.pdf) check "$name is a PDF" test "$(head -c 4 "$name")" = %PDF ;;
  esac
}
for format in png svg pdf; do drawn "density.$format" m.safetensors --data moons.csv; done
check "the width asked for" sh -c "'$sluice' plot moons.csv --width 500 --height 400 -o w.svg &&
  grep -q 'width=\"500\" height=\"400\"' w.svg"
for kind in loss panels warp layers pit corner; do
  drawn "$kind.png" m.safetensors --data moons.csv --kind $kind
done
for kind in corner trace rank energy density; do
  drawn "d_$kind.svg" draws.csv --kind $kind --columns 'mu, tau'
done
drawn two.svg draws.csv draws.csv
check "a key with both" test "$(grep -c 'draws.csv' two.svg)" -ge 2
drawn mixed.png moons.csv m.safetensors
drawn line.png one.safetensors --data one.csv
drawn track.png track.csv
drawn curves.svg curves.csv
check "words in the key" grep -q "it.*s a flow" curves.svg
drawn target.png --target pot1
drawn expression.png --density '-0.5*x^2' --dim x
run 0 vi --mode plain --target pot1 --flow 'scale-loc' --steps 20 -o q.safetensors --quiet
drawn weights.png q.safetensors --kind weights
drawn evil.svg evil.csv
check "no command was run" test ! -e pwned1 -a ! -e pwned2
run 0 plot moons.csv --show --quiet
check "in the terminal" test "$(wc -l <out)" -ge 20
run 0 plot moons.csv -o j.png --json
json
check "kind" test "$(value kind)" = density
check "command" test "$(value command)" = plot
finish
