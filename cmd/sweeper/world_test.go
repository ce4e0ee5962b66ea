package main

import (
	"archive/zip"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wormsweep/wormsweep/internal/finding"
	"github.com/wormsweep/wormsweep/internal/githubtest"
	"github.com/wormsweep/wormsweep/internal/githubtest/gitstore"
	"github.com/wormsweep/wormsweep/internal/registrytest"
	"github.com/wormsweep/wormsweep/internal/sigtest"
	"github.com/wormsweep/wormsweep/internal/sigtest/images"
	"github.com/wormsweep/wormsweep/internal/verify"
)

// world is an organisation that publishes: its repositories on a simulated GitHub, a registry of
// each protocol on loopback, and a Sigstore of its own that signs. Everything in it is published
// well when it begins.
type world struct {
	*testing.T
	github    *githubtest.Server
	registry  *registrytest.Server // npm, PyPI, Go, and images
	harbor    *registrytest.Server // images behind Harbor's API
	npm       *registrytest.NPM
	pypi      *registrytest.PyPI
	proxy     *registrytest.GoProxy
	artifacts *registrytest.Harbor
	sigstore  *sigtest.Sigstore
	key       *ecdsa.PrivateKey // of acme/keyed

	began time.Time
	args  []string // of each run, beside its own
}

const (
	releaseWorkflow = ".github/workflows/release.yml"
	setupWorkflow   = ".github/workflows/bench.yml"
	modulePath      = "github.com/acme/gomod"
)

// publishing are the steps by which each repository publishes.
var publishing = map[string]string{
	"sdk": "npm publish --provenance", "lib": "uv publish", "gomod": "go list -m example.org/x@latest", "app": "docker push app", "keyed": "docker push keyed",
	"box": "docker push box", "cli": "gh release create --verify-tag",
}

// newWorld makes the world, and works in a folder with its policy.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, began: time.Now().Add(-20 * 24 * time.Hour).UTC().Truncate(time.Second)}
	w.github = githubtest.Start(t, githubtest.Options{Org: "acme"})
	in := w.github.Installation()
	w.github.Update(func() { in.Permissions["actions"], in.Permissions["attestations"] = "read", "read" })
	w.github.AddMembers(w.github.Organization("acme"), "wren")
	w.github.Add(githubtest.Repository{Name: "incidents"})
	for name, step := range publishing {
		repo := w.github.AddFiles(name, w.files(name, step, "first"))
		repo.Change(func(r *githubtest.Repository) { r.Actions.Protected = []string{"main"} })
	}
	w.registry, w.harbor = registrytest.New(t), registrytest.New(t)
	w.npm, w.pypi = w.registry.NPM(), w.registry.PyPI()
	w.registry.OCI(registrytest.OCIOptions{})
	w.harbor.OCI(registrytest.OCIOptions{})
	w.artifacts = w.harbor.Harbor("robot$sweeper", "secret")
	var err error
	if w.proxy, err = w.registry.GoProxy("sum.example"); err != nil {
		t.Fatal(err)
	}
	w.proxy.UseETags()
	if w.sigstore, err = sigtest.New(sigtest.Options{}); err != nil {
		t.Fatal(err)
	}
	if w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	for i, version := range []string{"1.0.0", "1.1.0", "1.2.0"} {
		w.publish(version, w.began.Add(time.Duration(i)*5*24*time.Hour))
	}
	w.npm.SetMaintainers("@acme/sdk", registrytest.NPMPerson{Name: "acme-releases", Email: "releases@acme.example"})
	w.enter()
	return w
}

// files are those of a commit of a repository.
func (w *world) files(name, step, text string) map[string]string {
	files := map[string]string{
		releaseWorkflow: "on: {push: {tags: ['*']}}\njobs:\n  release:\n    name: Release\n    runs-on: ubuntu-latest\n    steps:\n" +
			"      - uses: actions/checkout@v4\n      - uses: actions/cache@v4\n        with:\n          path: store\n          key: store-${{ hashFiles('**/lock') }}\n" +
			"      - name: Publish\n        run: " + step + "\n",
		setupWorkflow: "on: pull_request_target\njobs:\n  size:\n    steps:\n      - uses: actions/checkout@v4\n" +
			"      - uses: actions/cache@v4\n        with:\n          path: store\n          key: store-${{ hashFiles('**/lock') }}\n      - run: make\n",
		"text": text,
	}
	switch name {
	case "gomod":
		files["go.mod"], files["m.go"] = "module "+modulePath+"\n", "package gomod\n\n// "+text+"\n"
	case "sdk":
		files["index.js"] = "module.exports = 1\n"
	}
	return files
}

