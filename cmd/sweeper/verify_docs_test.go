//go:build unix

package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestVerifyPage follows "Try it" of docs/verify.md as it stands, in a shell: an image is signed
// with a key and keyless and verified, and refused when another one has taken its tag. Nothing is
// changed but the port, which another program may have.
func TestVerifyPage(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs")
	}
	page, err := os.ReadFile("../../docs/verify.md")
	if err != nil {
		t.Fatal(err)
	}
	_, try, _ := strings.Cut(string(page), "\n## Try it\n")
	try, _, _ = strings.Cut(try, "\n## ")
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(try, -1)
	if len(blocks) != 4 || !strings.Contains(try, "exits with 1 and says `wrong-digest`") {
		t.Fatalf("%d blocks: %s", len(blocks), try)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := listener.Addr().String()
	listener.Close()

	// The page builds at the root of the module. Its words are run elsewhere, so that they leave
	// nothing there: this go is the other one at that root.
	dir, bin := t.TempDir(), t.TempDir()
	module, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	real, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	shim := fmt.Sprintf("#!/bin/sh\n[ \"$1 $2\" = 'build -o' ] && exec %q -C %q build -o \"$PWD/$3\" \"$4\"\nexit 9\n", real, module)
	if err := os.WriteFile(filepath.Join(bin, "go"), []byte(shim), 0o755); err != nil {
		t.Fatal(err)
	}
	script := "trap 'kill $(jobs -p)' EXIT\nset -e\n"
	for i, block := range blocks {
		if i == len(blocks)-1 {
			script += "echo now it is another image\n"
		}
		script += block[1]
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.ReplaceAll(script, "127.0.0.1:5000", free))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "WORMSWEEP_TOKEN=", "GITHUB_TOKEN=", "WORMSWEEP_APP_ID=", "WORMSWEEP_APP_KEY=")
	out, err := cmd.CombinedOutput()
	before, after, changed := strings.Cut(string(out), "now it is another image\n")
	if exit := exitCode(t, err); exit != 1 || !changed || !strings.Contains(after, "wrong-digest") {
		t.Errorf("exit %d, want 1 with wrong-digest\n%s", exit, out)
	}
	if n := strings.Count(before, "VERIFIED: "); n != 2 || strings.Contains(before, "wrong-digest") {
		t.Errorf("verified %d times before, want 2\n%s", n, before)
	}
}
