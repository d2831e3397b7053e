# gosess: make help lists the targets.

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
MANDIR ?= $(PREFIX)/share/man
DESTDIR ?=

GO ?= go
INSTALL ?= install

# Shared with tests/lint.sh, which compiles with every compiler that it finds.
C_WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wformat=2 -Wcast-qual -Wwrite-strings -Wundef -Werror
C_DIALECT := -std=gnu11
CFLAGS ?= -O2 -g
# DEBUG=1: the C half ends the process where it breaks a rule of its own about locks.
DEBUG ?=
C_FLAGS := $(C_DIALECT) $(CPPFLAGS) $(CFLAGS) $(C_WARNINGS) $(if $(DEBUG),-DGOSESS_DEBUG)

# Full RELRO and never unloaded: the host's contexts keep pointers into it. -z defs: what is
# not in libc must be looked up in the host's own libssl, never linked.
LD_SHARED := -shared -Wl,-z,relro,-z,now,-z,nodelete,-z,defs

# The tree is built as a copy may be, without its history.
GO_BUILD := $(GO) build -buildvcs=false -trimpath

# Likewise for tests and lint: they take from the cache what the builds have put there, and another copy of the tree does too.
export GOFLAGS += -trimpath

# cgo includes files of other folders, which go build does not look at when it asks its cache:
# their sum is part of the flags, so that a change of them is a change for Go too.
export CGO_CFLAGS := -O2 -g -DGOSESS_SOURCES=$(firstword $(shell cat shim.h include/*.h shim/*/*.[ch] | cksum))

SHIM_SOURCES := $(wildcard shim.c shim/*/*.c)
SHIM_OBJECTS := $(SHIM_SOURCES:%.c=build/obj/%.o)
go_sources = $(shell find $(1) ! -path '*/storetest/*' \( -name '*.go' ! -name '*_test.go' -o -name '*.[chs]' \))
CORE_SOURCES := go.mod shim.h include/gosess.h $(call go_sources,capi cmd/gosess-core sessioncache)
COMMAND_SOURCES := go.mod shim.h include/gosess.h $(wildcard shim/*/*.[ch]) \
	$(call go_sources,cmd/gosess internal capi/settings sessioncache)

MAN_PAGES := gosess.1 gosess.3 gosess.7 gosess-agent.8
VERSION = $(shell sed -n 's/^.define GOSESS_VERSION "\(.*\)"/\1/p' include/gosess.h)
# gosess.pc says the prefix once, where the folders are below it.
below_prefix = $(patsubst $(PREFIX)/%,$${prefix}/%,$(1))
PC_VALUES = -e 's|@prefix@|$(PREFIX)|' -e 's|@libdir@|$(call below_prefix,$(LIBDIR))|' \
	-e 's|@includedir@|$(call below_prefix,$(INCLUDEDIR))|' \
	-e 's|@version@|$(VERSION)|'

# Each Go target takes a run of its own, for FUZZTIME. The default for what is worth minimizing is a minute: all of it.
FUZZTIME ?= 60s
fuzz_runs = $(foreach target,shm/FuzzHeader shm/FuzzMapping shm/FuzzSealed live/FuzzMemory,'-run=^$$ -fuzz=^$(notdir $(target))$$ -fuzztime=$(FUZZTIME) -fuzzminimizetime=1s $(1) ./sessioncache/$(patsubst %/,%,$(dir $(target)))')

# These begin first: one that began last would be waited for alone.
LONG_SUITES := tests/packages tests/nginx tests/shim tests/haproxy tests/mail tests/httpd tests/cases tests/conformance \
	tests/differential sessioncache/shm tests/api tests/ftp tests/services tests/fleet

.PHONY: force build agent demo demo-fleet fleet test suites fuzz conformance bench bench-agent doctor cross lint deps deb install uninstall clean help
.DELETE_ON_ERROR:

build: build/libgosess.so build/libgosess-core.so build/gosess build/tests/load ## build both libraries, the command and the load client (default)

agent: build/gosess-agent ## build the agent that connects the stores of a fleet (Go's module proxy has its client library)

demo: deps ## show unmodified nginx without and with gosess (installs what is missing)
	@$(MAKE) --no-print-directory build
	$(GO) run ./tests/demo

demo-fleet: deps ## show three machines that share their sessions, and their Redis killed in between
	@$(MAKE) --no-print-directory build agent
	$(GO) run ./tests/fleet/demo

