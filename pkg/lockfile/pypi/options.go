package pypi

import "strings"

// effect is what an option of a requirements file means for what is installed.
type effect uint8

const (
	noEffect     effect = iota // on which versions, but on where they come from or how they are built
	withHash                   // a digest of the requirement on its line
	withFile                   // another file of requirements
	constraint                 // a file of constraints
	withEditable               // a requirement
)

// option is one that pip knows in a requirements file.
type option struct {
	name   string // "--hash"
	short  byte   // 'r' for -r, 0 for none
	value  bool   // takes a value
	effect effect
}

// options are those that pip takes in a requirements file, and those that it took once.
// See "Supported options" in
// https://pip.pypa.io/en/stable/reference/requirements-file-format/.
var options = []option{
	{"--hash", 0, true, withHash}, // first, since most lines have it
	{"--index-url", 'i', true, noEffect},
	{"--pypi-url", 0, true, noEffect},
	{"--extra-index-url", 0, true, noEffect},
	{"--no-index", 0, false, noEffect},
	{"--constraint", 'c', true, constraint},
	{"--requirement", 'r', true, withFile},
	{"--editable", 'e', true, withEditable},
	{"--find-links", 'f', true, noEffect},
	{"--no-binary", 0, true, noEffect},
	{"--only-binary", 0, true, noEffect},
	{"--no-deps-for", 0, true, noEffect},
	{"--prefer-binary", 0, false, noEffect},
	{"--require-hashes", 0, false, noEffect},
	{"--pre", 0, false, noEffect},
	{"--all-releases", 0, true, noEffect},
	{"--only-final", 0, true, noEffect},
	{"--trusted-host", 0, true, noEffect},
	{"--use-feature", 0, true, noEffect},
	{"--global-option", 0, true, noEffect},
	{"--config-settings", 'C', true, noEffect},
	{"--config-setting", 0, true, noEffect},
	// Of older versions.
	{"--install-option", 0, true, noEffect},
	{"--allow-external", 0, true, noEffect},
	{"--allow-all-external", 0, false, noEffect},
	{"--allow-unverified", 0, true, noEffect},
	{"--process-dependency-links", 0, false, noEffect},
	{"--always-unzip", 'Z', false, noEffect},
	{"--use-wheel", 0, false, noEffect},
	{"--no-use-wheel", 0, false, noEffect},
}

// longOption finds an option by its name or, as Python's optparse does, by a beginning
// that only one option has. It is nil where there is none or more than one.
func longOption(name string) *option {
	var found *option
	several := false
	for i := range options {
		if options[i].name == name {
			return &options[i]
		}
		if strings.HasPrefix(options[i].name, name) {
			several = found != nil
			found = &options[i]
		}
	}
	if several {
		return nil
	}
	return found
}

func shortOption(c byte) *option {
	for i := range options {
		if options[i].short == c {
			return &options[i]
		}
	}
	return nil
}
