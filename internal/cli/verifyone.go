package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/policy"
	"github.com/wormsweep/wormsweep/internal/policy/policyfile"
	"github.com/wormsweep/wormsweep/internal/published"
	"github.com/wormsweep/wormsweep/internal/verify"
	"github.com/wormsweep/wormsweep/internal/verify/bundle"
	"github.com/wormsweep/wormsweep/internal/verify/gomodule"
	"github.com/wormsweep/wormsweep/internal/verify/served"
	"github.com/wormsweep/wormsweep/internal/verify/trust"
	"github.com/wormsweep/wormsweep/pkg/digest"
	"github.com/wormsweep/wormsweep/pkg/registry"
	"github.com/wormsweep/wormsweep/pkg/registry/oci"
)

// oneFlags are the flags of the commands that verify one version.
type oneFlags struct {
	outputFlags
	signerFlags
	policy   string
	registry string
	source   string
	private  bool
	trust    trustFlags
	account  accountFlags
}

// signerFlags say who is believed.
type signerFlags struct {
	identity, issuer string
	keys             []string
}

func (f *signerFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.identity, "certificate-identity", "", "believe this `SAN` of a certificate")
	flags.StringVar(&f.issuer, "certificate-oidc-issuer", "", "of this OIDC `ISSUER`")
	flags.StringArrayVar(&f.keys, "key", nil, "believe the public key in `FILE`; repeatable")
}

// believed is who is believed; none where nobody was named.
func (f *signerFlags) believed() (accept func(verify.Identity) error, keys []trust.Key, err error) {
	if (f.identity == "") != (f.issuer == "") {
		return nil, nil, usage(errors.New("--certificate-identity and --certificate-oidc-issuer go together: an identity of another issuer is another one"))
	}
	for _, name := range f.keys {
		text, err := readBounded(name, maxKey)
		if err != nil {
			return nil, nil, usage(fmt.Errorf("--key %q: %w", name, bare(err)))
		}
		key, err := trust.ParseKey(text)
		if err != nil {
			return nil, nil, refusedInput(fmt.Errorf("--key %q: %w", name, err))
		}
		keys = append(keys, key)
	}
	if f.identity != "" {
		accept = bundle.Exactly(f.issuer, f.identity)
	}
	return accept, keys, nil
}

func (f *oneFlags) add(flags *pflag.FlagSet) {
	f.outputFlags.add(flags)
	f.signerFlags.add(flags)
	flags.StringVar(&f.policy, "policy", "", "believe whom the policy in `FILE` names; "+policyfile.Name+" otherwise")
	flags.StringVar(&f.registry, "registry", "", "ask the registry at `URL`")
	flags.BoolVar(&f.private, "private-registry", false, "it may have a private address")
	f.trust.add(flags)
}

// one makes a command that verifies one version. parse splits its argument.
func one(use, short, long string, kind registry.Kind, parse func(arg string) (name, version string, err error)) *cobra.Command {
	var f oneFlags
	_, what, _ := strings.Cut(use, " ")
	cmd := &cobra.Command{
		Use: use, Short: short,
		Long: long + `

Exit codes: 0 verified; 1 something was presented and is wrong; 2 wrong use;
3 nothing to verify, not served, or not all could be asked.`,
		Args: wants(what, false),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, version, err := parse(args[0])
			if err != nil {
				return usage(err)
			}
			return runVerifyOne(cmd, f, kind, name, version)
		},
	}
	cmd.Flags().SortFlags = false
	f.add(cmd.Flags())
	if kind == registry.Go {
		cmd.Flags().StringVar(&f.source, "source", "", "`OWNER/NAME` of the repository that it is made from")
	}
	if kind == registry.Go || kind == registry.Release {
		cmd.Flags().StringVar(&f.account.url, "github-url", "", "the GitHub Enterprise Server at `URL`")
	}
	return cmd
}

const believing = `

Who is believed stands in the policy, or is named by flags. Where nobody is, it
is said who signed, and nothing is verified: somebody has to know who may.`

func verifyNPMCommand() *cobra.Command {
	return one("npm NAME@VERSION", "Verify a version of an npm package",
		"Npm verifies the registry's signature, its publish attestation and the\nprovenance, and compares the tarball with them."+believing, registry.NPM, func(arg string) (string, string, error) {
			i := strings.LastIndexByte(arg, '@')
			if i <= 0 || i == len(arg)-1 {
				return "", "", fmt.Errorf("%q: want NAME@VERSION", arg)
			}
			return arg[:i], arg[i+1:], nil
		})
}

