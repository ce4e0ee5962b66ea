package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/wormsweep/wormsweep/internal/sigtest"
)

// signedBy is who signs keyless in the scripts.
const signedBy = "https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.0.0"

// sigstore signs a file. Beside it are then FILE.keyless.json by the workflow $SIGNER, and
// FILE.keyed.json by release.pub; root.json trusts who signed the first, and other.json and
// other.pub are somebody else's.
func sigstore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sigstore FILE")
	}
	file := []byte(ts.ReadFile(args[0]))
	put := func(name string, text []byte, err error) {
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o644))
	}
	key := func(name string) *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		text, err := sigtest.PublicPEM(k)
		put(name, text, err)
		return k
	}
	s, err := sigtest.New(sigtest.Options{})
	ts.Check(err)
	root, err := s.TrustedRoot()
	put("root.json", root, err)
	other, err := sigtest.New(sigtest.Options{Name: "other.example"})
	ts.Check(err)
	root, err = other.TrustedRoot()
	put("other.json", root, err)
	bundle, err := s.Blob(file, sigtest.Signing{Identity: sigtest.Workflow("acme/app", "release.yml", "refs/tags/v1.0.0")})
	put(args[0]+".keyless.json", bundle, err)
	bundle, err = s.Blob(file, sigtest.Signing{Key: key("release.pub"), Log: sigtest.NoLog, Untimed: true})
	put(args[0]+".keyed.json", bundle, err)
	key("other.pub")
	ts.Setenv("SIGNER", signedBy)
	ts.Setenv("ISSUER", "https://token.actions.githubusercontent.com")
}

// streams checks that each line of the last standard output is an event of the stream's schema.
func streams(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: streams")
	}
	ts.Check(checkStream(filepath.Join(ts.Getenv("MODULE"), "docs/schemas/sweep-stream.json"), []byte(ts.ReadFile("stdout"))))
}

// checkStream says what a schema has against the lines of a stream.
func checkStream(schema string, stream []byte) error {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile(schema)
	if err != nil {
		return err
	}
	for _, line := range bytes.Split(bytes.TrimSuffix(stream, []byte("\n")), []byte("\n")) {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = compiled.Validate(value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
