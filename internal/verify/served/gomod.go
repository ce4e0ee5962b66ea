package served

import (
	"context"

	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
)

// gomod compares what the proxy serves with the checksum database and with the tag.
func (k *check) gomod(ctx context.Context) {
	proxy, ok := k.reader.(gomodule.Proxy)
	if !ok {
		k.gap(verify.GapUnsupported, "the registry is no module proxy")
		return
	}
	request := gomodule.Request{Module: k.version.Name, Version: k.version.Version, Proxy: proxy, Sum: k.Sum, Tag: k.version.Tag}
	ctx, done := context.WithCancel(ctx)
	defer done() // which lets go of what was fetched of the repository
	if k.Tags != nil {
		request.Tags = k.Tags(ctx, k.version)
	}
	proofs, refusals, gaps, err := gomodule.Verify(ctx, request)
	if err != nil {
		k.missing("the module", err)
	}
	k.signatures += len(proofs) + len(refusals)
	k.subject.Proofs, k.subject.Refusals, k.subject.Gaps = proofs, refusals, append(k.subject.Gaps, gaps...)
}