func verifyPyPICommand() *cobra.Command {
	return one("pypi NAME==VERSION", "Verify a version of a PyPI project",
		"Pypi verifies the attestations that were uploaded with each file of the version,\nand compares the files with them."+believing, registry.PyPI, func(arg string) (string, string, error) {
			name, version, ok := strings.Cut(arg, "==")
			if !ok || name == "" || version == "" {
				return "", "", fmt.Errorf("%q: want NAME==VERSION", arg)
			}
			return name, version, nil
		})
}

func verifyGoCommand() *cobra.Command {
	return one("go MODULE@VERSION", "Verify a version of a Go module",
		"Go compares what the module proxy serves with the checksum database, whose log\nis proved, and with the files of the version's tag in the repository.", registry.Go, gomodule.SplitRef)
}

func verifyReleaseCommand() *cobra.Command {
	return one("release OWNER/REPO@TAG", "Verify the assets of a GitHub release",
		"Release verifies the attestations of each asset, and that of the release where\nit is immutable. "+tokenVariable+" or "+actionsToken+" let it ask of private ones."+believing, registry.Release, func(arg string) (string, string, error) {
			name, tag, ok := strings.Cut(arg, "@")
			if owner, repo, both := strings.Cut(name, "/"); !ok || !both || owner == "" || repo == "" || tag == "" || strings.Contains(repo, "/") {
				return "", "", fmt.Errorf("%q: want OWNER/REPO@TAG", arg)
			}
			return name, tag, nil
		})
}

func verifyImageCommand() *cobra.Command {
	return one("image REF", "Verify who signed a container image",
		"Image verifies what lies beside the image in its registry: cosign's signatures\nand attestations, in tags and as referrers. A tag is resolved once, and what is\nsaid is said of the digest."+believing, registry.OCI, func(arg string) (string, string, error) {
			name, version, ok := splitImage(arg)
			if !ok {
				return "", "", fmt.Errorf("%q: want REGISTRY/NAME:TAG or REGISTRY/NAME@sha256:HEX", arg)
			}
			return name, version, nil
		})
}

// splitImage splits a reference into the name with its registry, and a tag or digest. Of a
// reference with both the digest counts.
func splitImage(ref string) (name, version string, ok bool) {
	name, digest, byDigest := strings.Cut(ref, "@")
	slash := strings.LastIndexByte(name, '/')
	if i := strings.LastIndexByte(name, ':'); i > slash {
		name, version = name[:i], name[i+1:]
	}
	if byDigest {
		version = digest
	}
	return name, version, slash > 0 && name != "" && version != ""
}

func runVerifyOne(cmd *cobra.Command, f oneFlags, kind registry.Kind, name, version string) error {
	ctx := cmd.Context()
	p, a, err := f.artifact(kind, name)
	if err != nil {
		return usage(err)
	}
	accept, keys, err := f.believed()
	if err != nil {
		return err
	}
	trusted, err := f.trust.load(ctx)
	if err != nil {
		return refusedInput(err)
	}
	for _, note := range trusted.Notes {
		tell(cmd.ErrOrStderr(), errors.New(note))
	}
	var account *accountFlags
	if at := p.RegistryOf(a); kind == registry.Go || kind == registry.Release || at != nil && at.Protocol == "ghpackages" {
		account = &f.account // the others ask GitHub nothing
	}
	asked, err := ask(ctx, p, account, trusted, nil)
	if err != nil {
		return err
	}
	reader, err := asked.Reader(a)
	if err != nil {
		return usage(err)
	}
	b := &belief{accept: accept, keys: keys, policy: a, version: version}
	return putOut(cmd, f.outputFlags, func() verify.Result { return b.check(ctx, asked.Checker(a), reader) }, published.PURL(a, ""), a.Source)
}

