# Thin: CMakePresets.json knows how things are built. Installs nothing on its own.
PREFIX ?= /usr/local
# For each target of `make fuzz`.
FUZZ_SECONDS ?= 30
JOBS ?= $(shell nproc)

.PHONY: all configure lint format test fuzz install clean

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

# DESTDIR is taken from the environment by cmake.
install: all
	@DESTDIR='$(DESTDIR)' cmake --install build

clean:
	@rm -rf build
