package feeds

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// Copy is a folder that Update wrote, for reading. It asks the network for nothing.
type Copy struct {
	dir   string
	state *state
}

// IsCopy reports whether dir is a folder that Update wrote.
func IsCopy(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, stateName))
	return err == nil && info.Mode().IsRegular()
}

// OpenCopy opens the folder.
func OpenCopy(dir string) (*Copy, error) {
	s, err := loadState(dir)
	if err != nil {
		return nil, err
	}
	return &Copy{dir, s}, nil
}

// Set is what all feeds of the copy say, a layer each. A file that is missing or has other bytes
// than were written is an error: what it held would not be looked for.
func (c *Copy) Set() (*ioc.Set, error) {
	set := new(ioc.Set)
	for _, e := range c.state.Feeds {
		if e.Index == nil {
			continue
		}
		data, err := readBlob(c.dir, *e.Index)
		if err != nil {
			return nil, fmt.Errorf("feed %q: %w", e.Name, err)
		}
		one, err := ioc.Open(string(data))
		if err != nil {
			return nil, fmt.Errorf("feed %q: %q: %w: run \"sweeper ioc update\" again", e.Name, e.Index.File, err)
		}
		set = set.With(one)
	}
	return set, nil
}

// FS is a folder of the packs of all feeds, and nothing else of the copy. The packs are held
// against their digests before.
func (c *Copy) FS() (fs.FS, error) {
	packs := map[string]bool{}
	for _, e := range c.state.Feeds {
		for _, b := range e.Packs {
			if _, err := readBlob(c.dir, b); err != nil {
				return nil, fmt.Errorf("feed %q: %w", e.Name, err)
			}
			packs[b.File] = true
		}
	}
	return selected{os.DirFS(c.dir), func(name string, folder bool) bool { return !folder && packs[name] }}, nil
}

// Note is what is to be known of a feed of a copy before it is believed.
type Note struct {
	Feed string
	// Missing says that the copy has nothing of the feed: its indicators are not looked for.
	Missing bool
	Text    string // one line
}

// Notes are the feeds whose copy is not what their source gave when it was last asked.
func (c *Copy) Notes() []Note {
	var out []Note
	for _, e := range c.state.Feeds {
		switch {
		case e.Digest == "":
			out = append(out, Note{e.Name, true, fmt.Sprintf("feed %q: nothing was ever taken of it%s", e.Name, e.why())})
		case e.Trouble != nil:
			out = append(out, Note{e.Name, false, fmt.Sprintf("feed %q: stale since %s%s", e.Name, e.Checked.Format(time.RFC3339), e.why())})
		}
	}
	return out
}

// why is the first reason of the entry's trouble, with what stands before it in a sentence.
func (e *entry) why() string {
	if e.Trouble == nil || len(e.Trouble.Reasons) == 0 {
		return ""
	}
	return fmt.Sprintf(": %s: %v", e.Trouble.Outcome, &e.Trouble.Reasons[0])
}