// artifact is what the policy has of the name, or one made of the flags.
func (f *oneFlags) artifact(kind registry.Kind, name string) (*policy.Policy, *policy.Artifact, error) {
	file := f.policy
	if file == "" {
		file = policyfile.Name
	}
	if _, err := os.Stat(file); f.policy != "" || err == nil {
		p, err := policyfile.Load(file)
		if err != nil {
			return nil, nil, err
		}
		if a := p.Artifact(kind, name); a != nil && f.registry == "" {
			return p, a, nil
		} else if a == nil && f.policy != "" {
			return nil, nil, fmt.Errorf("--policy %q: it has no artifact \"%s:%s\"", file, kind, name)
		}
	}
	p := &policy.Policy{Version: 1, Artifacts: []policy.Artifact{{Kind: kind, Name: name, Source: f.source, Unsigned: true}}}
	a := &p.Artifacts[0]
	if kind == registry.Release && a.Source == "" {
		a.Source = name
	}
	if kind == registry.Go && a.Source == "" {
		a.Source = repositoryOf(name)
	}
	p.Organisation, _, _ = strings.Cut(a.Source, "/")
	if f.registry != "" {
		r := policy.Registry{Name: "flag", Address: strings.TrimSuffix(f.registry, "/"), Private: f.private, Protocol: map[registry.Kind]string{
			registry.NPM: "npm", registry.PyPI: "pypi", registry.Go: "goproxy", registry.OCI: "oci", registry.Release: "ghreleases",
		}[kind]}
		p.Registries, a.Registry = []policy.Registry{r}, r.Name
	}
	return p, a, nil
}

// belief is one version, and who is believed to sign it.
type belief struct {
	accept  func(verify.Identity) error
	keys    []trust.Key
	policy  *policy.Artifact
	version string

	strangers []verify.Identity // who signed, where nobody is believed
}

// named reports whether anybody is believed, by flags or by the policy.
func (b *belief) named() bool {
	return b.accept != nil || len(b.keys) > 0 || len(b.policy.Identities) > 0 || len(b.policy.Keys) > 0
}

// who decides about an identity. Where nobody is believed each is taken down, so that it can be
// said who signed.
func (b *belief) who(id verify.Identity) error {
	switch {
	case b.accept != nil:
		return b.accept(id)
	case b.named():
		return b.policy.Accept(b.version, id)
	}
	if !slices.Contains(b.strangers, id) {
		b.strangers = append(b.strangers, id)
	}
	return nil
}

// check gives the answer for the version.
func (b *belief) check(ctx context.Context, checker *served.Checker, reader registry.Reader) verify.Result {
	result := verify.Result{Kind: b.policy.Kind, Name: b.policy.Name, Version: b.version, Verdict: verify.Unknown}
	listing, release, err := find(ctx, reader, b.policy, b.version)
	if err != nil {
		result.Gaps = []verify.Gap{served.GapOf(fmt.Sprintf("%q", b.version), err)}
		return result
	}
	v := served.Version{Kind: b.policy.Kind, Name: b.policy.Name, Version: b.version, Accept: b.who, Keys: b.keys, Source: b.policy.Source, Attestations: b.policy.Attestations}
	v.Tag, _ = b.policy.GitTag(b.version)
	for _, k := range b.policy.Keys {
		if key, err := trust.ParseKey([]byte(k.PEM)); err == nil {
			v.Keys = append(v.Keys, key)
		}
	}
	subject, _ := checker.Check(ctx, v, reader, listing, release)
	if len(release.Files) > 0 && len(release.Files[0].Digests) > 0 {
		result.Digest = release.Files[0].Digests[0].String()
	}
	result.Proofs, result.Refusals, result.Gaps, result.Signals = subject.Proofs, subject.Refusals, subject.Gaps, subject.Notes
	for _, a := range subject.Archives {
		if a.Fault != "" {
			result.Gaps = append(result.Gaps, verify.Gap{Code: verify.GapUnsupported, Detail: fmt.Sprintf("the file %q does not read: %s", a.Name, a.Fault)})
		}
	}
	b.judge(&result, subject.Attested)
	return result
}

