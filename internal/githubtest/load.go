package githubtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
)

// AddFolders adds a repository for each folder of dir: a bare one (NAME.git) and a working
// tree with its own .git as git has them, any other folder as one commit of its files. It
// gives them in the order of their names.
func (s *Server) AddFolders(dir, owner string) ([]*Repo, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var repos []*Repo
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		content, err := loadFolder(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		repos = append(repos, s.Add(Repository{
			Owner: owner, Name: strings.TrimSuffix(entry.Name(), ".git"), Content: content,
		}))
	}
	return repos, nil
}

func loadFolder(dir string) (gitstore.Content, error) {
	for _, gitDir := range []string{filepath.Join(dir, ".git"), dir} {
		if _, err := os.Stat(filepath.Join(gitDir, "HEAD")); err == nil {
			return gitstore.OpenBare(gitDir)
		}
	}
	files, err := readFiles(dir)
	if err != nil {
		return nil, err
	}
	content := gitstore.NewMemory()
	content.Commit(content.Head(), "first", files)
	return content, nil
}

// readFiles reads the files and links below dir.
func readFiles(dir string) (gitstore.Files, error) {
	files := gitstore.Files{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		var file gitstore.File
		switch {
		case entry.Type() == fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			file = gitstore.File{Mode: gitstore.ModeSymlink, Data: []byte(target)}
		case !entry.Type().IsRegular():
			return fmt.Errorf("%q is neither a file nor a link", path)
		default:
			if file.Data, err = os.ReadFile(path); err != nil {
				return err
			}
		}
		files[filepath.ToSlash(rel)] = file
		return nil
	})
	return files, err
}
