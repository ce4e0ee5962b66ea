package lockfile

// Memory is where readers find the lists that the file before left. A caller that reads many
// files, one after the other, names the same one in the Options of each: a File that was read
// with it is good until the next one is. Lists are used again and text never is, so that a
// string of a File may be kept. The zero value is ready; nil is no memory.
type Memory struct {
	packages []Package
	digests  []Digest
}

// maxKept is how many packages, and digests, a Memory has room for between two files. Hardly
// any lockfile has as many; the lists of one that has are let go.
const maxKept = 1 << 14

// Take gives a reader empty lists with room for so many packages and digests. They are the
// reader's own until it gives them back.
func (m *Memory) Take(packages, digests int) ([]Package, []Digest) {
	if m == nil {
		m = new(Memory)
	}
	return taken(&m.packages, packages), taken(&m.digests, digests)
}

// taken takes a list and clears it, since what it holds keeps the text of its file alive.
func taken[T any](kept *[]T, room int) []T {
	list := *kept
	*kept = nil
	clear(list)
	if cap(list) < room {
		list = make([]T, 0, room)
	}
	return list[:0]
}

// Keep takes the lists of a file that has been read. A reader that does not give them back
// costs the next one its memory, and nothing else.
func (m *Memory) Keep(packages []Package, digests []Digest) {
	if m == nil {
		return
	}
	if cap(packages) <= maxKept {
		m.packages = packages
	}
	if cap(digests) <= maxKept {
		m.digests = digests
	}
}
