# Thin: CMakePresets.json knows how things are built. Installs nothing on its own.
PREFIX ?= /usr/local
# For `make bench`: see bench/run --help.
BENCH ?=
# For each target of `make fuzz`.
FUZZ_SECONDS ?= 30
JOBS ?= $(shell nproc)

.PHONY: all configure client lint format test fuzz bench install install-client package-client clean

all: configure
	@cmake --build --preset release --parallel $(JOBS)

configure:
	@script/install-dependencies --check build || { echo 'run script/install-dependencies' >&2; exit 1; }
	@mkdir -p build
	@cmake --preset release --log-level=WARNING -DCMAKE_INSTALL_PREFIX='$(PREFIX)' >build/configure.log

lint:
	@tools/lint --jobs $(JOBS)

format:
	@clang-format -i $$(tools/list_sources)

test:
	@script/test

fuzz:
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' tools/fuzz

bench: all
	@script/install-dependencies --check build bench || { echo 'run script/install-dependencies build bench' >&2; exit 1; }
	@cmake --build --preset release --parallel $(JOBS) --target bench
	@bench/run $(BENCH)

# DESTDIR is taken from the environment by cmake.
install: all
	@DESTDIR='$(DESTDIR)' cmake --install build

# The client alone needs neither the server's libraries nor gcc.
client:
	@script/install-dependencies --check client || { echo 'run script/install-dependencies client' >&2; exit 1; }
	@mkdir -p build
	@cmake --preset client --log-level=WARNING -DCMAKE_INSTALL_PREFIX='$(PREFIX)' >build/configure.log
	@cmake --build --preset client --parallel $(JOBS)

install-client: client
	@DESTDIR='$(DESTDIR)' cmake --install build/client

# A Debian package of it, build/pierone-client_VERSION_ARCHITECTURE.deb.
package-client: client
	@cd build/client && cpack -G DEB -B .. >../package.log || { cat ../package.log >&2; exit 1; }
	@ls build/pierone-client_*.deb

clean:
	@rm -rf build