// publish publishes a version of every artifact, well.
func (w *world) publish(version string, at time.Time) {
	w.Helper()
	w.publishNPM(version, w.tag("sdk", version, at, nil), at)
	w.publishPyPI(version, w.tag("lib", version, at, nil), at)
	w.tag("gomod", version, at, nil)
	w.publishGo(version, at)
	w.pushImage("app", version, w.tag("app", version, at, nil), at)
	w.pushImage("keyed", version, w.tag("keyed", version, at, nil), at)
	w.pushImage("box", version, w.tag("box", version, at, nil), at)
	w.release(version, w.tag("cli", version, at, nil), at)
}

func (w *world) repo(name string) *githubtest.Repo { return w.github.Repo("acme/" + name) }

// tag pushes a commit with a tag, has a run release it, and gives who signs in that run. change may
// make another run of it.
func (w *world) tag(name, version string, at time.Time, change func(*githubtest.Run)) verify.Identity {
	w.Helper()
	repo, tag := w.repo(name), "v"+version
	commit := repo.Push("main", w.files(name, publishing[name], version))
	repo.Memory().SetRef("refs/tags/"+tag, commit)
	run := githubtest.Run{
		Workflow: releaseWorkflow, Branch: tag, Head: commit.String(), Actor: "wren", Start: at.Add(-2 * time.Minute), End: at.Add(2 * time.Minute),
		Jobs: []githubtest.Job{{Name: "Release", Steps: []githubtest.Step{{Name: "Set up job"}, {Name: "Run actions/checkout@v4"}, {Name: "Run actions/cache@v4"}, {Name: "Publish"}}}},
	}
	if change != nil {
		change(&run)
	}
	run = repo.AddRun(run)
	if name != "cli" {
		repo.Publish(githubtest.Release{Tag: tag, At: at})
	}
	return w.signer(name, "refs/tags/"+tag, run)
}

// signer is what a certificate says that is given to a run.
func (w *world) signer(name, ref string, run githubtest.Run) verify.Identity {
	id := sigtest.Workflow("acme/"+name, filepath.Base(run.Workflow), ref)
	id.SourceRepositoryID, id.OwnerID = strconv.FormatInt(w.repo(name).ID, 10), strconv.FormatInt(w.github.Organization("acme").ID, 10)
	id.SourceDigest, id.BuildSignerDigest, id.BuildConfigDigest = run.Head, run.Head, run.Head
	if run.Event != "" {
		id.Trigger = run.Event
	}
	id.RunURI = fmt.Sprintf("%s/acme/%s/actions/runs/%d/attempts/%d", w.github.URL(), name, run.ID, run.Attempt)
	return id
}

// provenance is the bundle of a tarball.
func (w *world) provenance(version string, tarball []byte, id verify.Identity, at time.Time) []byte {
	w.Helper()
	sum := sha512.Sum512(tarball)
	bundle, err := w.sigstore.NPMProvenance("@acme/sdk", version, hex.EncodeToString(sum[:]), sigtest.Signing{Identity: id, At: at})
	if err != nil {
		w.Fatal(err)
	}
	return bundle
}

// publishNPM publishes @acme/sdk as a workflow does.
func (w *world) publishNPM(version string, id verify.Identity, at time.Time) {
	w.Helper()
	tarball := registrytest.Tarball("@acme/sdk", version)
	w.npm.Publish("@acme/sdk", registrytest.NPMVersion{
		Version: version, Time: at, User: "acme-releases", Email: "releases@acme.example", TrustedPublisher: "github", Tarball: tarball, GitHead: id.SourceDigest,
		Attestations: []registrytest.NPMAttestation{{PredicateType: "https://slsa.dev/provenance/v1", Bundle: w.provenance(version, tarball, id, at)}},
	})
}