// judge gives the verdict for one version alone, with nothing to compare it with.
func (b *belief) judge(r *verify.Result, attested registry.Knowledge) {
	signed := slices.ContainsFunc(r.Proofs, func(p verify.Proof) bool {
		return p.Kind == verify.KindTagTree || p.Kind != verify.KindRegistrySig && p.Kind != verify.KindPublish && p.Kind != verify.KindChecksumDatabase || p.Kind == verify.KindPublish && p.Identity != nil
	})
	if !b.named() {
		r.Refusals = slices.DeleteFunc(r.Refusals, func(refusal verify.Refusal) bool {
			if refusal.Code != verify.WrongKey {
				return false
			}
			r.Gaps = append(r.Gaps, verify.Gap{Code: verify.GapNobody, Detail: refusal.What + ": " + refusal.Detail})
			return true
		})
	}
	switch {
	case len(r.Refusals) > 0:
		r.Verdict = verify.Mismatch
	case len(r.Gaps) > 0 && len(b.strangers) == 0:
	case !b.named() && len(b.strangers) > 0:
		for _, id := range b.strangers {
			r.Gaps = append(r.Gaps, verify.Gap{Code: verify.GapNobody, Detail: fmt.Sprintf(
				"signed by --certificate-identity %q --certificate-oidc-issuer %q, and nobody said whether that is who may sign it", id.SAN, id.Issuer)})
		}
	case signed:
		r.Verdict = verify.Verified
	case attested == registry.Absent:
		r.Gaps = append(r.Gaps, verify.Gap{Code: verify.GapUnsigned, Detail: "the registry says that there is no signature or attestation"})
	default:
		r.Gaps = append(r.Gaps, verify.Gap{Code: verify.GapUnsigned, Detail: "nothing that proves who published it"})
	}
}

// find gives the version that is asked about, as the registry has it.
func find(ctx context.Context, reader registry.Reader, a *policy.Artifact, version string) (*registry.Listing, *registry.Published, error) {
	if a.Kind == registry.OCI {
		return findImage(ctx, reader, a, version)
	}
	listing, err := reader.List(ctx, a.Name, registry.Validator{})
	if err != nil {
		return nil, nil, err
	}
	for i := range listing.Releases {
		if listing.Releases[i].Version == version {
			return listing, &listing.Releases[i], nil
		}
	}
	return nil, nil, fmt.Errorf("%q has no version %q: %w", a.Name, version, registry.ErrNotFound)
}

// resolver resolves a tag to a digest.
type resolver interface {
	Resolve(ctx context.Context, name, ref string) (oci.Descriptor, error)
}

// findImage resolves one tag or digest, without listing the others.
func findImage(ctx context.Context, reader registry.Reader, a *policy.Artifact, version string) (*registry.Listing, *registry.Published, error) {
	images, ok := reader.(resolver)
	if !ok {
		return nil, nil, fmt.Errorf("%q: %w", a.Name, registry.ErrNotServed)
	}
	d, err := images.Resolve(ctx, a.Name, version)
	if err != nil {
		return nil, nil, err
	}
	release := registry.Published{Version: version, Files: []registry.File{{MediaType: d.MediaType, Digests: []digest.Digest{d.Digest}}}}
	return &registry.Listing{Kind: registry.OCI, Name: a.Name, Releases: []registry.Published{release}}, &release, nil
}

// putOut runs a verification of one thing and puts its answer out.
func putOut(cmd *cobra.Command, f outputFlags, check func() verify.Result, purl, source string) error {
	f.proofs = true
	out, err := openOutputs(cmd, f)
	if err != nil {
		return usage(err)
	}
	defer out.discard()
	started := time.Now()
	out.event(&finding.Run{Stream: finding.StreamVersion, Tool: "wormsweep", Version: Version(), Started: started.UTC(), Paths: []string{}, Partial: true, Published: true})
	result := check()
	out.event(&finding.Verification{Artifact: purl, Source: source, Result: result})
	s := &finding.Summary{Findings: map[finding.State]int{}, Published: &finding.Published{Versions: map[verify.Verdict]int{result.Verdict: 1}, Checked: len(result.Proofs) + len(result.Refusals)}}
	switch v := result.Verdict; {
	case v.Bad():
		s.Exit, s.Published.Hit = exitFound, 1
	case v.Good():
		s.Published.Good = 1
	default:
		s.Exit, s.Published.Unknown = exitUnknown, 1
	}
	s.Elapsed = time.Since(started).Seconds()
	out.event(s)
	return sweepExit(s.Exit, out.commit())
}

// repositoryOf is the repository of a module whose path begins with that of one on GitHub.
func repositoryOf(module string) string {
	parts := strings.SplitN(module, "/", 4)
	if len(parts) < 3 || !strings.EqualFold(parts[0], hostOfGitHub) {
		return ""
	}
	return parts[1] + "/" + parts[2]
}
