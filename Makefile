# make          build the program
# make demo     see the main job run, from nothing
# make test     all tests, from nothing
# make help     the other targets

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

O ?= build
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
LDLIBS := $(shell pkg-config --libs libpq yaml-0.1 2>/dev/null) -lm
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
	ld -r $(PG_QUERY_SYMBOLS:%=-u %) $< -o $@.all
	objcopy $(PG_QUERY_SYMBOLS:%=--keep-global-symbol=%) $@.all $@
	@rm -f $@.all

# The linker reads each room once, so a room comes before those it stands on.
reverse = $(if $(1),$(call reverse,$(wordlist 2,$(words $(1)),$(1))) $(firstword $(1)))
$(O)/sluice: $(LIBRARIES) $(O)/pg_query.o
	$(CC) $(LDFLAGS) -o $@ $(call reverse,$(LIBRARIES)) $(O)/pg_query.o $(LDLIBS)

define room_rules
$(O)/lib/$(1).a: $(call objects,$(1))
	@mkdir -p $$(@D)
	@rm -f $$@
	ar rcs $$@ $$^
endef
$(foreach room,$(ROOMS),$(eval $(call room_rules,$(room))))

$(O)/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

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
	$(CC) -c -o $@ $<
$(O)/lib/record.a: $(O)/record/statements.o

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
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $$@ $$(filter %.c %.a %.o,$$^) $(LDLIBS) -lcmocka
endef
$(foreach room,$(ROOMS),$(eval $(call unit_rules,$(room))))

.PHONY: unit
unit: $(UNIT_TESTS)
	@tests/unit/run $(UNIT_TESTS)

-include $(foreach room,$(ROOMS),$(patsubst %.o,%.d,$(call objects,$(room)))) $(UNIT_TESTS:%=%.d)

.PHONY: clean
clean:
	rm -rf $(O)
