package source

import "cmp"

// CompareNames orders two names of one folder as the paths below them sort, which is git's
// order of a tree as well: a folder as if its name ended in a slash, so that "a-b" stands
// before the folder "a", whose files are "a/...".
func CompareNames(a string, aFolder bool, b string, bFolder bool) int {
	n := min(len(a), len(b))
	if c := cmp.Compare(a[:n], b[:n]); c != 0 {
		return c
	}
	return cmp.Compare(byteAfter(a, aFolder, n), byteAfter(b, bFolder, n))
}

// byteAfter is the byte of a path that follows the first n of a name; 0, which no name
// holds, at its end.
func byteAfter(name string, folder bool, n int) byte {
	switch {
	case n < len(name):
		return name[n]
	case folder:
		return '/'
	}
	return 0
}
