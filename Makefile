# Makefile - builds, installs, checks and runs airbuild. `make help` lists the targets.
# SPDX-License-Identifier: Apache-2.0

VERSION := 0.1.0
# VARIANT: release (default), debug, san (ASan + UBSan), cov (gcov), fuzz (libFuzzer). Each but release has its own
# folder below build/.
VARIANT ?= release
CC ?= cc
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions

ifeq ($(VARIANT),release)
OUT := build
else
OUT := build/$(VARIANT)
endif

# ---- flags ----------------------------------------------------------------------------------------------------------

PACKAGES := libguestfs libvirt libvirt-qemu libxml-2.0 yaml-0.1 jansson libarchive libcurl libcrypto hiredis libzstd

WARNINGS := -Wall -Wextra -Wpedantic -Werror -Wshadow -Wvla -Wformat=2 -Wconversion -Wsign-conversion \
	-Wswitch-enum -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef \
	-Wpointer-arith -Wwrite-strings -Wcast-align
# Who gives a level of his own, as makepkg and dpkg-buildflags do, has it: two would be a warning.
FORTIFY := $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-D_FORTIFY_SOURCE=2)
OPTIMIZE_release := -O2 -g $(FORTIFY)
OPTIMIZE_debug := -O0 -g3
OPTIMIZE_san := -O1 -g3 -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all
OPTIMIZE_cov := -O0 -g --coverage
OPTIMIZE_fuzz := -O1 -g3 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPTIMIZE := $(OPTIMIZE_$(VARIANT))
# Libraries' headers are -isystem: some of them do not stand our warnings.
LIB_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)) \
	-isystem /usr/include/libxml2
LIB_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm
# The distributions, a file each; see bake/distro.h.
DISTROS := debian $(filter-out debian,$(patsubst builder/bake/distro_%.c,%,$(sort $(wildcard builder/bake/distro_*.c))))
AB_CPPFLAGS := -D_GNU_SOURCE -DAIRBUILD_VERSION='"$(VERSION)"' \
	-DAIRBUILD_DISTROS='$(patsubst %,DISTRO(%),$(DISTROS))' -I builder $(CPPFLAGS)
AB_CFLAGS := -std=gnu17 $(WARNINGS) $(OPTIMIZE) -fstack-protector-strong -fPIE -pthread $(CFLAGS)
AB_LDFLAGS := $(filter -fsanitize=% --coverage,$(OPTIMIZE)) -pie -pthread -Wl,-z,relro,-z,now,--as-needed $(LDFLAGS)
COMPILE = $(CC) $(AB_CPPFLAGS) $(AB_CFLAGS) $(LIB_CFLAGS)

# ---- what there is --------------------------------------------------------------------------------------------------

