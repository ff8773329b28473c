# SPDX-License-Identifier: Apache-2.0
# The only build file. One folder is one program: dropping a .cc file into
# shim/ adds it to shim; hooks/hook-NAME.cc is a program of its own.
#
#   make              build everything into build/bin
#   make demo         what it is for, in a few seconds   (IMAGE=oci:PATH:TAG for another image)
#   make check        install what is missing, build, run all tests  (STRICT=1: a skip fails)
#   make check-vm     the same tests in a Debian machine with systemd and cgroup v2  (VM_TESTS=unit: a selection)
#   make bench        our figures with those of the peers beside them
#   make SAN=1 check  with AddressSanitizer and UndefinedBehaviorSanitizer
#   make install      into $(DESTDIR)$(PREFIX)
PREFIX ?= /usr/local
BUILD  ?= build
B      := $(BUILD)$(if $(SAN),/san)

TOOLS := runc-like shim netsetup layers
HOOKS := $(patsubst hooks/%.cc,%,$(wildcard hooks/hook-*.cc))

Q := $(if $(V),,@)
WERROR ?= -Werror
WARN   := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast \
          -Wnon-virtual-dtor -Woverloaded-virtual -Wduplicated-cond -Wduplicated-branches \
          -Wlogical-op -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla \
          -Wswitch-enum -Wextra-semi -Wcast-qual -Wredundant-decls $(WERROR)
HARDEN := -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fcf-protection \
          -ffunction-sections -fdata-sections
# Of a start, little is computing: what counts is how many pages are touched.
$(B)/obj/runc-like/%.o: HARDEN += -Os
SANFLAGS := -fsanitize=address,undefined
SANITIZE := -O1 -g $(SANFLAGS) -fno-sanitize-recover=all -fno-omit-frame-pointer
CXXFLAGS += -std=c++20 -fPIE -D_GLIBCXX_ASSERTIONS $(WARN) $(if $(SAN),$(SANITIZE),$(HARDEN))
LDFLAGS  += -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--as-needed $(if $(SAN),$(SANFLAGS))

# The fence: the only include root is build/include, which holds common/ and
# nothing else, so that no tool can include another tool's headers.
CPPFLAGS += -iquote build/include -MMD -MP
CXX := $(shell command -v ccache) $(CXX)

# Started thousands of times, also inside foreign roots: static. The others link
# statically what Debian has as an archive. Sanitizers cannot be linked statically.
STATIC := $(if $(SAN),-pie,-static-pie)
LINK_runc-like := $(STATIC)
LINK_shim      := $(STATIC)
LINK_hooks     := $(STATIC)
LINK_netsetup  := -pie -static-libstdc++ -static-libgcc
LINK_layers    := -pie -static-libstdc++ -static-libgcc -pthread
BOOST := -l:libboost_program_options.a
LIBS_runc-like := -lseccomp -lcap
LIBS_shim      := -l:libzstd.a
LIBS_netsetup  := -lmnl
LIBS_hooks     := -lseccomp
LIBS_layers    := -lisal -l:libzstd.a -l:liblzma.a -l:libbz2.a -lcrypto -lcurl

