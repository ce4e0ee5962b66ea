package corpus

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Copies writes n copies of the folder src into dir, as dir/00, dir/01 and so on, whose
// files all differ in content: copy i ends each file with i more line feeds, which every
// format that holds lines or JSON allows. So nothing that remembers contents gains from
// the repetition.
func Copies(src, dir string, n int) error {
	return filepath.WalkDir(src, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, file)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			for i := range n {
				if err := os.MkdirAll(copied(dir, i, rel), 0o755); err != nil {
					return err
				}
			}
			return nil
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for i := range n {
			longer := append(bytes.Clone(content), bytes.Repeat([]byte{'\n'}, i)...)
			if err := os.WriteFile(copied(dir, i, rel), longer, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

func copied(dir string, i int, rel string) string {
	return filepath.Join(dir, fmt.Sprintf("%02d", i), rel)
}