LIB_SOURCES := $(filter-out builder/main.c,$(wildcard builder/*.c builder/*/*.c))
LIB_OBJECTS := $(LIB_SOURCES:builder/%.c=$(OUT)/obj/%.o) $(OUT)/obj/assets.o
ASSETS := $(shell find images cloud-init -type f | LC_ALL=C sort) builder/drill/page.html builder/cli/profile.html
UNIT_SOURCES := $(wildcard tests/unit/test_*.c)
UNIT_TESTS := $(UNIT_SOURCES:tests/unit/%.c=$(OUT)/tests/%)
TEST_TOOL_SOURCES := $(wildcard tests/tools/*.c)
TEST_TOOLS := $(TEST_TOOL_SOURCES:tests/tools/%.c=$(OUT)/tests/%)
TEST_SHIMS := $(OUT)/tests/clock.so $(OUT)/tests/fault.so
FUZZ_SOURCES := $(wildcard tests/fuzz/fuzz_*.c)
FUZZERS := $(FUZZ_SOURCES:tests/fuzz/%.c=$(OUT)/tests/%)
FUZZ_SECONDS ?= 60

.PHONY: all
all: $(OUT)/airbuild ## build the program, build/airbuild

.PHONY: tests
tests: $(UNIT_TESTS) $(TEST_TOOLS) $(TEST_SHIMS) ## build the unit tests and the tools of tests

# ---- rules ----------------------------------------------------------------------------------------------------------

.PHONY: FORCE
FORCE:

# What is done, a short line each; V=1 shows the commands themselves, make -s nothing.
SILENT := $(findstring s,$(firstword -$(MAKEFLAGS)))
say = $(if $(V),,@$(if $(SILENT),,echo '  $(1) $@' && ))

# A file that holds the given text, touched only when the text is another than last time.
define remember
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(1))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(1))' > $@
endef

$(OUT)/flags: FORCE
	$(call remember,$(COMPILE) $(AB_LDFLAGS) $(LIB_LIBS))

$(OUT)/members: FORCE
	$(call remember,$(LIB_OBJECTS))

$(OUT)/assets: FORCE
	$(call remember,$(ASSETS))

$(OUT)/airbuild: $(OUT)/obj/main.o $(OUT)/libairbuild.a
	$(call say,LD)$(CC) $(AB_LDFLAGS) -o $@ $^ $(LIB_LIBS)

$(OUT)/libairbuild.a: $(LIB_OBJECTS) $(OUT)/members
	@rm -f $@
	$(call say,AR)ar rcs $@ $(LIB_OBJECTS)

$(OUT)/obj/%.o: builder/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -MMD -MP -c -o $@ $<

# What the program carries: every file of images/ and cloud-init/ and the pages, found again by base/asset.c.
$(OUT)/assets.S: scripts/assets $(OUT)/assets
	$(call say,AS)scripts/assets $(ASSETS) > $@.tmp && mv $@.tmp $@

$(OUT)/obj/assets.o: $(OUT)/assets.S $(ASSETS)
	@mkdir -p $(@D)
	$(call say,AS)$(CC) -c -o $@ $<

$(OUT)/tests/%: tests/unit/%.c $(OUT)/libairbuild.a $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -I tests -MMD -MP -MF $@.d $(AB_LDFLAGS) -o $@ $< $(OUT)/libairbuild.a $(LIB_LIBS) -lcmocka

$(OUT)/tests/%: tests/tools/%.c $(OUT)/libairbuild.a $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -I tests -MMD -MP -MF $@.d $(AB_LDFLAGS) -o $@ $< $(OUT)/libairbuild.a $(LIB_LIBS)

$(OUT)/tests/%: tests/fuzz/%.c $(OUT)/libairbuild.a $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -I tests -MMD -MP -MF $@.d $(AB_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(OUT)/libairbuild.a $(LIB_LIBS)

# Preloaded into the processes of a test.
$(OUT)/tests/%.so: tests/shim/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(AB_CPPFLAGS) -std=gnu17 $(WARNINGS) -O2 -fPIC -shared -o $@ $<

# No sanitizers, which must be loaded first, and no FORTIFY, which defines the replaced functions itself.
$(OUT)/tests/fault.so: $(wildcard tests/shim/fault*.[ch]) $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,SO)$(CC) -D_GNU_SOURCE -std=gnu17 $(WARNINGS) -O1 -g -fPIC -shared $(LIB_CFLAGS) -o $@ $(filter %.c,$^)

# The npm clients that tests try: what package-lock.json pins, checked by digest, without their install scripts.
CLIENTS := build/clients/node_modules/.package-lock.json
$(CLIENTS): tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p $(@D) && cp $^ build/clients
	$(call say,NPM)npm ci --prefix build/clients --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

.PHONY: clients
clients: $(CLIENTS) ## bring the npm clients that tests try, to build/clients/

-include $(wildcard $(OUT)/obj/*.d $(OUT)/obj/*/*.d $(OUT)/tests/*.d)

# ---- variants -------------------------------------------------------------------------------------------------------

.PHONY: debug san clang cov fuzz
debug: ## build/debug/airbuild: no optimization
	$(MAKE) VARIANT=debug all

san: ## build/san/: program and unit tests with ASan and UBSan
	$(MAKE) VARIANT=san all tests

clang: ## build/clang/: program and unit tests by clang, with its warnings
	$(MAKE) CC=clang OUT=build/clang all tests

cov: ## line coverage of the unit tests, a file a line
	$(MAKE) VARIANT=cov tests
	find build/cov -name '*.gcda' -delete
	tests/run --results build/cov/results -t 300 --as cov $(UNIT_SOURCES:tests/unit/%.c=build/cov/tests/%)
	find build/cov/obj -name '*.gcda' -exec gcov -n {} + 2>/dev/null | awk -F "'" \
		'/^File/ { file = $$2 } /^Lines executed/ && file ~ /^builder/ { sub(/Lines executed:/, ""); print file ": " $$0; file = "" }'

fuzz: ## run each fuzzer for FUZZ_SECONDS (60); findings stay in build/fuzz/
	$(MAKE) VARIANT=fuzz CC=clang fuzzers
	cd build/fuzz && for fuzzer in tests/fuzz_*; do \
		case $$fuzzer in *.d) continue ;; esac; \
		mkdir -p corpus && $$fuzzer -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=65536 corpus \
			../../tests/errors ../../images || exit 1; \
	done

.PHONY: fuzzers
fuzzers: $(FUZZERS)

# ---- install --------------------------------------------------------------------------------------------------------

.PHONY: install uninstall
install: $(OUT)/airbuild ## install program, man page and bash completion (DESTDIR, PREFIX)
	install -D -m 0755 $(OUT)/airbuild $(DESTDIR)$(BINDIR)/airbuild
	install -D -m 0644 builder/cli/airbuild.1 $(DESTDIR)$(MANDIR)/man1/airbuild.1
	install -D -m 0644 scripts/completion.bash $(DESTDIR)$(COMPDIR)/airbuild

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/airbuild $(DESTDIR)$(MANDIR)/man1/airbuild.1 $(DESTDIR)$(COMPDIR)/airbuild

# ---- checks: tests/suite knows which tests make up each -------------------------------------------------------------

.PHONY: lint format check check-ready check-quick check-lost check-lost-domains check-scenarios check-san check-valgrind
.PHONY: check-guest check-arch check-kill check-kill-domains check-e2e check-drills check-users
lint: ## the rules of the house, a complaint a line
	@scripts/lint

format: ## write all C files as clang-format wants them
	clang-format -i $(wildcard builder/*.[ch] builder/*/*.[ch] tests/*.[ch] tests/*/*.[ch])

