package images

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Tamper does what somebody does who may push: an image with another text takes the tag, and all
// that was signed of the old one is put beside it. It gives the new image's digest.
func (r *Repository) Tamper(ctx context.Context, tag, text string) (string, error) {
	before, err := r.Resolve(ctx, tag)
	if err != nil {
		return "", err
	}
	after, err := r.Push(ctx, tag, text)
	if err != nil {
		return "", err
	}
	if after == before {
		return "", fmt.Errorf("the image %q has that text already", r.Tagged(tag))
	}
	for _, what := range []string{"sig", "att"} {
		signed, err := remote.Image(r.name.Tag(Attached(before, what)), r.with(ctx)...)
		if missing(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if err := remote.Write(r.name.Tag(Attached(after, what)), signed, r.with(ctx)...); err != nil {
			return "", err
		}
	}
	return after, r.copyBundles(ctx, before, after)
}

// copyBundles lets the bundles that refer to one image refer to another.
func (r *Repository) copyBundles(ctx context.Context, before, after string) error {
	listed, err := r.Referrers(ctx, before)
	if err != nil {
		return err
	}
	for _, d := range listed {
		referrer, err := remote.Image(r.name.Digest(d.Digest.String()), r.with(ctx)...)
		if err != nil {
			return err
		}
		layers, err := referrer.Layers()
		if err != nil {
			return err
		}
		for _, l := range layers {
			if media, err := l.MediaType(); err != nil || !strings.HasPrefix(string(media), "application/vnd.dev.sigstore.bundle") {
				continue
			}
			content, err := l.Uncompressed()
			if err != nil {
				return err
			}
			bundle, err := io.ReadAll(content)
			if err := errors.Join(err, content.Close()); err != nil {
				return err
			}
			if err := r.PutBundle(ctx, after, bundle, ""); err != nil {
				return err
			}
		}
	}
	return nil
}

func missing(err error) bool {
	answer := (*transport.Error)(nil)
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}
