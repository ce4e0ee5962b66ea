package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
)

// publishersRole is the first argument of a process that is the registries, the GitHub and the
// Sigstore of an organisation that publishes.
const publishersRole = "publishers"

// ofGitHub is what its API is counted as.
const ofGitHub = "github"

// kinds are the artifacts of the organisation, in hundredths.
var kinds = []struct {
	name  string
	share int
}{{"npm", 45}, {"pypi", 20}, {"go", 15}, {"image", 10}, {"release", 10}}

// publishers is an organisation that publishes.
type publishers struct {
	registry *registrytest.Server
	npm      *registrytest.NPM
	pypi     *registrytest.PyPI
	proxy    *registrytest.GoProxy
	github   *githubtest.Server
	sigstore *sigtest.Sigstore
	key      *ecdsa.PrivateKey
	wheel    []byte
	began    time.Time
}

// artifact is one of them, with its number: a repository of its own that publishes it.
type artifact struct{ kind, name, repo string }

func artifactsOf(n int) (out []artifact) {
	for _, k := range kinds {
		for i := range n * k.share / 100 {
			out = append(out, artifact{k.name, fmt.Sprintf("%s%03d", k.name, i), fmt.Sprintf("acme/%s%03d", k.name, i)})
		}
	}
	return out
}

