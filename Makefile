# make          builds build/theater, with all that it needs
# make demo     the main job on real input: a ledger, 100,000 transfers, verified and run again
# make test     the whole test suite, in a release and in a sanitizer build
.PHONY: all setup configure build demo test sim crash fuzz soak bench nightly coverage install clean

JOBS ?= $(shell nproc)
# Neither ninja nor cargo is a make: what `make -j` tells its children only makes cargo warn.
unexport MAKEFLAGS MFLAGS

all: build

setup:
	@tools/setup

configure: setup
	@test -f build/build.ninja || cmake --preset release

build: configure
	@cmake --build build -j $(JOBS)

# Without the tests, which a first look does not need.
demo: configure
	@cmake --build build -j $(JOBS) --target theater actor_ledger
	@tools/demo

test:
	@tools/setup --tests
	@tools/run-tests

# One seed of the simulation, or COUNT seeds from SEED on.
SEED ?= 0
COUNT ?= 1
sim: build
	@build/tests/simulation/test_simulation $(COUNT) $(SEED)

# Kills COUNT processes under load.
crash: build
	@tests/crash/run build $(COUNT)

# Fuzzes each target for SECONDS (or those named in TARGETS). Needs clang.
SECONDS ?= 60
fuzz: setup
	@tests/fuzz/run build/fuzz $(SECONDS) $(TARGETS)

# A server under steady load for an hour, or DURATION seconds.
DURATION ?= 3600
soak: build
	@THEATER_PROGRAM=build/theater THEATER_ACTORS=build/actors python3 -B tests/soak/soak.py $(DURATION)

bench: build
	@tools/setup --bench
	@bench/run

# What takes longer than a test run may: hours.
nightly: build
	@cmake --preset sanitize
	@cmake --build build/sanitize -j $(JOBS) --target test_faults_runtime test_bitrot
	@THEATER_FAULTS_EVERY=1 build/sanitize/tests/faults/test_faults_runtime
	@THEATER_BITROT_BITS=8 build/sanitize/tests/bitrot/test_bitrot
	@build/tests/simulation/test_simulation 1000000 100000
	@tests/crash/run build 2000
	@tests/determinism/nightly build 50
	@tests/fuzz/run build/fuzz 600
	@$(MAKE) soak

coverage: setup
	@cmake --preset coverage
	@cmake --build build/coverage -j $(JOBS)
	@ctest --test-dir build/coverage --output-on-failure -j $(JOBS)
	@tools/coverage

install: build
	@cmake --install build

clean:
	rm -rf build
