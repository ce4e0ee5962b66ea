package main

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
)

// A part of the memory is marked for huge pages.
func TestHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Skip("no huge pages here: ", err)
	}
	hugePages()
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	defer smaps.Close()
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		if flags, ok := strings.CutPrefix(lines.Text(), "VmFlags:"); ok && slices.Contains(strings.Fields(flags), "hg") {
			return
		}
	}
	t.Error("no memory is marked for huge pages")
}
