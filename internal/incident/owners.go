package incident

import (
	"context"
	"fmt"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/incident/codeowners"
)

// maxOwnerFiles bounds the repositories that are asked for a CODEOWNERS file in one run.
const maxOwnerFiles = 1_000

// ownerCache asks each repository once.
type ownerCache struct {
	from   Owners
	files  map[string]*codeowners.File // nil for none
	unread int
	first  error // of those that could not be read
}

// of reads the files of the repositories with findings that the record does not have, and
// gives the owners by them.
func (c *ownerCache) of(ctx context.Context, s *Sweep, rec *Record, campaign string) func(repository, file string) []string {
	if c.from == nil || campaign == finding.PublishedByUs { // its repositories are artifacts
		return nil
	}
	if c.files == nil {
		c.files = map[string]*codeowners.File{}
	}
	known := newPlaces(rec.Places)
	for _, f := range s.findings[campaign] {
		if _, asked := c.files[f.Repository]; asked || known.of(f) != nil || len(c.files) >= maxOwnerFiles || ctx.Err() != nil {
			continue
		}
		c.files[f.Repository] = c.read(ctx, f.Repository)
	}
	return func(repository, file string) []string {
		if f := c.files[repository]; f != nil {
			return f.Owners(file)
		}
		return nil
	}
}

func (c *ownerCache) read(ctx context.Context, repository string) *codeowners.File {
	data, err := c.from.CodeOwners(ctx, repository)
	if err == nil && data == nil {
		return nil
	}
	var file *codeowners.File
	if err == nil {
		file, err = codeowners.Parse(data)
	}
	if err != nil {
		if c.unread++; c.first == nil {
			c.first = fmt.Errorf("%q: %w", repository, err)
		}
	}
	return file
}

// failed says which owners are not known.
func (c *ownerCache) failed() error {
	if c.unread == 0 {
		return nil
	}
	return fmt.Errorf("CODEOWNERS of %d repositories could not be read, so that issues name no owner there; the first: %w", c.unread, c.first)
}
