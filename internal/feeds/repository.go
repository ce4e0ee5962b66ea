package feeds

import (
	"archive/zip"
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// commitForm is a commit id, as git archive leaves it in the comment of a zip.
var commitForm = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// getRepository gets the archive of a repository at its ref, in one request. The commit that the
// ref stands for is in the archive's comment, and is recorded; files are taken of that commit
// alone.
func (u *updater) getRepository(ctx context.Context, f *Feed, last *entry) (*content, error) {
	a, err := u.fetch(ctx, f, f.address(), f.condition(last), f.MaxBytes)
	if err != nil {
		return nil, err
	}
	c := &content{unchanged: a.unchanged, from: a.from, etag: a.etag, lastModified: a.lastModified, release: a.close}
	if a.unchanged {
		return c, nil
	}
	err = func() error {
		if a.html {
			return &Reason{NotAList, fmt.Sprintf("%q: HTML", a.from)}
		}
		archive, err := openZip(a.file, a.size, f)
		if err != nil {
			return err
		}
		if c.commit, err = f.commitOf(archive); err != nil {
			return err
		}
		tree, err := below(archive)
		if err != nil {
			return err
		}
		c.fsys = selected{tree, f.wanted}
		if err := f.checkPaths(tree); err != nil {
			return err
		}
		// The archive is packed anew now and then: what counts is what is taken of it.
		c.digest, err = treeDigest(c.fsys, f)
		return err
	}()
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// commitOf is the commit of an archive; where the configuration names one, it must be that.
func (f *Feed) commitOf(archive *zip.Reader) (string, error) {
	commit := strings.TrimSpace(archive.Comment)
	if !commitForm.MatchString(commit) {
		return "", &Reason{NotAList, "an archive that names no commit"}
	}
	if commitForm.MatchString(f.Ref) && f.Ref != commit {
		return "", &Reason{OtherDigest, fmt.Sprintf("an archive of commit %s, and the configuration pins %s", commit, f.Ref)}
	}
	return commit, nil
}

// below is the one folder that an archive of GitHub's has at its top.
func below(archive *zip.Reader) (fs.FS, error) {
	top, err := fs.ReadDir(archive, ".")
	if err != nil || len(top) != 1 || !top[0].IsDir() {
		return nil, &Reason{NotAList, "an archive without one folder at its top"}
	}
	tree, err := fs.Sub(archive, top[0].Name())
	if err != nil {
		return nil, &Reason{NotAList, err.Error()}
	}
	return tree, nil
}