fleet: deps ## run the tests of machines that share sessions with their full counts, and show what they measure (15 minutes)
	@$(MAKE) --no-print-directory build agent
	GOSESS_TEST_FLEET=1 $(GO) test -count=1 -v -timeout 60m ./tests/fleet

test: deps ## run the lint and every test, end with a count (installs what is missing)
	@$(MAKE) --no-print-directory -j3 suites lint

# The tests wait more than they compute, and the lint only computes: it runs while they do. Programs
# that they start with make of their own have nothing to do with the jobs of this one.
suites: build agent
	@MAKEFLAGS= $(GO) run ./tests/tally '$(LONG_SUITES:%=./%) ./...' '-C agent ./...' \
		$(if $(filter true,$(CI))$(filter all,$(GOSESS_TESTS)),'-race ./sessioncache/...' '-C agent -race -skip Sizing|Weighs|RoomFor|Bounded ./internal/...' 'CI= CGO_ENABLED=0 ./sessioncache/...') \
		$(if $(filter true,$(CI)),$(call fuzz_runs,-parallel=1))

fuzz: build ## feed anything to what parses, FUZZTIME (60s) for each target
	GOSESS_FUZZ=$(FUZZTIME) $(GO) run ./tests/tally ./tests/fuzz $(fuzz_runs)

conformance: deps ## run OpenSSL's, Python's, Ruby's and Perl's tests with gosess and without (ten minutes; it fetches and builds them)
	@$(MAKE) --no-print-directory build
	$(GO) run ./tests/conformance

bench: deps ## measure against nginx, httpd, HAProxy and libssl, and write docs/bench; QUICK=1: 2 minutes
	@$(MAKE) --no-print-directory build
	QUICK='$(QUICK)' $(GO) run ./tests/bench

bench-agent: deps ## measure the agent with a full near store, and what a fleet costs a worker (three minutes)
	@$(MAKE) --no-print-directory build agent
	cd agent && $(GO) test -count=1 -run '^$$' -bench . -benchtime 1x .
	$(GO) test -count=1 -run '^$$' -bench Fleet -benchtime 1x ./sessioncache/shm
	$(GO) test -count=1 -run '^$$' -bench Costs -benchtime 1x ./tests/window

doctor: deps ## find one bad machine of ten a hundred times, and write docs/doctor.md: what testssl.sh says beside (a quarter of an hour)
	@$(MAKE) --no-print-directory build
	GOSESS_TEST_DOCTOR_RUNS=100 GOSESS_TEST_TESTSSL='$(CURDIR)/docs/doctor.md' $(GO) test -count=1 -timeout 2h -v ./tests/doctor

cross: deps ## cross-build all for arm64 (it prints where), with a system of that architecture to run it in by qemu-user
	@sh tests/versions/cross.sh

lint: ## check style and find mistakes in Go, C and shell
	@C_DIALECT='$(C_DIALECT)' C_WARNINGS='$(C_WARNINGS)' GO='$(GO)' sh tests/lint.sh

deps:
	@sh tests/install-deps.sh

build/libgosess.so: $(SHIM_OBJECTS) build/gosess.map
	$(CC) $(LD_SHARED) -Wl,-soname,libgosess.so.0 -Wl,--version-script=build/gosess.map \
		$(LDFLAGS) -o $@ $(SHIM_OBJECTS) -ldl -lpthread
	@ln -sf libgosess.so build/libgosess.so.0

build/obj/%.o: %.c Makefile build/flags
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

-include $(SHIM_OBJECTS:.o=.d)

# What is compiled with other flags is compiled again.
build/flags: force
	@mkdir -p $(@D)
	@echo '$(CC) $(C_FLAGS)' | cmp -s - $@ || echo '$(CC) $(C_FLAGS)' > $@

# Anonymous: a preloaded function without a version answers for every version of libssl.
build/%.map: tests/exports.txt tests/exports-core.txt
	@mkdir -p $(@D)
	@{ echo '{ global:'; sed 's/$$/;/' tests/exports$(patsubst gosess%,%,$*).txt; echo 'local: *; };'; } > $@