check-quick: all tests clients ## unit, golden, error, command and process tests: no appliance, no domain
	@tests/suite quick

check-lost: all tests ## every combination of lost disks, who was master and the order of starts, with real processes
	@tests/suite lost

check-lost-domains: all tests ## the most important of them, on real domains
	@tests/suite lost-domains

check-scenarios: all tests ## a hundred elections and all other failures, with real processes
	@tests/suite scenarios

check-san: ## unit tests with ASan and UBSan
	$(MAKE) VARIANT=san tests
	@tests/suite san

check-valgrind: tests ## unit tests under valgrind
	@tests/suite valgrind

check-guest: all tests ## tests with the libguestfs appliance
	@tests/suite guest

check-arch: all ## images of Arch, by pacman; the Arch is made first, in build/arch
	scripts/setup test
	@tests/suite arch

.PHONY: check-pins
check-pins: ## whether the pinned image of Arch, or its key, ends within 90 days (no part of check)
	@scripts/check-pins

check-kill: all tests ## airbuild killed, interrupted and out of space at every point where it changes the host
	@tests/suite kill

check-kill-domains: all tests ## the same at 30 points drawn by chance (SEED=N: again), on real domains
	@tests/suite kill-domains

check-e2e: all tests ## tests with a cluster of real domains
	@tests/suite e2e

check-users: tests ## what users may do, with every server that is supported; they are brought to build/engines
	tests/engines/bring build/engines
	@tests/suite users

check-drills: all tests ## every failure there is a drill for; build/drills.html shows what happened
	@tests/suite drills

.PHONY: bench
bench: all tests ## what airbuild costs, and every drill's times, three times over; judged by their limits
	scripts/setup test
	@scripts/bench

# The packages decide what pkg-config says above, so what needs them is another make.
check-ready: ## install what all checks need, and build it
	scripts/setup build run test
	$(MAKE) all tests
	$(MAKE) VARIANT=san tests
	$(MAKE) clients || echo "no npm clients: the tests that try them will fail" >&2

check: check-ready ## every test there is, lint included; installs what is needed
	@tests/suite lint quick san valgrind guest e2e

# ---- the rest -------------------------------------------------------------------------------------------------------

.PHONY: up clean help
up: ## install what is needed, build, bake the images, boot the cluster, wait until it serves
	scripts/setup build run
	$(MAKE) all
	@scripts/up

.PHONY: down
down: ## remove the cluster that up made, and its lab; the images stay
	@scripts/up --down

clean: ## remove build/
	rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-19s %s\n", $$1, $$2 }' Makefile
