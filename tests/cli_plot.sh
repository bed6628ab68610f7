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
refused 'no column "z"' plot moons.csv --columns z -o a.png
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
refused 'no column is named' plot moons.csv --columns '' -o a.png
refused 'columns:1:3: a column is named twice' plot moons.csv --columns x,1 -o a.png
refused 'ends before its first' plot draws.csv --columns tau..mu -o a.png
refused 'there are none' plot --target pot1 --columns x -o a.png
refused 'is not of chosen columns' plot m.safetensors --kind loss --columns x -o a.png
refused 'sluice nuts' plot --target funnel -o a.png
refused 'one or two columns with --columns' plot draws.csv --grid a.csv
refused 'no row lies within --xrange 50:60; the data are from' plot moons.csv --xrange 50:60 -o a.png
refused 'no row lies within --xrange 50:;' plot m.safetensors --xrange 50: -o a.png
refused 'lies within --yrange 8:9' plot moons.csv --columns x --yrange 8:9 -o a.png
awk 'BEGIN {print "x"; for (i = 0; i < 50; i++) print (i % 2 ? "-" : "") "1.7e308"}' >huge.csv
refused 'in a larger unit' plot huge.csv -o a.png
# files that would be passed over
cp curves.csv curves8.csv
refused 'records of a run' plot curves.csv curves8.csv -o a.png
refused 'drawn by itself' plot m.safetensors curves.csv -o a.png
refused 'drawn by itself' plot track.csv moons.csv -o a.png
echo 'parameters {real x;} model {x ~ normal(0, 1);}' >p.stan
refused 'stands alone' plot draws.csv p.stan -o a.png
refused 'stands alone' plot p.stan p.stan -o a.png
refused 'stands alone' plot m.safetensors moons.csv p.stan -o a.png
# as many tables as there is room for, and more
awk 'BEGIN {srand(4); print "x,c"; for (i = 0; i < 200; i++) {c = rand(); print c + rand() "," c}}' >given.csv
"$sluice" fit given.csv --context c -o given.safetensors --steps 20 --quiet --flow scale-loc >out 2>&1 # may be bad
printf 'c\n0.5\n' >c.csv
cut -d, -f1 given.csv >x.csv
refused 'leave some out' plot given.safetensors x.csv x.csv x.csv x.csv x.csv x.csv x.csv \
  --context c.csv --data x.csv -o a.png
awk 'BEGIN {print "policy,seed,episode,return"
  for (p = 0; p < 13; p++) for (e = 1; e < 5; e++) print "p" p ",1," e "," e}' >policies.csv
refused '13 policies' plot policies.csv -o a.png
awk 'BEGIN {print "energy__,chain__,a"; for (i = 0; i < 30; i++) print i "," i % 2 "," i}' >few.csv
refused '15 draws of a chain' plot few.csv --kind rank -o a.png
check "a refusal leaves no file" test ! -e a.png

# ---- every kind is in the help, which is no wider than a terminal ----
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

# ---- columns by name, by number and by range ----
run 0 plot draws.csv --kind trace --columns 'mu, tau, theta[1]' -o named.gp
for list in 1..3 'mu..theta[1]' '1, 2 .. theta.1' 'mu,"tau",3'; do
  run 0 plot draws.csv --kind trace --columns "$list" -o listed.gp
  check "--columns $list" cmp -s named.gp listed.gp
done

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

# ---- a course shows every draw, a title the expression ----
awk 'BEGIN {srand(8); print "energy__,chain__,a"; for (i = 0; i < 4000; i++) print i "," i % 2 "," (i == 999 ? 77 : rand())}' >far.csv
run 0 plot far.csv --kind trace -o far.gp
check "the furthest" grep -Eq '^set yrange \[.*:79' far.gp
run 0 plot --density '-0.5*x^2' --dim x -o title.gp
check "the expression" grep -qF "label 1 '-0.5*x^2'" title.gp

# ---- what a figure has no room for is said ----
awk 'BEGIN {print "step,a,b,c,d,e,f,g,h"; for (i = 1; i < 9; i++) print i ",1,2,3,4,5,6," i "," i}' >eight.csv
"$sluice" plot eight.csv -o eight.gp 2>err
check "of a record" grep -q 'no room for the last 2' err
awk 'BEGIN {srand(6); print "energy__,chain__,a,b,c,d,e,f,g"; for (i = 0; i < 80; i++) {
  printf "%g,%d", rand(), i % 2; for (k = 0; k < 7; k++) printf ",%g", rand(); print ""}}' >seven.csv
"$sluice" plot seven.csv --kind trace --columns a,b,c,d,e,f,g -o seven.gp 2>err
check "of parameters" grep -q 'no room for the last 1' err
awk 'BEGIN {print "policy,seed,episode,return"
  for (p = 0; p < 8; p++) for (e = 1; e < 5; e++) print "p" p ",1," e "," e}' >policies.csv
run 0 plot policies.csv -o policies.gp
check "eight policies" test "$(grep -o "title 'p[0-7]'" policies.gp | sort -u | wc -l)" = 8
check "their key at the margin" grep -q '^set key at screen .* left top' policies.gp

