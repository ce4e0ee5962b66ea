package sweep

import (
	"context"
	"iter"

	"github.com/wormsweep/wormsweep/internal/source"
	"github.com/wormsweep/wormsweep/pkg/ioc"
	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/formats"
)

// Entries is what one lockfile of a repository holds.
type Entries struct {
	Repository *source.Repository
	Path       string // in the repository
	Format     *formats.Format
	File       lockfile.File
	// Err is set, and File empty, for a file or folder that could not be read.
	Err error
}

// Inventory yields every lockfile of the repositories as they lie: of the first tree of each,
// a checkout's work tree or a bare repository's HEAD. It decides what is in scope as Run does.
// It yields an error, and ends, where repos does.
func Inventory(ctx context.Context, repos iter.Seq2[*source.Repository, error]) iter.Seq2[Entries, error] {
	return func(yield func(Entries, error) bool) {
		for repo, err := range repos {
			if err != nil {
				yield(Entries{}, err)
				return
			}
			if !inventoryRepository(ctx, repo, yield) {
				return
			}
		}
	}
}

func inventoryRepository(ctx context.Context, repo *source.Repository, yield func(Entries, error) bool) bool {
	defer repo.Close()
	for _, p := range repo.Problems {
		if !yield(failed(repo, p.File, source.Code(p.Code), p.Detail), nil) {
			return false
		}
	}
	return len(repo.Trees) == 0 || inventoryTree(ctx, repo, repo.Trees[0], yield)
}

func failed(repo *source.Repository, file string, code source.Code, text string) Entries {
	return Entries{Repository: repo, Path: file, Err: &source.PathError{Path: file, Code: code, Err: detail(text)}}
}

// detail is the text of a problem as an error.
type detail string

func (d detail) Error() string { return string(d) }

func inventoryTree(ctx context.Context, repo *source.Repository, tree source.Tree, yield func(Entries, error) bool) bool {
	t := &treeResult{outOfScope: map[string]int{}}
	scope := newScope(t, &ioc.Set{})
	var buf []byte
	one := func(fr *fileResult) bool {
		e := Entries{Repository: repo, Path: fr.file.Path, Format: fr.format}
		data, err := tree.Read(ctx, fr.file, lockfile.MaxBytes, buf)
		if err != nil {
			e.Err = err
			return yield(e, nil)
		}
		buf = data
		if e.File, e.Err = parse(fr.format, data, lockfile.Options{}); e.Err != nil {
			return yield(e, nil)
		}
		fr.content = &content{outcome: outcome{notable: &notable{includes: e.File.Includes}}}
		return yield(e, nil)
	}
	for f, err := range tree.Files(ctx) {
		if err != nil {
			if !yield(Entries{Repository: repo, Err: err}, nil) {
				return false
			}
			continue
		}
		if fr := scope.add(f); fr != nil && !one(fr) {
			return false
		}
	}
	for more := scope.included(); len(more) > 0; more = scope.included() {
		for _, fr := range more {
			if !one(fr) {
				return false
			}
		}
	}
	for _, p := range t.problems { // links and includes
		if !yield(failed(repo, p.file, source.Code(p.code), p.text), nil) {
			return false
		}
	}
	return true
}