// publish is the process: it publishes so many versions of so many artifacts, writes the policy, the
// trusted root and the key of images into a folder, prints its settings, and then answers each line
// of its input with what it was asked since the last.
func publish(folder string, n, versions int, in io.Reader, out io.Writer) error {
	p := &publishers{began: time.Now().Add(-time.Duration(versions) * 24 * time.Hour).UTC().Truncate(time.Second)}
	if err := p.start(); err != nil {
		return err
	}
	defer p.registry.Close()
	defer p.github.Close()
	all := artifactsOf(n)
	work := errgroup.Group{}
	work.SetLimit(4)
	for _, a := range all {
		p.github.Add(githubtest.Repository{Owner: "acme", Name: a.name})
		work.Go(func() error {
			for v := range versions {
				if err := p.version(a, fmt.Sprintf("1.%d.0", v), p.began.Add(time.Duration(v)*24*time.Hour)); err != nil {
					return fmt.Errorf("%s: %w", a.name, err)
				}
			}
			return nil
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	if err := p.write(folder, all); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s %d %s %s/go/sumdb/%s\n", p.github.URL(), p.github.App().ID, p.proxy.Log.Key(), p.registry.URL, p.proxy.Log.Name())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		answer := map[string]registrytest.Count{}
		for kind, c := range p.registry.Counts() {
			answer[kind] = c
		}
		totals := p.github.Totals()
		answer[ofGitHub] = registrytest.Count{Requests: totals.Requests[githubtest.REST], NotModified: totals.Conditional}
		answer["github, by git"] = registrytest.Count{Requests: totals.Requests[githubtest.Git]}
		if err := json.NewEncoder(out).Encode(answer); err != nil {
			return err
		}
		p.registry.Forget()
		p.github.ForgetLog()
	}
	return nil
}

// start starts the servers and makes the keys.
func (p *publishers) start() (err error) {
	if p.registry, err = registrytest.Start(); err != nil {
		return err
	}
	p.npm, p.pypi = p.registry.NPM(), p.registry.PyPI()
	p.registry.OCI(registrytest.OCIOptions{})
	if p.proxy, err = p.registry.GoProxy("sum.example"); err != nil {
		return err
	}
	p.proxy.UseETags()
	if p.github, err = githubtest.Listen(githubtest.Options{Org: "acme", Limits: githubtest.Limits{Core: 10_000_000}}); err != nil {
		return err
	}
	in := p.github.Installation()
	p.github.Update(func() { in.Permissions["actions"], in.Permissions["attestations"] = "read", "read" })
	if p.sigstore, err = sigtest.New(sigtest.Options{}); err != nil {
		return err
	}
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("module.py")
	if err == nil {
		_, err = io.WriteString(f, "x = 1\n")
	}
	err = errors.Join(err, z.Close())
	p.wheel = b.Bytes()
	return err
}

// version publishes one version of an artifact as a workflow does.
func (p *publishers) version(a artifact, version string, at time.Time) error {
	how := sigtest.Signing{Identity: sigtest.Workflow(a.repo, "release.yml", "refs/tags/v"+version), At: at}
	files := []string{"go.mod", "module github.com/" + a.repo + "\n", "m.go", "package m\n\n// " + version + "\n"}
	repo := p.github.Repo(a.repo)
	repo.Memory().SetRef("refs/tags/v"+version, repo.Memory().Commit("refs/heads/main", version, gitstore.Text(map[string]string{files[0]: files[1], files[2]: files[3]})))
	if a.kind != "release" {
		repo.Publish(githubtest.Release{Tag: "v" + version, At: at})
	}
	switch a.kind {
	case "npm":
		name := "@acme/" + a.name
		tarball := registrytest.Tarball(name, version)
		sum := sha512.Sum512(tarball)
		bundle, err := p.sigstore.NPMProvenance(name, version, hex.EncodeToString(sum[:]), how)
		p.npm.Publish(name, registrytest.NPMVersion{
			Version: version, Time: at, User: "acme-releases", TrustedPublisher: "github", Tarball: tarball,
			Attestations: []registrytest.NPMAttestation{{PredicateType: "https://slsa.dev/provenance/v1", Bundle: bundle}},
		})
		return err
	case "pypi":
		file := a.name + "-" + version + "-py3-none-any.whl"
		sum := sha256.Sum256(p.wheel)
		bundle, err := p.sigstore.PyPIBundle(file, hex.EncodeToString(sum[:]), how)
		if err != nil {
			return err
		}
		attestation, err := sigtest.PyPIAttestation(bundle)
		if err != nil {
			return err
		}
		provenance, err := sigtest.PyPIProvenance(how.Identity, attestation)
		p.pypi.Upload(a.name, registrytest.PyPIFile{Name: file, Version: version, Time: at, Content: p.wheel, Provenance: provenance})
		return err
	case "go":
		m, err := registrytest.MakeGoModule("github.com/"+a.repo, "v"+version, at, files...)
		if err != nil {
			return err
		}
		return p.proxy.Publish(m)
	case "image":
		return p.image(a, version, how)
	}
	data := []byte(a.name + version)
	sum := sha256.Sum256(data)
	bundle, err := p.sigstore.GitHubAttestation("app.tgz", hex.EncodeToString(sum[:]), how)
	repo.Publish(githubtest.Release{Tag: "v" + version, At: at, Assets: []githubtest.Asset{{Name: "app.tgz", Data: data, At: at}}})
	repo.Attest(githubtest.Attestation{Subject: "sha256:" + hex.EncodeToString(sum[:]), Predicate: "https://slsa.dev/provenance/v1", Bundle: bundle, Inline: true})
	return err
}

// byKey reports whether an image is signed with the key: every other one.
func byKey(a artifact) bool { return (a.name[len(a.name)-1]-'0')%2 == 1 }

func (p *publishers) image(a artifact, version string, how sigtest.Signing) error {
	ctx := context.Background()
	repo, err := images.Open(p.registry.Host+"/"+a.repo, nil)
	if err != nil {
		return err
	}
	digest, err := repo.Push(ctx, version, a.name+version)
	if err != nil {
		return err
	}
	if byKey(a) {
		how = sigtest.Signing{Key: p.key, Log: sigtest.NoLog, Untimed: true}
	}
	return repo.Sign(ctx, digest, p.sigstore, how)
}

// write writes what a sweeper needs to verify all of it.
func (p *publishers) write(folder string, all []artifact) error {
	root, err := p.sigstore.TrustedRoot()
	if err != nil {
		return err
	}
	public, err := sigtest.PublicPEM(p.key)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\norganisation: acme\nregistries:\n")
	for _, r := range [][3]string{{"npm", "npm", p.npm.URL}, {"pypi", "pypi", p.pypi.URL}, {"go", "goproxy", p.registry.URL + "/go"}, {"image", "oci", p.registry.URL}} {
		fmt.Fprintf(&b, "  - {name: %s, private: true, protocol: %s, address: %s}\n", r[0], r[1], r[2])
	}
	fmt.Fprintf(&b, "artifacts:\n")
	for _, a := range all {
		id := map[string]string{"npm": "npm:@acme/" + a.name, "pypi": "pypi:" + a.name, "go": "go:github.com/" + a.repo, "image": "oci:" + p.registry.Host + "/" + a.repo, "release": "release:" + a.repo}
		fmt.Fprintf(&b, "  - artifact: %q\n    source: %s\n", id[a.kind], a.repo)
		if a.kind != "release" {
			fmt.Fprintf(&b, "    registry: %s\n", a.kind)
		}
		switch {
		case a.kind == "go":
			fmt.Fprintf(&b, "    tag: \"{version}\"\n")
		case a.kind == "image" && byKey(a):
			fmt.Fprintf(&b, "    tag: \"v{version}\"\n    keys: [{file: release.pub}]\n")
		default:
			who := sigtest.Workflow(a.repo, "release.yml", "refs/tags/v1")
			fmt.Fprintf(&b, "    tag: \"v{version}\"\n    identities:\n      - {issuer: %q, san: \"https://github.com/%s/.github/workflows/release.yml@refs/tags/{tag}\", repository-id: %q, owner-id: %q}\n",
				who.Issuer, a.repo, who.SourceRepositoryID, who.OwnerID)
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(folder, "root.json"), root, 0o644),
		os.WriteFile(filepath.Join(folder, "app.pem"), p.github.App().Key, 0o600),
		os.WriteFile(filepath.Join(folder, "release.pub"), public, 0o644),
		os.WriteFile(filepath.Join(folder, "wormsweep.yaml"), []byte(b.String()), 0o644),
	)
}

// publishing runs publish by the arguments of its process.
func publishing(args []string) error {
	if len(args) != 3 {
		return errors.New("want a folder, a number of artifacts and one of versions")
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	versions, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	return publish(args[0], n, versions, os.Stdin, os.Stdout)
}