# ---- keys: dots are named, and names that do not fit side by side stand in rows of their own ----
run 0 plot moons.csv -o dots.gp
check "dots are named" grep -q "title 'moons.csv, 300 rows'" dots.gp
awk 'BEGIN {srand(5); print "a,b"; for (i = 0; i < 1234; i++) print rand() "," rand()}' >many.csv
run 0 plot many.csv -o many.gp
check "not all are drawn" grep -q "title 'many.csv, 1000 of 1234 rows'" many.gp
# The panel's upper edge, the last that is set, is below the title and three rows.
run 0 plot moons.csv s.csv --columns x --width 350 --height 250 -o narrow.gp
check "a key of three rows" grep -q '^set key .* maxrows 3 ' narrow.gp
check "room for it" awk '/^set tmargin/ {top = 250 * (1 - $5)} END {exit !(top > 46 + 55)}' narrow.gp
run 0 plot moons.csv s.csv --columns x -o wide.gp
check "one row of a wide figure" grep -q '^set key .* maxrows 1 ' wide.gp
run 0 plot moons.csv s.csv --kind corner --width 400 --height 400 -o corner.gp
check "a corner too small for the key" grep -q '^set key at screen 0.5,.* maxrows 3 ' corner.gp
run 0 plot moons.csv s.csv --kind corner -o corner.gp
check "a corner that is large enough" grep -q '^set key top right' corner.gp
cp s.csv a_name_of_a_file_that_is_longer_than_the_figure_is_wide.csv
run 0 plot moons.csv a_name*.csv --columns x --width 300 --height 250 -o narrow.gp
check "a name is cut" grep -q "title 'a_name_of_a_file[a-z_]*\.\.'" narrow.gp
run 0 plot moons.csv --width 300 --height 250 -o narrow.gp
check "numbers beside the bands keep apart" test "$(grep -c "^set label '[0-9]*%'" narrow.gp)" -lt 6
check "all are there where they fit" test "$(grep -c "^set label '[0-9]*%'" dots.gp)" = 11

# ---- numbers whose first six digits are equal ----
awk 'BEGIN {srand(3); print "t"; for (i = 0; i < 500; i++) printf "%.3f\n", 1700000000 + 60 * rand() - 30}' >seconds.csv
run 0 plot seconds.csv -o seconds.gp
check "places differ" test "$(awk '/^\$b/ {on = 1; next} /^EOD/ {on = 0} on {print $1}' seconds.gp |
  sort -u | wc -l)" -gt 512
check "marks differ" grep -q "^set xtics .*'-20' 1699999980,'.*'+20' 1700000020" seconds.gp
check "from a round number" grep -q "'from 1700000000'" seconds.gp
run 0 plot moons.csv --columns x -o near.gp
check "others have gnuplot's marks" sh -c "grep -q '^set xtics .*autofreq' near.gp && ! grep -q 'from ' near.gp"

# ---- ranks of counts: what a model draws itself is level ----
awk 'BEGIN {srand(5); print "n,w,x"; for (i = 0; i < 1500; i++) {n = 0; p = exp(-2); u = rand(); s = p
  while (u > s && n < 20) {n++; p *= 2 / n; s += p}
  printf "%d,%.1f,%.6f\n", n, 0.3 * n + rand(), n + rand()}}' >counts.csv
"$sluice" fit counts.csv --columns 'n: count, w: positive width(0.1)' -o counts.safetensors --steps 80 --quiet \
  --flow 'coupling(affine,hidden=8)*2' >out 2>&1 # may be bad
run 0 sample counts.safetensors -n 4000 -o own.csv --seed 9
run 0 plot counts.safetensors --data own.csv --kind pit -o pit.gp
check "60 level bars" test "$(awk '/^\$b/ {on = 1; next} /^EOD/ {on = 0}
  on && NF == 2 && $2 > 0.7 && $2 < 1.3' pit.gp | wc -l)" = 60
awk -F, '{print (NR == 1 ? $2 : int($2 * 10 + 0.5) / 10) "," $1 "," $3}' own.csv >rounded.csv
sed -i.bak '1s/.*/w,n,x/' rounded.csv
run 0 plot counts.safetensors --data rounded.csv --kind pit -o pit.gp
check "the same of what is rounded" test "$(awk '/^\$b/ {on = 1; next} /^EOD/ {on = 0}
  on && NF == 2 && $2 > 0.7 && $2 < 1.3' pit.gp | wc -l)" -ge 59
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
for kind in corner trace rank density; do
  drawn "d_$kind.svg" draws.csv --kind $kind --columns 'mu, tau'
done
drawn d_energy.svg draws.csv --kind energy
drawn CAPITALS.PNG moons.csv
check "in capitals too" test "$(head -c 4 CAPITALS.PNG | tail -c 3)" = PNG
printf 'a\377\300\257b,c\303\244\n' >latin.csv
tail -n +2 moons.csv >>latin.csv
drawn latin.svg latin.csv
check "an SVG is UTF-8" sh -c 'iconv -f UTF-8 -t UTF-8 latin.svg >/dev/null'
check "what is UTF-8 stays" grep -q 'cä' latin.svg
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
