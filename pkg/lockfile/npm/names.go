package npm

import "strings"

// validName reports whether the registry could ever have held a package of this name:
// "name" or "@scope/name" of bytes that stand for themselves in an address
// (validate-npm-package-name, validForOldPackages). Letters beyond ASCII pass: they are odd,
// and a look-alike is a matter for matching, but nothing is wrong with the file.
func validName(name string) bool {
	part := name
	if len(name) > 0 && name[0] == '@' {
		i := strings.IndexByte(name, '/')
		if i < 2 || !plainName(name[1:i]) {
			return false
		}
		part = name[i+1:]
	}
	return part != "" && part[0] != '.' && plainName(part) && part != "node_modules"
}

func plainName(part string) bool {
	for i := 0; i < len(part); i++ {
		if !inName[part[i]] {
			return false
		}
	}
	return true
}

// inName are the bytes that encodeURIComponent leaves alone, and those beyond ASCII.
var inName = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.ContainsRune("-_.!~*'()", rune(c))
	}
	return t
}()

// splitSpec splits "name@rest" and "@scope/name@rest" at the "@" that ends the name. A
// scope's "@" is no separator: "@scope/name" has no rest, and found is false.
func splitSpec(spec string) (name, rest string, found bool) {
	if spec == "" {
		return "", "", false
	}
	i := strings.IndexByte(spec[1:], '@')
	if i < 0 {
		return spec, "", false
	}
	return spec[:i+1], spec[i+2:], true
}

// splitAlias reads the target of an alias, "npm:name@range" or "npm:name". It is not ok
// for what is no alias: "npm:^1.0.0", as yarn writes a plain range, names no package.
func splitAlias(spec string) (name, wanted string, ok bool) {
	target, ok := strings.CutPrefix(spec, "npm:")
	if !ok {
		return "", "", false
	}
	name, wanted, found := splitSpec(target)
	if !found && (!validName(name) || isRange(name)) {
		return "", "", false
	}
	return name, wanted, true
}

// isRange reports whether s, which could be a name, is rather a version or a range.
func isRange(s string) bool {
	s = strings.TrimLeft(s, "^~<>=v* ")
	return s == "latest" || strings.Trim(s, "0123456789.xX*") == "" && s != "x"
}
