package sigtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// state is a Sigstore as a file has it: everything in DER, and of the logs the hashes of their
// leaves.
type state struct {
	Options Options
	Serial  int64
	CA, TSA struct{ Root, Intermediate, Key []byte }
	Leaf    struct{ Certificate, Key []byte }
	CT      []byte
	Logs    []logState
}

type logState struct {
	Host   string
	Key    []byte
	Leaves [][]byte
}

// Save writes s to a file that only its owner reads: its keys are in it.
func (s *Sigstore) Save(path string) error {
	w := &keyWriter{}
	out := state{Options: s.opts, Serial: s.serial.Load()}
	out.CA.Root, out.CA.Intermediate, out.CA.Key = s.ca.root.Raw, s.ca.intermediate.Raw, w.key(s.ca.key)
	out.TSA.Root, out.TSA.Intermediate, out.TSA.Key = s.tsa.root.Raw, s.tsa.intermediate.Raw, w.key(s.tsa.key)
	out.Leaf.Certificate, out.Leaf.Key = s.tsaLeaf.Raw, w.key(s.tsaLeafKey)
	if !s.opts.Bare {
		out.CT = w.key(s.ct)
		for _, l := range []*log{s.v1, s.v2} {
			l.mu.Lock()
			one := logState{Host: l.host, Key: w.key(l.key)}
			for i := range l.tree.Size() {
				one.Leaves = append(one.Leaves, l.tree.LeafHash(i))
			}
			l.mu.Unlock()
			out.Logs = append(out.Logs, one)
		}
	}
	if w.err != nil {
		return w.err
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

type keyWriter struct{ err error }

func (w *keyWriter) key(k crypto.Signer) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	w.err = errors.Join(w.err, err)
	return der
}

// Open reads what Save wrote.
func Open(path string) (*Sigstore, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := open(text)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return s, nil
}

func open(text []byte) (*Sigstore, error) {
	var in state
	if err := json.Unmarshal(text, &in); err != nil {
		return nil, err
	}
	r := &keyReader{}
	s := &Sigstore{opts: in.Options, tsaLeaf: r.certificate(in.Leaf.Certificate), tsaLeafKey: r.key(in.Leaf.Key)}
	s.ca = authority{r.certificate(in.CA.Root), r.certificate(in.CA.Intermediate), r.key(in.CA.Key)}
	s.tsa = authority{r.certificate(in.TSA.Root), r.certificate(in.TSA.Intermediate), r.key(in.TSA.Key)}
	s.serial.Store(in.Serial)
	if in.Options.Bare || r.err != nil {
		return s, r.err
	}
	if len(in.Logs) != 2 {
		return nil, fmt.Errorf("%d logs, and not two", len(in.Logs))
	}
	s.ct = r.key(in.CT)
	for i, to := range []**log{&s.v1, &s.v2} {
		key := r.signer(in.Logs[i].Key)
		if r.err != nil {
			return nil, r.err
		}
		l, err := newLog(in.Logs[i].Host, key)
		if err != nil {
			return nil, err
		}
		l.tree.Append(in.Logs[i].Leaves...)
		*to = l
	}
	return s, nil
}

// keyReader reads DER until something is none.
type keyReader struct{ err error }

func (r *keyReader) certificate(der []byte) *x509.Certificate {
	c, err := x509.ParseCertificate(der)
	r.err = errors.Join(r.err, err)
	return c
}

func (r *keyReader) key(der []byte) *ecdsa.PrivateKey {
	key, ok := r.signer(der).(*ecdsa.PrivateKey)
	if !ok {
		r.err = errors.Join(r.err, errors.New("a key that is not ECDSA's"))
	}
	return key
}

func (r *keyReader) signer(der []byte) crypto.Signer {
	k, err := x509.ParsePKCS8PrivateKey(der)
	r.err = errors.Join(r.err, err)
	key, _ := k.(crypto.Signer)
	return key
}
