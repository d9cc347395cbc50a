# make          build the program
# make demo     see the main job run, from nothing
# make test     all tests, from nothing
# make help     the other targets

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

O ?= build
PREFIX ?= /usr/local
Q := $(if $(V),,@)# V=1 shows the commands
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := 0.1.0

# Floors, top to bottom: a room includes only rooms named before it (tests/lint/floors.sh holds it so).
ROOMS := base pg sql csv schedule project record publish ingest build run cli

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
OPTIMIZE ?= -O2
CPPFLAGS := -D_GNU_SOURCE -DSLUICE_VERSION=\"$(VERSION)\" -Isrc -I$(O)/gen $(shell pkg-config --cflags libpq yaml-0.1 2>/dev/null)
CFLAGS = -std=c17 $(OPTIMIZE) -g $(WARNINGS) -fno-strict-aliasing -fstack-protector-strong -pthread $(SANITIZE)
LDFLAGS = -pthread $(SANITIZE) -Wl,-z,relro,-z,now
# libpq is loaded when first called: src/pg/libpq.c.
LDLIBS := $(shell pkg-config --libs yaml-0.1 2>/dev/null) -lm
LIBPGQUERY := $(firstword $(wildcard /usr/lib/*/libpg_query.a /usr/lib/libpg_query.a))

sources = $(wildcard src/$(1)/*.c)
objects = $(patsubst src/%.c,$(O)/%.o,$(call sources,$(1)))
LIBRARIES := $(ROOMS:%=$(O)/lib/%.a)

.PHONY: all
all: $(O)/sluice

# --- program ---------------------------------------------------------------------------------------------------

# libpg_query exports hundreds of plain names (lappend, palloc ...), which would clash with ours and others':
# link it into one object that shows only what src/sql/parse.c calls.
PG_QUERY_SYMBOLS := pg_query_parse pg_query_free_parse_result pg_query_scan pg_query_free_scan_result
$(O)/pg_query.o: $(LIBPGQUERY) Makefile
	@mkdir -p $(@D)
	$(Q)ld -r $(PG_QUERY_SYMBOLS:%=-u %) $< -o $@.all
	$(Q)objcopy $(PG_QUERY_SYMBOLS:%=--keep-global-symbol=%) $@.all $@
	@rm -f $@.all

# The linker reads each room once, so a room comes before those it stands on.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
$(O)/sluice: $(LIBRARIES) $(O)/pg_query.o
	@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo "link $@")
	$(Q)$(CC) $(LDFLAGS) -o $@ $(call reverse,$(LIBRARIES)) $(O)/pg_query.o $(LDLIBS)

define room_rules
$(O)/lib/$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room))))

$(O)/%.o: src/%.c
	@mkdir -p $(@D)
	@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo "cc $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Queries of sql/, embedded: sql/NAME.sql is `extern const char sql_NAME[]` of record/statements.h.
SQL_FILES := $(sort $(wildcard sql/*.sql))
$(O)/gen/statements.S: $(SQL_FILES) Makefile
	@mkdir -p $(@D)
	@{ printf '.section .rodata\n'; \
	   for f in $(SQL_FILES); do n=sql_$$(basename $$f .sql); \
	     printf '.global %s\n%s: .incbin "%s"\n.byte 0\n' $$n $$n $$f; done; \
	   printf '.section .note.GNU-stack,"",%%progbits\n'; } >$@
$(O)/record/statements.o: $(O)/gen/statements.S
	@mkdir -p $(@D)
	$(Q)$(CC) -c -o $@ $<
$(O)/lib/record.a: $(O)/record/statements.o

.PHONY: install
install: $(O)/sluice
	install -D -m 755 $(O)/sluice $(DESTDIR)$(PREFIX)/bin/sluice
	strip $(DESTDIR)$(PREFIX)/bin/sluice
	install -D -m 644 docs/sluice.1 $(DESTDIR)$(PREFIX)/share/man/man1/sluice.1

# --- Debian packages -------------------------------------------------------------------------------------------

SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
BUILD_PACKAGES := gcc make pkg-config binutils libc6-dev libpq-dev libpg-query-dev libprotobuf-c-dev libyaml-dev \
                  libxxhash-dev
RUN_PACKAGES := postgresql tzdata
TEST_PACKAGES := libcmocka-dev python3 cron procps util-linux zsh fish pgbouncer
LINT_PACKAGES := clang clang-format clang-tidy shellcheck
FUZZ_PACKAGES := clang libclang-rt-dev
COVERAGE_PACKAGES := gcovr

# Says nothing and does nothing where all is there. A server package would start a cluster of its own on port 5432:
# nobody asked for that, so where no cluster is there yet, none is made.
define install_packages
	@missing=$$(for p in $(1); do \
	    dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null | grep -qx installed || echo $$p; done); \
	if [ -n "$$missing" ]; then \
	    echo "installing the Debian packages" $$missing; \
	    if ! [ -d /etc/postgresql-common ]; then \
	        $(SUDO) mkdir -p /etc/postgresql-common/createcluster.d && \
	        echo 'create_main_cluster = false' | \
	            $(SUDO) tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null; \
	    fi; \
	    log=$$(mktemp) && \
	    { $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get \
	          -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends $$missing; } >"$$log" 2>&1 || \
	    { cat "$$log"; rm -f "$$log"; exit 1; }; \
	    rm -f "$$log"; \
	fi
endef

.PHONY: build-deps run-deps test-deps lint-deps fuzz-deps coverage-deps
build-deps:
	$(call install_packages,$(BUILD_PACKAGES))
run-deps:
	$(call install_packages,$(BUILD_PACKAGES) $(RUN_PACKAGES))
test-deps:
	$(call install_packages,$(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES))
lint-deps:
	$(call install_packages,$(BUILD_PACKAGES) $(LINT_PACKAGES))
fuzz-deps:
	$(call install_packages,$(BUILD_PACKAGES) $(FUZZ_PACKAGES))
coverage-deps:
	$(call install_packages,$(BUILD_PACKAGES) $(RUN_PACKAGES) $(TEST_PACKAGES) $(COVERAGE_PACKAGES))

# What pkg-config says is read when make starts: what needs the packages is a make of its own, after them.
AGAIN = @$(MAKE) --no-print-directory --silent -j$(JOBS)
JOBS := $(shell nproc)

.PHONY: demo
demo: run-deps
	@echo "building sluice"
	$(AGAIN) all
	@examples/demo.sh $(abspath $(O)/sluice)

# --- tests -----------------------------------------------------------------------------------------------------

.PHONY: test
test: test-deps
	@echo "building sluice and its tests"
	$(AGAIN) all unit-programs drivers
	@$(MAKE) --no-print-directory check

# The suites, one after the other, and their sum: `N passed, N failed`.
SUITES := unit cases property incremental crash cron compose
.PHONY: check
check:
	@SLUICE=$(abspath $(O)/sluice) O=$(abspath $(O)) tests/run $(SUITES)

# Every statement of a run struck, five minutes of writers, 1,000 overlapping runs: about half an hour.
.PHONY: stress
stress: test-deps
	$(AGAIN) all
	@SLUICE=$(abspath $(O)/sluice) VERBOSE=1 python3 tests/crash/run.py --long points readers writers projects

.PHONY: asan tsan
asan: test-deps
	$(AGAIN) O=$(O)/asan OPTIMIZE=-O1 SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
	    all unit-programs drivers
	@$(MAKE) --no-print-directory O=$(O)/asan SUITES='unit cases property' check
tsan: test-deps
	$(AGAIN) O=$(O)/tsan OPTIMIZE=-O1 SANITIZE=-fsanitize=thread all unit-programs
	@$(MAKE) --no-print-directory O=$(O)/tsan SUITES='unit cases' check

.PHONY: lint
lint: lint-deps
	@$(MAKE) --no-print-directory --silent -j$(JOBS) all
	@SLUICE=$(abspath $(O)/sluice) O=$(abspath $(O)) CPPFLAGS='$(CPPFLAGS)' tests/lint/run

.PHONY: coverage
coverage: coverage-deps
	$(AGAIN) O=$(O)/coverage OPTIMIZE=-O0 SANITIZE='--coverage -fprofile-update=atomic' \
	    all unit-programs drivers
	-@$(MAKE) --no-print-directory O=$(O)/coverage SUITES='unit cases property crash' check
	@gcovr --root . --filter src/ --object-directory $(O)/coverage --txt $(O)/coverage/report.txt --print-summary \
	    $(O)/coverage && cat $(O)/coverage/report.txt

# Each fuzzer for FUZZ_SECONDS; what it finds is left in the working directory, and fails the target.
FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/%_fuzz.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_FLAGS := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
.PHONY: fuzz $(FUZZERS:%=fuzz-%)
fuzz: fuzz-deps
	$(AGAIN) O=$(O)/fuzz CC=clang OPTIMIZE=-O1 SANITIZE='$(FUZZ_FLAGS)' fuzz-programs
	@for f in $(FUZZERS); do $(MAKE) --no-print-directory O=$(O)/fuzz fuzz-$$f || exit 1; done
.PHONY: fuzz-programs
fuzz-programs: $(FUZZERS:%=$(O)/fuzzer/%)
$(O)/fuzzer/%: tests/fuzz/%_fuzz.c $(filter-out %/cli.a,$(LIBRARIES)) $(O)/pg_query.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -o $@ $< $(filter-out %/cli.a,$(call reverse,$(LIBRARIES))) \
	    $(O)/pg_query.o $(LDLIBS)
$(FUZZERS:%=fuzz-%): fuzz-%:
	@mkdir -p $(O)/corpus/$*
	$(O)/fuzzer/$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 -verbosity=0 \
	    $(O)/corpus/$* tests/fuzz/corpus/$*
	@echo "fuzz $*: $(FUZZ_SECONDS) s, no finding"

.PHONY: bench
bench: test-deps
	$(AGAIN) all
	@SLUICE=$(abspath $(O)/sluice) bench/run

# --- unit tests: tests/unit/ROOM/NAME_test.c, each a program ----------------------------------------------------

# What a room's tests link, besides the room itself and base.
BELOW_base :=
BELOW_pg :=
BELOW_sql :=
BELOW_csv :=
BELOW_schedule :=
BELOW_project := schedule csv sql
$(foreach room,record publish ingest build run cli,$(eval BELOW_$(room) := $(call reverse,$(wordlist 2,99,$(ROOMS)))))

UNIT_SOURCES := $(wildcard tests/unit/*/*_test.c)
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/unit/%,$(UNIT_SOURCES))
define unit_rules
$(O)/unit/$(1)/%: tests/unit/$(1)/%.c $(foreach r,$(1) $(BELOW_$(1)) base,$(O)/lib/$(r).a) $(if $(filter sql,$(1) $(BELOW_$(1))),$(O)/pg_query.o)
	@mkdir -p $$(@D)
	@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo "cc $$<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $$@ $$(filter %.c %.a %.o,$$^) $(LDLIBS) -lcmocka
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rules,$(room))))

