package fetch

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
)

// Auth is what lets us in at one host. The zero value sends nothing. It prints as "(secret)".
type Auth struct {
	secret *secret // a pointer: fmt does not look behind one inside of another value
}

type secret struct{ header, value string }

// Bearer is a token as most registries take it.
func Bearer(token string) Auth { return Header("Authorization", "Bearer "+token) }

// Basic is a name and a password.
func Basic(user, password string) Auth {
	return Header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
}

// Header is a header of a registry's own: "X-JFrog-Art-Api".
func Header(name, value string) Auth { return Auth{&secret{http.CanonicalHeaderKey(name), value}} }

// String and GoString keep the secret out of what is printed.
func (Auth) String() string   { return "(secret)" }
func (Auth) GoString() string { return "(secret)" }

// MarshalText keeps it out of JSON and of logs.
func (Auth) MarshalText() ([]byte, error) { return []byte("(secret)"), nil }

// set adds it to headers that have none of its name.
func (a Auth) set(h http.Header) {
	if a.secret != nil && h.Get(a.secret.header) == "" {
		h.Set(a.secret.header, a.secret.value)
	}
}

// check errs for a secret that cannot stand in a header, without repeating it.
func (a Auth) check() error {
	if a.secret == nil {
		return nil
	}
	for _, r := range a.secret.value {
		if r < ' ' || r == 0x7f {
			return errors.New("a token with a line break or another control character in it")
		}
	}
	if a.secret.header == "" || strings.ContainsAny(a.secret.header, " \r\n:") {
		return errors.New("a token for a header without a name")
	}
	return nil
}
