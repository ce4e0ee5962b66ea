package digest_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/digest"
)

func TestDigestSpellings(t *testing.T) {
	sum512 := sha512.Sum512([]byte("wormsweep"))
	sum256 := sha256.Sum256([]byte("wormsweep"))
	hex512, b512 := hex.EncodeToString(sum512[:]), base64.StdEncoding.EncodeToString(sum512[:])
	for _, tt := range []struct {
		algorithm digest.Algorithm
		a, b      string
	}{
		{digest.SHA512, hex512, b512},
		{digest.SHA512, strings.ToUpper(hex512), hex512},
		{digest.SHA256, hex.EncodeToString(sum256[:]), base64.StdEncoding.EncodeToString(sum256[:])},
	} {
		a, b := digest.Digest{Algorithm: tt.algorithm, Text: tt.a}, digest.Digest{Algorithm: tt.algorithm, Text: tt.b}
		if a.String() != b.String() {
			t.Errorf("%q and %q are one digest, but print as %q and %q", tt.a, tt.b, a, b)
		}
		pa, oka := a.Prefix()
		pb, okb := b.Prefix()
		if !oka || !okb || pa != pb {
			t.Errorf("prefixes of %q and %q: %x %t, %x %t", tt.a, tt.b, pa, oka, pb, okb)
		}
	}
	h1 := digest.Digest{Algorithm: digest.H1, Text: base64.StdEncoding.EncodeToString(sum256[:])}
	plain := digest.Digest{Algorithm: digest.SHA256, Text: h1.Text}
	p1, _ := h1.Prefix()
	p2, _ := plain.Prefix()
	if p1 == p2 {
		t.Error("the prefix does not tell h1 from sha256")
	}
}

func TestDigestDamaged(t *testing.T) {
	sum := sha256.Sum256(nil)
	whole := base64.StdEncoding.EncodeToString(sum[:])
	for _, text := range []string{
		"", "=", whole[:len(whole)-1], whole + "=", strings.Replace(whole, "=", "A", 1), "!" + whole[1:],
		whole[:42] + "V=",              // unused bits that are not zero
		hex.EncodeToString(sum[:])[1:], // one digit short
		"zz" + hex.EncodeToString(sum[:])[2:],
		strings.Repeat("=", 44),
	} {
		d := digest.Digest{Algorithm: digest.SHA256, Text: text}
		if d.Valid() {
			t.Errorf("Valid(%q) = true", text)
		}
		if _, ok := d.Bytes(); ok {
			t.Errorf("Bytes(%q) is ok", text)
		}
	}
	if (digest.Digest{Text: whole}).Valid() {
		t.Error("a digest without an algorithm is valid")
	}
}
