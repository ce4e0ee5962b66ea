package sshsig_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/wormsweep/wormsweep/internal/feeds/sshsig"
	"github.com/wormsweep/wormsweep/internal/xtest"
)

const namespace = "wormsweep-feed"

// fixture is a key, a message and its signature of testdata, which ssh-keygen made:
//
//	ssh-keygen -q -t ed25519 -N "" -C feed -f key && rm key
//	ssh-keygen -Y sign -n wormsweep-feed -f key message
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixtureKey(t testing.TB) sshsig.Key {
	t.Helper()
	key, err := sshsig.ParseKey(string(fixture(t, "key.pub")))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestVerify(t *testing.T) {
	key, message, signature := fixtureKey(t), fixture(t, "message"), fixture(t, "message.sig")
	other, err := sshsig.ParseKey(string(fixture(t, "other.pub")))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name               string
		key                sshsig.Key
		namespace          string
		message, signature []byte
		want               error
	}{
		{"as made", key, namespace, message, signature, nil},
		{"by another key", key, namespace, message, fixture(t, "other.sig"), sshsig.ErrSigner},
		{"asked for another key", other, namespace, message, signature, sshsig.ErrSigner},
		{"no key", sshsig.Key{}, namespace, message, signature, sshsig.ErrSigner},
		{"for another purpose", key, namespace, message, fixture(t, "git.sig"), sshsig.ErrNamespace},
		{"asked for another purpose", key, "git", message, signature, sshsig.ErrNamespace},
		{"of another message", key, namespace, append(bytes.Clone(message), ' '), signature, sshsig.ErrSignature},
		{"of no message", key, namespace, nil, signature, sshsig.ErrSignature},
		{"no signature", key, namespace, message, nil, sshsig.ErrFormat},
		{"cut", key, namespace, message, signature[:len(signature)/2], sshsig.ErrFormat},
		{"twice", key, namespace, message, append(bytes.Clone(signature), signature...), sshsig.ErrFormat},
		{"too large", key, namespace, message, bytes.Repeat([]byte("\n"), sshsig.MaxSignature+1), sshsig.ErrFormat},
	} {
		if err := sshsig.Verify(tt.key, tt.namespace, tt.message, tt.signature); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestParseKey(t *testing.T) {
	if got := fixtureKey(t).Fingerprint(); len(got) < 20 {
		t.Errorf("fingerprint %q", got)
	}
	if got := (sshsig.Key{}).Fingerprint(); got != "" {
		t.Errorf("fingerprint of no key is %q", got)
	}
	good := string(bytes.TrimSpace(fixture(t, "key.pub")))
	for _, in := range []string{
		"", "ssh-ed25519", "ssh-ed25519 AAAA", "no-pty " + good, good + "\n" + good,
		"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7", string(fixture(t, "ecdsa.pub")),
	} {
		if _, err := sshsig.ParseKey(in); err == nil {
			t.Errorf("ParseKey(%q) takes it", in)
		}
	}
}

// TestSSHKeygen lets the real program sign.
func TestSSHKeygen(t *testing.T) {
	keygen := xtest.Program(t, "ssh-keygen")
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command(keygen, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("ssh-keygen %q: %v: %s", args, err, out)
		}
	}
	read := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	if err := os.WriteFile(filepath.Join(dir, "message"), []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("-q", "-t", "ed25519", "-N", "", "-f", "key")
	key, err := sshsig.ParseKey(string(read("key.pub")))
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"-O", "hashalg=sha256"}} {
		os.Remove(filepath.Join(dir, "message.sig"))
		run(append(append([]string{"-q", "-Y", "sign"}, args...), "-n", namespace, "-f", "key", "message")...)
		if err := sshsig.Verify(key, namespace, read("message"), read("message.sig")); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// FuzzVerify holds that one signature verifies and whatever else is made of it does not, unless
// it stands for the same bytes.
func FuzzVerify(f *testing.F) {
	key, message, signature := fixtureKey(f), fixture(f, "message"), fixture(f, "message.sig")
	for _, name := range []string{"message.sig", "other.sig", "git.sig"} {
		f.Add(message, fixture(f, name))
	}
	f.Add([]byte("other"), signature)
	f.Fuzz(func(t *testing.T, text, armored []byte) {
		err := sshsig.Verify(key, namespace, text, armored)
		if err == nil && !bytes.Equal(text, message) {
			t.Errorf("%q is signed by %q", text, armored)
		}
		if again := sshsig.Verify(key, namespace, text, armored); (again == nil) != (err == nil) {
			t.Errorf("first %v, then %v", err, again)
		}
	})
}