// publishPyPI publishes a wheel of acme-lib with its attestation.
func (w *world) publishPyPI(version string, id verify.Identity, at time.Time) {
	w.Helper()
	w.uploadWheel("acme_lib-"+version+"-py3-none-any.whl", version, &id, at)
}

func (w *world) uploadWheel(file, version string, id *verify.Identity, at time.Time) {
	w.Helper()
	f := registrytest.PyPIFile{Name: file, Version: version, Time: at, Content: wheel(w.T, "acme_lib.py", "x = 1\n")}
	if id != nil {
		sum := sha256.Sum256(f.Content)
		bundle, err := w.sigstore.PyPIBundle(file, hex.EncodeToString(sum[:]), sigtest.Signing{Identity: *id, At: at})
		if err != nil {
			w.Fatal(err)
		}
		attestation, err := sigtest.PyPIAttestation(bundle)
		if err != nil {
			w.Fatal(err)
		}
		if f.Provenance, err = sigtest.PyPIProvenance(*id, attestation); err != nil {
			w.Fatal(err)
		}
	}
	w.pypi.Upload("acme-lib", f)
}

// publishGo has the proxy fetch the tag of the module.
func (w *world) publishGo(version string, at time.Time) {
	w.Helper()
	if err := w.proxy.Publish(w.module(version, at)); err != nil {
		w.Fatal(err)
	}
}

// server is where the images of a repository are.
func (w *world) server(name string) *registrytest.Server {
	if name == "box" {
		return w.harbor
	}
	return w.registry
}

func (w *world) images(name string) *images.Repository {
	w.Helper()
	repo, err := images.Open(w.server(name).Host+"/acme/"+name, nil)
	if err != nil {
		w.Fatal(err)
	}
	return repo
}

// pushImage pushes an image and signs it, by the key where it is acme/keyed.
func (w *world) pushImage(name, version string, id verify.Identity, at time.Time) {
	w.Helper()
	digest := w.pushUnsigned(name, version, name+" "+version, at)
	how := sigtest.Signing{Identity: id, At: at}
	if name == "keyed" {
		how = sigtest.Signing{Key: w.key, Log: sigtest.NoLog, Untimed: true}
	}
	if err := w.images(name).Sign(w.Context(), digest, w.sigstore, how); err != nil {
		w.Fatal(err)
	}
}

func (w *world) pushUnsigned(name, version, text string, at time.Time) string {
	w.Helper()
	digest, err := w.images(name).Push(w.Context(), version, text)
	if err != nil {
		w.Fatal(err)
	}
	if name == "box" {
		w.artifacts.Put("acme/box", registrytest.HarborArtifact{
			Digest: digest, MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 500, Pushed: at,
			Tags:        []registrytest.HarborTag{{Name: version, Pushed: at}},
			Accessories: []registrytest.HarborAccessory{{Digest: "sha256:" + strings.Repeat("ab", 32), Type: "signature.cosign", At: at}},
		})
	}
	return digest
}

// release publishes a release of acme/cli with an asset that is attested.
func (w *world) release(version string, id verify.Identity, at time.Time) {
	w.Helper()
	data := []byte("cli " + version)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	w.repo("cli").Publish(githubtest.Release{Tag: "v" + version, At: at, Assets: []githubtest.Asset{{Name: "cli.tgz", Data: data, At: at}}})
	bundle, err := w.sigstore.GitHubAttestation("cli.tgz", digest, sigtest.Signing{Identity: id, At: at})
	if err != nil {
		w.Fatal(err)
	}
	w.repo("cli").Attest(githubtest.Attestation{Subject: "sha256:" + digest, Predicate: "https://slsa.dev/provenance/v1", Bundle: bundle, Inline: true})
}

