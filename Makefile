# Short names for the CMake build: make, make check, make demo, make install [PREFIX=/usr/local].
JOBS := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PREFIX ?= /usr/local

# Both only save time. A folder that was configured before keeps the generator that it has; what is
# compiled in one clone serves another.
ifneq ($(shell command -v ninja),)
export CMAKE_GENERATOR ?= Ninja
endif
ifneq ($(shell command -v ccache),)
export CMAKE_C_COMPILER_LAUNCHER ?= ccache
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
endif

.PHONY: all tools check-tools demo catalogue reference check check-begin check-release check-asan check-clang check-tsan check-aarch64 bench install uninstall deb check-deb clean

# What is used and installed; `make check` builds the tests and examples.
all: tools
	@cmake --preset release >/dev/null
	cmake --build --preset release --target sluice sluice_shared manual -j$(JOBS)

# What a bare Debian lacks; without root or apt, what is missing is named and nothing is changed.
tools:
	@.ci/tools

# What a change must pass; at the end, the seconds of each stage. Warnings are errors here, with both
# compilers; a user's newer compiler may warn of what it likes.
check: check-begin check-release check-asan check-clang check-tsan check-aarch64
	@.ci/stage --report

check-begin:
	@rm -f build/stages

check-release: check-tools
	.ci/stage gcc

# With gcc: clang compiles the checks of the kernels ten times as long.
check-asan: check-tools
	.ci/stage asan

# All is compiled; of the tests only those of numbers run again (cmake/suites.cmake).
check-clang: check-tools
	@command -v clang >/dev/null || { echo "skipped: no clang"; exit 0; }; .ci/stage clang

check-tsan: check-tools
	.ci/stage tsan

# Only built: there is nothing to run it on.
check-aarch64: check-tools
	@command -v aarch64-linux-gnu-gcc >/dev/null || { echo "skipped: no aarch64-linux-gnu-gcc"; exit 0; }; \
	.ci/stage aarch64 build

# Beyond what a build needs: the second compiler, a cross compiler, a locale with a decimal comma.
check-tools:
	@.ci/tools check

# Real data: one household's electric power (data/README.md); takes about a minute.
demo: all
	build/release/sluice fit data/power.csv -o build/power.safetensors
	build/release/sluice sample build/power.safetensors -n 5 --with-log-prob

bench: all
	cmake --build --preset release --target bench -j$(JOBS)

# The catalogue of flows, with a fit of each: about ten minutes.
catalogue: all
	cmake --build --preset release --target bench_catalogue bench_round_trips -j$(JOBS)
	build/release/bench_catalogue > build/flows.md
	build/release/bench_round_trips >> build/flows.md
	mv build/flows.md docs/flows.md

# docs/reference/, from the command and the header.
reference: all
	sh docs/reference.sh build/release/sluice include/sluice/sluice.h docs/reference

# The figures and numbers of the three documents that sluice grew from, made again: one page each,
# $(DIR)/NAME/index.html, in a few minutes each. Needs gnuplot.
DIR ?= build/reproduce
.PHONY: reproduce reproduce-pyro reproduce-pymc reproduce-realnvp
reproduce: reproduce-pyro reproduce-pymc reproduce-realnvp
reproduce-pyro reproduce-pymc reproduce-realnvp: all
	@cmake --build --preset release --target example_07_policy -j$(JOBS)
	sh reproduce/$(@:reproduce-%=%).sh build/release $(DIR)/$(@:reproduce-%=%)

# The linker's cache is renewed where one can, so that programs find the shared library at once.
install: all
	cmake --install build/release --prefix $(PREFIX)
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

uninstall:
	cmake --build --preset release --target uninstall

# build/sluice_VERSION_ARCHITECTURE.deb
deb: all
	cd build && cpack --config release/CPackConfig.cmake -B .

# Into a clean root and out of it again; as root, with debootstrap and the network.
check-deb: deb
	sh tests/deb.sh build/sluice_*.deb

clean:
	rm -rf build