.PHONY: unit-programs drivers
unit-programs: $(UNIT_TESTS)

# Programs that the property tests drive: tests/property/NAME_driver.c
DRIVERS := $(patsubst tests/property/%.c,$(O)/property/%,$(wildcard tests/property/*_driver.c))
drivers: $(DRIVERS)
$(O)/property/%: tests/property/%.c $(LIBRARIES) $(O)/pg_query.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $< $(filter-out %/cli.a,$(call reverse,$(LIBRARIES))) \
	    $(O)/pg_query.o $(LDLIBS)

-include $(foreach room,$(ROOMS),$(patsubst %.o,%.d,$(call objects,$(room)))) $(UNIT_TESTS:%=%.d)

.PHONY: clean
clean:
	rm -rf $(O)

.PHONY: help
help:
	@printf '%s\n' \
	    'make               build the program into $(O)/sluice' \
	    'make demo          see the main job run, from nothing' \
	    'make test          all tests, from nothing; make check: the same without a look at the packages' \
	    'make stress        crashes at every statement, minutes of writers, 1,000 overlapping runs' \
	    'make lint          formatting, clang-tidy, floors, docs in step with the code' \
	    'make asan tsan     the tests under sanitizers' \
	    'make fuzz          every fuzzer for FUZZ_SECONDS=60' \
	    'make coverage      line coverage of the tests' \
	    'make bench         speed, as ratios against the alternatives' \
	    'make install       into PREFIX=/usr/local'