// enter works in a folder with the policy and what it needs, and sets the credentials.
func (w *world) enter() {
	w.Helper()
	w.Chdir(w.TempDir())
	for name, value := range map[string]string{
		"WORMSWEEP_APP_ID": strconv.FormatInt(w.github.App().ID, 10), "WORMSWEEP_APP_KEY": string(w.github.App().Key), "WORMSWEEP_INCIDENT_KEY": "the key of the marks",
		"WORMSWEEP_TOKEN": "", "GITHUB_TOKEN": "", "WORMSWEEP_INVENTORY": "", "XDG_CACHE_HOME": w.TempDir(), "HARBOR": "robot$sweeper:secret",
		"GOSUMDB": w.proxy.Log.Key() + " " + w.registry.URL + "/go/sumdb/" + w.proxy.Log.Name(),
	} {
		w.Setenv(name, value)
	}
	root, err := w.sigstore.TrustedRoot()
	if err != nil {
		w.Fatal(err)
	}
	write(w.T, "root.json", string(root))
	public, err := sigtest.PublicPEM(&ecdsa.PrivateKey{PublicKey: w.key.PublicKey})
	if err != nil {
		w.Fatal(err)
	}
	write(w.T, "release.pub", string(public))
	write(w.T, "wormsweep.yaml", w.policy())
	w.args = []string{"verify", "published", "--trusted-root", "root.json", "--github-url", w.github.URL(), "--format", "json"}
}

func (w *world) policy() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\norganisation: acme\nregistries:\n")
	for name, line := range map[string]string{
		"npm": "npm, address: " + w.npm.URL, "pypi": "pypi, address: " + w.pypi.URL, "go": "goproxy, address: " + w.registry.URL + "/go",
		"images": "oci, address: " + w.registry.URL, "harbor": "harbor, token-env: HARBOR, address: " + w.harbor.URL,
	} {
		fmt.Fprintf(&b, "  - {name: %s, private: true, protocol: %s}\n", name, line)
	}
	fmt.Fprintf(&b, "artifacts:\n")
	add := func(artifact, registry, source, more string, keyless bool) {
		fmt.Fprintf(&b, "  - artifact: %s\n", artifact)
		if registry != "" {
			fmt.Fprintf(&b, "    registry: %s\n", registry)
		}
		fmt.Fprintf(&b, "    source: acme/%s\n%s", source, more)
		if keyless {
			fmt.Fprintf(&b, "    run: true\n    identities:\n      - issuer: https://token.actions.githubusercontent.com\n"+
				"        san: \"https://github.com/acme/%s/%s@refs/tags/{tag}\"\n        repository-id: %d\n        owner-id: %d\n        workflow: %s\n        triggers: [push]\n",
				source, releaseWorkflow, w.repo(source).ID, w.github.Organization("acme").ID, releaseWorkflow)
		}
	}
	add("npm:@acme/sdk", "npm", "sdk", "    tag: v{version}\n    branch: main\n    release: true\n    maintainers: [acme-releases]\n    attestations: [https://slsa.dev/provenance/v1]\n", true)
	add("pypi:acme-lib", "pypi", "lib", "    tag: v{version}\n", true)
	add("go:"+modulePath, "go", "gomod", "    tag: \"{version}\"\n", false)
	add("oci:"+w.registry.Host+"/acme/app", "images", "app", "    tag: v{version}\n", true)
	add("oci:"+w.registry.Host+"/acme/keyed", "images", "keyed", "    tag: v{version}\n    keys: [{file: release.pub}]\n", false)
	add("oci:"+w.harbor.Host+"/acme/box", "harbor", "box", "    tag: v{version}\n", true)
	add("release:acme/cli", "", "cli", "    tag: v{version}\n", true)
	return b.String()
}

// ref is what a ref of a repository names.
func (w *world) ref(name, ref string) gitstore.ID {
	w.Helper()
	id, ok := gitstore.Lookup(w.repo(name).Memory(), ref)
	if !ok {
		w.Fatalf("acme/%s has no %s", name, ref)
	}
	return id
}

func (w *world) head(name string) string { return w.ref(name, "refs/heads/main").String() }

// resolve gives the digest that a tag of an image names, and move lets it name another one.
func (w *world) resolve(name, tag string) string {
	w.Helper()
	digest, err := w.images(name).Resolve(w.Context(), tag)
	if err != nil {
		w.Fatal(err)
	}
	return digest
}

func (w *world) move(name, tag, digest string) {
	w.Helper()
	if err := w.images(name).Move(w.Context(), tag, digest); err != nil {
		w.Fatal(err)
	}
}

// delete deletes the image that a tag names.
func (w *world) delete(name, tag string) {
	w.Helper()
	digest := w.resolve(name, tag)
	pusher := registrytest.Pusher{T: w.T, URL: w.server(name).URL, Repo: "acme/" + name}
	pusher.Delete(tag)
	pusher.Delete(digest)
}

