# SPDX-License-Identifier: GPL-2.0-only
#
# What people type; "make help" lists it. The module is built by Kbuild.

KDIR   ?= /lib/modules/$(shell uname -r)/build
PREFIX ?= /usr/local
BUILD  ?= $(CURDIR)/build
PINS   := /sys/fs/bpfmaps

export BUILD

.PHONY: all module samples tools load unload install setup demo bench bench-smp
.PHONY: check check-debug check-race check-bounds check-all check-kernels guest lint fuzz shell
.PHONY: clean help

all: module tools

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

samples:
	$(MAKE) -C $(KDIR) M=$(CURDIR) CONFIG_BPFMAPS_SAMPLES=m modules

tools:
	$(MAKE) -C tools O=$(BUILD) all

load: module
	insmod bpfmaps.ko
	mount -t bpfmaps bpfmaps $(PINS)

unload:
	umount $(PINS)
	rmmod bpfmaps

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install
	$(MAKE) -C tools O=$(BUILD) PREFIX=$(PREFIX) install

# What follows runs on any Debian 12. It installs the packages that are missing, boots a guest under
# QEMU, and touches nothing else.
setup:
	@selftests/setup.sh

guest: setup
	@$(MAKE) --no-print-directory -s -C tools O=$(BUILD) all
	@$(MAKE) --no-print-directory -s -C selftests all

demo: guest
	@selftests/guest.sh -- selftests/demo.sh

shell: guest
	@selftests/guest.sh --shell

bench: guest
	@selftests/setup.sh --bench
	@selftests/bench/bench.sh

bench-smp: guest
	@selftests/setup.sh --bench
	@selftests/bench/smp.sh

lint: setup
	@selftests/lint.sh

check:
	@selftests/check.sh

check-all:
	@selftests/check-all.sh

check-debug:
	@selftests/check-debug.sh

check-race:
	@selftests/check-race.sh

check-bounds:
	@selftests/check-bounds.sh

check-kernels:
	@selftests/kernels.sh

# TIME in seconds (of the guest's clock), SEED
fuzz:
	@selftests/setup.sh --kernel
	@KERNEL=debug $(MAKE) --no-print-directory -s guest
	@selftests/fuzz/fuzz.sh

clean:
	rm -rf $(BUILD)
	$(RM) *.ko *.o *.mod *.mod.c .*.cmd Module.symvers modules.order
	find module -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' -o -name '.*.d' \
		| xargs -r rm -f

help:
	@echo 'On your machine:'
	@echo '  make            build bpfmaps.ko for the running kernel, the library and bpfmapctl'
	@echo '  make load       load the module and mount $(PINS) (as root)'
	@echo '  make unload     the reverse (as root)'
	@echo '  make install    install module, library, bpfmapctl and man pages (as root)'
	@echo 'In a guest under QEMU (nothing of your machine is touched but missing packages):'
	@echo '  make demo       count real packets into a map and show it'
	@echo '  make check      all checks and tests; KERNEL, SMP, MEM, ACCEL, see'
	@echo '                  selftests/qemu/run --help'
	@echo '  make check-debug'
	@echo '                  the tests in the guest on a kernel that checks memory, locks and'
	@echo '                  objects; it is built the first time (10 to 20 minutes)'
	@echo '  make check-race the tests with threads on a kernel that finds data races; likewise'
	@echo '  make check-all  these three, one after the other'
	@echo '  make check-bounds'
	@echo '                  maps of ten million elements: nobody waits long for others'
	@echo '  make check-kernels'
	@echo '                  tests of the module on the kernels of other releases of Debian, which'
	@echo '                  are fetched the first time'
	@echo '  make fuzz       random programs on the debug kernel, led by coverage, for TIME seconds'
	@echo '  make bench      instructions for each call, of bpf(2), of bpfmaps, and at least'
	@echo '  make bench-smp  two threads on two CPUs, on bpf(2) and on bpfmaps'
	@echo '  make lint       the static checks only'
	@echo '  make shell      a shell in the guest'
	@echo '  make clean      remove what was built'
