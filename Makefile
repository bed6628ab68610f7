# Short names for the CMake build: make, make check, make demo, make install [PREFIX=/usr/local].
JOBS := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
PREFIX ?= /usr/local

.PHONY: all tools demo check check-release check-asan check-tsan bench install clean

all: tools
	@cmake --preset release >/dev/null
	cmake --build --preset release -j$(JOBS)

# What a bare Debian lacks; without root or apt, what is missing is named and nothing is changed.
tools:
	@.ci/tools

check: check-release check-asan check-tsan

check-release: all
	ctest --preset release -j$(JOBS)

check-asan: tools
	@cmake --preset asan >/dev/null
	cmake --build --preset asan -j$(JOBS)
	ctest --preset asan -j$(JOBS)

check-tsan: tools
	@cmake --preset tsan >/dev/null
	cmake --build --preset tsan -j$(JOBS)
	ctest --preset tsan

# Real data: one household's electric power (data/README.md); takes about a minute.
demo: all
	build/release/sluice fit data/power.csv -o build/power.safetensors
	build/release/sluice sample build/power.safetensors -n 5 --with-log-prob

bench: all
	cmake --build --preset release --target bench -j$(JOBS)

install: all
	cmake --install build/release --prefix $(PREFIX)

clean:
	rm -rf build