obj = $(patsubst %.cc,$(B)/obj/%.o,$(wildcard $(1)/*.cc))
COMMON := $(call obj,common)

all: $(TOOLS) hooks
hooks: $(HOOKS:%=$(B)/bin/%)
.PHONY: all hooks $(TOOLS)

define tool
$(1): $(B)/bin/$(1)
$(B)/bin/$(1): $(call obj,$(1)) $(COMMON)
	@mkdir -p $$(@D)
	$$(Q)echo "  LINK $$@"; $$(CXX) $$(LDFLAGS) $$(LINK_$(1)) $$^ $$(LIBS_$(1)) $$(BOOST) -o $$@
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

# hooks/hook-*.cc hold a main each; every other file of hooks/ is shared by them, as
# an archive: each hook gets the parts that it uses. What has to be dynamic for its
# libraries (curl) is a program of its own, which the hook starts.
HOOKS_SHARED := $(filter-out $(B)/obj/hooks/hook-%,$(call obj,hooks))
LIBS_hook-seccomp := -lseccomp
LINK_hook-notify-post := -pie -static-libstdc++ -static-libgcc
LIBS_hook-notify-post := -lcurl
$(B)/obj/hooks.a: $(HOOKS_SHARED) $(COMMON)
	$(Q)rm -f $@; ar rcs $@ $^
$(B)/bin/hook-%: $(B)/obj/hooks/hook-%.o $(B)/obj/hooks.a
	@mkdir -p $(@D)
	$(Q)echo "  $(if $(filter %.o,$@),CXX,LINK) $@"; $(CXX) $(LDFLAGS) $(or $(LINK_hook-$*),$(LINK_hooks)) $^ $(LIBS_hook-$*) $(BOOST) -o $@

$(B)/obj/%.o: %.cc | build/include/common
	@mkdir -p $(@D)
	$(Q)echo "  $(if $(filter %.o,$@),CXX,LINK) $@"; $(CXX) $(CPPFLAGS) $(CXXFLAGS) -c $< -o $@
build/include/common:
	@mkdir -p build/include && ln -sfn ../../common $@

# init: what runs inside the container's namespaces before execve. Freestanding:
# no C library, no allocation, a few kilobytes. It is embedded in runc-like.
INIT_FLAGS := -std=c++20 $(WARN) -Os -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector \
              -fno-asynchronous-unwind-tables -fno-threadsafe-statics -fcf-protection=none \
              -fno-pie -mno-red-zone -ffunction-sections -fdata-sections -U_FORTIFY_SOURCE
INIT_OBJ := $(patsubst %.cc,$(B)/obj/%.o,$(wildcard runc-like/init/*.cc))
$(INIT_OBJ): $(B)/obj/runc-like/init/%.o: runc-like/init/%.cc | build/include/common
	@mkdir -p $(@D)
	$(Q)echo "  $(if $(filter %.o,$@),CXX,LINK) $@"; $(CXX) $(CPPFLAGS) $(INIT_FLAGS) -c $< -o $@
$(B)/obj/runc-like/init.elf: $(INIT_OBJ)
	$(Q)echo "  $(if $(filter %.o,$@),CXX,LINK) $@"; $(CXX) -nostdlib -static -no-pie -Wl,--gc-sections,-z,noexecstack,-z,norelro,--build-id=none,-s $^ -o $@
$(B)/obj/runc-like/embedded_init.o: CPPFLAGS += -DINIT_ELF='"$(abspath $(B))/obj/runc-like/init.elf"'
$(B)/obj/runc-like/embedded_init.o: $(B)/obj/runc-like/init.elf

.SECONDARY: # objects that only a pattern names are kept too

# Unit tests: one executable per tool, linked with all of it but its main.
UNIT_NAMES := common $(TOOLS) hooks
UNITS := $(foreach t,$(UNIT_NAMES),$(if $(wildcard tests/unit/$(t)/*.cc),$(B)/unit/$(t)))
unit: $(UNITS)
define unit_test
$(B)/unit/$(1): $(call obj,tests/unit/$(1)) \
    $(if $(filter-out common,$(1)),$(filter-out $(B)/obj/$(1)/main.o $(B)/obj/hooks/hook-%.o,$(call obj,$(1)))) $(COMMON)
	@mkdir -p $$(@D)
	$$(Q)echo "  LINK $$@"; $$(CXX) $$(LDFLAGS) -pie -pthread $$^ $$(LIBS_$(1)) $$(BOOST) -lgtest -lgtest_main -o $$@
endef
$(foreach t,$(UNIT_NAMES),$(eval $(call unit_test,$(t))))
$(foreach t,$(TOOLS) hooks,$(eval $(B)/obj/tests/unit/$(t)/%.o: CPPFLAGS += -iquote $(t)))

# What a clean checkout builds first takes minutes on one core: all of them, unless
# the user said how many.
ALL_CORES = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
# .ci/install-packages knows what has to be installed for each purpose.
INSTALL := @.ci/install-packages
# As root or through sudo: containers, networks and mounts need it. The build
# itself does not, but what it lacks is installed first.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env=STRICT,CI)
demo:
	$(INSTALL) build demo
	@$(MAKE) --no-print-directory $(ALL_CORES) all
	@$(AS_ROOT) contrib/demo $(B)/bin $(IMAGE)
check:
	$(INSTALL) build test
	@$(MAKE) --no-print-directory $(ALL_CORES) all unit
	@$(AS_ROOT) tests/run $(B)
check-vm:
	$(INSTALL) build vm
	@$(MAKE) --no-print-directory $(ALL_CORES) all unit
	@$(AS_ROOT) tests/vm/suite $(B) $(VM_TESTS)
bench:
	$(INSTALL) build test bench
	@$(MAKE) --no-print-directory $(ALL_CORES) all
	@$(AS_ROOT) tests/bench/run $(B) $(BENCH)

# Style: the formatter, the fence between the folders, init without a C library, shell.
SHELL_FILES := contrib/box contrib/box.d/*.bash contrib/runtime-with-hooks .ci/run .ci/install-packages tests/run tests/lib/common.bash contrib/demo contrib/busybox-rootfs tests/vm/run tests/vm/image tests/vm/job tests/bench/run tests/lib/debian-image
lint: $(INIT_OBJ)
	@! grep -rn '#include "\.\./' $(filter-out runc-like/init,common $(TOOLS) hooks) --include='*.cc' --include='*.h' \
	  | grep -v '^runc-like/init/' || { echo "no ../ includes"; exit 1; }
	@! nm -u $(INIT_OBJ) 2>/dev/null | grep -E ' U (malloc|free|_Zn|_Zd|__cxa_|_Unwind|.*printf|_ZNSt)' \
	  || { echo "init may make system calls only"; exit 1; }
	@clang-format --dry-run -Werror $(shell git ls-files '*.cc' '*.h')
	@shellcheck $(wildcard $(SHELL_FILES))
tidy:
	clang-tidy --quiet $(shell git ls-files 'common/*.cc' 'shim/*.cc' 'netsetup/*.cc' 'layers/*.cc' 'hooks/*.cc' 'runc-like/*.cc') -- $(CXXFLAGS) -iquote build/include

# Man pages are Markdown; go-md2man (or pandoc) makes them roff.
MAN := $(patsubst man/%.md,$(B)/man/%,$(wildcard man/*.[1-8].md))
man: $(MAN)
$(B)/man/%: man/%.md
	@mkdir -p $(@D)
	$(Q)go-md2man -in $< -out $@
install: all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(wildcard $(B)/bin/*) $(DESTDIR)$(PREFIX)/bin
	for page in $(wildcard $(B)/man/*); do \
	  install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
clean:
	rm -rf $(B)

.PHONY: unit demo check check-vm bench lint tidy man install clean
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