# No asynchronous preemption: a host may use SIGURG itself (HAProxy does, S2), and neither
# the environment nor a //go:debug line can switch it off in a library. No check of the pointers
# that go to C: it costs at each call, and what it finds it ends the host with. No build id of Go's: it would depend on the
# folder, and two builds would not be the same.
build/libgosess-core.so: $(CORE_SOURCES) build/gosess-core.map Makefile
	$(GO_BUILD) -buildmode=c-shared -ldflags "-buildid= -X=runtime.godebugDefault=asyncpreemptoff=1,cgocheck=0 \
		-extldflags '-Wl,-soname,libgosess-core.so -Wl,--version-script=$(CURDIR)/build/gosess-core.map -Wl,-z,relro,-z,now,-z,nodelete,-z,defs -Wl,--wrap=pthread_create,--wrap=pthread_setspecific'" \
		-o $@ ./cmd/gosess-core
	@touch $@

build/gosess: $(COMMAND_SOURCES) Makefile
	$(GO_BUILD) -o $@ ./cmd/gosess
	@touch $@

# The C half for programs under sanitizers, of each compiler, as in build/gcc-address/shim.a: the harness of the tests asks for it.
sanitize_address := address,undefined
sanitize_thread := thread
define sanitized
build/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$(2) $(C_DIALECT) -O1 -g -w -DGOSESS_DEBUG -fsanitize=$(3) -fno-sanitize-recover=undefined -fno-omit-frame-pointer \
		-fPIC -fvisibility=hidden -MMD -MP -c -o $$@ $$<
build/$(1)/shim.a: $(SHIM_SOURCES:%.c=build/$(1)/%.o)
	rm -f $$@ && $(AR) rcs $$@ $$^
-include $(wildcard $(SHIM_SOURCES:%.c=build/$(1)/%.d))
endef
$(foreach compiler,gcc clang,$(foreach kind,address thread,\
	$(eval $(call sanitized,$(compiler)-$(kind),$(compiler),$(sanitize_$(kind))))))

# A module of its own: the library has no requirements. Static, with Go's own resolver: it has
# no need of the system's, and that one starts threads.
AGENT_SOURCES := go.mod $(wildcard agent/go.*) $(call go_sources,agent sessioncache)
build/gosess-agent: $(AGENT_SOURCES) include/gosess.h Makefile
	cd agent && CGO_ENABLED=0 $(GO_BUILD) -tags netgo,osusergo -ldflags "-s -w -X=main.version=$(VERSION)" -o ../$@ .
	@touch $@

build/tests/load: $(wildcard tests/load/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) -lssl -lcrypto -lpthread

install: build agent ## install below PREFIX (/usr/local); DESTDIR and LIBDIR are honoured
	$(INSTALL) -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(INCLUDEDIR)' \
		'$(DESTDIR)$(PKGCONFIGDIR)' $(patsubst .%,'$(DESTDIR)$(MANDIR)/man%',$(suffix $(MAN_PAGES)))
	$(INSTALL) -m 755 build/gosess build/gosess-agent '$(DESTDIR)$(BINDIR)'
	$(INSTALL) -m 644 build/libgosess.so '$(DESTDIR)$(LIBDIR)/libgosess.so.0'
	ln -sf libgosess.so.0 '$(DESTDIR)$(LIBDIR)/libgosess.so'
	$(INSTALL) -m 644 build/libgosess-core.so '$(DESTDIR)$(LIBDIR)/libgosess-core.so'
	$(INSTALL) -m 644 include/gosess.h '$(DESTDIR)$(INCLUDEDIR)/gosess.h'
	sed $(PC_VALUES) gosess.pc.in > build/gosess.pc
	$(INSTALL) -m 644 build/gosess.pc '$(DESTDIR)$(PKGCONFIGDIR)/gosess.pc'
	for page in $(MAN_PAGES); do $(INSTALL) -m 644 "man/$$page" '$(DESTDIR)$(MANDIR)'"/man$${page##*.}" || exit 1; done

uninstall: ## remove what install has put there
	rm -f '$(DESTDIR)$(BINDIR)/gosess' '$(DESTDIR)$(BINDIR)/gosess-agent' '$(DESTDIR)$(LIBDIR)/libgosess.so' \
		'$(DESTDIR)$(LIBDIR)/libgosess.so.0' '$(DESTDIR)$(LIBDIR)/libgosess-core.so' \
		'$(DESTDIR)$(INCLUDEDIR)/gosess.h' '$(DESTDIR)$(PKGCONFIGDIR)/gosess.pc'
	for page in $(MAN_PAGES); do rm -f '$(DESTDIR)$(MANDIR)'"/man$${page##*.}/$$page"; done

deb: ## build the Debian packages, and a list of what they are made of (SPDX), in build/deb
	@GO='$(GO)' sh packaging/deb.sh

clean: ## remove build/
	rm -rf build

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12
