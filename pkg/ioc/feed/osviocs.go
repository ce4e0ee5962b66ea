package feed

import (
	"encoding/hex"
	"path"

	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/ioc"
)

// osvIndicators reads database_specific.iocs of ossf/malicious-packages: domains, ips, urls and
// files.
func (r *reader) osvIndicators(base ioc.Indicator, iocs node) {
	for _, list := range []struct{ key, kind string }{{"domains", "domain"}, {"ips", "ip"}, {"urls", "url"}} {
		for _, value := range iocs.strings(list.key) {
			r.value(base, iocs.get(list.key).line, list.kind, value, Entry{})
		}
	}
	for _, file := range iocs.get("files").items {
		paths := file.strings("paths")
		digests := file.get("digests")
		if digests.kind != '{' {
			continue // a name without a digest: what the package holds, not what is bad
		}
		for _, p := range paths {
			r.fileDigests(base, file.line, path.Base(p), digests)
		}
		if len(paths) == 0 {
			r.fileDigests(base, file.line, "", digests)
		}
	}
}

// osvFiles reads affected[].database_specific.indicators.evidence_files.
func (r *reader) osvFiles(base ioc.Indicator, files []node) {
	base = ioc.Indicator{Confidence: base.Confidence, Status: base.Status, Withdrawal: base.Withdrawal}
	for _, file := range files {
		r.fileDigests(base, file.line, path.Base(file.str("path")), file)
	}
}

// fileDigests adds a file by name and whichever of its digests the node holds.
func (r *reader) fileDigests(base ioc.Indicator, line int, name string, digests node) {
	base.Type = ioc.TypeFile
	if name != "." && name != "/" {
		base.Name = name
	}
	for _, key := range []string{"sha256", "sha1", "md5"} {
		for _, text := range digests.strings(key) {
			ind := base
			if err := setDigest(&ind, digest.ParseAlgorithm(key), text); err != nil {
				r.failed(line, err)
				continue
			}
			r.add(Entry{Indicator: ind, Line: line})
		}
	}
}

func hexOf(d digest.Digest) string {
	b, _ := d.Bytes()
	return hex.EncodeToString(b)
}