// assets changes the assets of a release of acme/cli.
func (w *world) assets(tag string, change func([]githubtest.Asset) []githubtest.Asset) {
	w.repo("cli").Change(func(r *githubtest.Repository) {
		for i := range r.Releases {
			if r.Releases[i].Tag == tag {
				r.Releases[i].Assets = change(r.Releases[i].Assets)
			}
		}
	})
}

// module makes a version of the module anew, of its tag.
func (w *world) module(version string, at time.Time) registrytest.GoModule {
	w.Helper()
	var list []string
	for name, text := range w.files("gomod", publishing["gomod"], version) {
		list = append(list, name, text)
	}
	m, err := registrytest.MakeGoModule(modulePath, "v"+version, at, list...)
	if err != nil {
		w.Fatal(err)
	}
	return m
}

// wheel is a zip with one file.
func wheel(t *testing.T, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// day is one run: what it said of each version, and why.
type day struct {
	exit           int
	verdicts       map[string]verify.Verdict // by "npm 1.0.0": the kind or the image, and the version
	why            map[string][]string       // rules, refusals and gaps
	gone           []string
	counts         finding.Published
	stdout, stderr string
}

// short is how the tests name an artifact: by the repository that it is of.
func short(artifact string) string {
	artifact, _, _ = strings.Cut(artifact, "?")
	return map[string]string{"acme-lib": "lib"}[path.Base(artifact)] + map[bool]string{true: path.Base(artifact)}[path.Base(artifact) != "acme-lib"]
}

// run verifies everything.
func (w *world) run(args ...string) *day {
	w.Helper()
	d := &day{verdicts: map[string]verify.Verdict{}, why: map[string][]string{}}
	d.stdout, d.stderr, d.exit = run(w.T, slices.Concat(w.args, args)...)
	for line := range strings.Lines(d.stdout) {
		var e struct {
			Type, Artifact, Repository, Ref, Reason, Version string
			Verdict                                          verify.Verdict
			Refusals                                         []verify.Refusal
			Gaps                                             []verify.Gap
			Signals                                          []verify.Signal
			Published                                        json.RawMessage
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			w.Fatalf("%v: %s", err, line)
		}
		switch {
		case e.Type == "verification":
			key := short(e.Artifact) + " " + e.Version
			d.verdicts[key] = e.Verdict
			for _, r := range e.Refusals {
				d.why[key] = append(d.why[key], r.Code)
			}
			for _, s := range e.Signals {
				d.why[key] = append(d.why[key], s.Rule)
			}
			for _, g := range e.Gaps {
				d.why[key] = append(d.why[key], g.Code)
			}
		case e.Type == "coverage" && e.Reason == "gone":
			d.gone = append(d.gone, short(e.Repository)+" "+e.Ref)
		case e.Type == "summary":
			if err := json.Unmarshal(e.Published, &d.counts); err != nil {
				w.Fatal(err)
			}
		}
	}
	return d
}

// is compares a day with the exit code and the versions that are not verified: "sdk 1.3.0
// suspicious no-release-nearby", of which each word must be among the reasons.
func (d *day) is(t *testing.T, exit int, bad ...string) {
	t.Helper()
	failed := d.exit != exit
	left := maps.Clone(d.verdicts)
	for _, b := range bad {
		words := strings.Fields(b)
		key := words[0] + " " + words[1]
		failed = failed || string(left[key]) != words[2]
		for _, reason := range words[3:] {
			failed = failed || !slices.Contains(d.why[key], reason)
		}
		delete(left, key)
	}
	for _, v := range left {
		failed = failed || v != verify.Verified
	}
	if !failed {
		return
	}
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(d.verdicts)) {
		if d.verdicts[key] == verify.Verified {
			continue
		}
		fmt.Fprintf(&b, "  %s %s %q\n", key, d.verdicts[key], d.why[key])
	}
	for line := range strings.Lines(d.stdout) {
		if strings.HasPrefix(line, `{"type":"problem"`) || strings.HasPrefix(line, `{"type":"finding"`) {
			b.WriteString("  " + line)
		}
	}
	t.Fatalf("exit %d; want exit %d, %q and the rest verified\n%s%s", d.exit, exit, bad, b.String(), d.stderr)
}
