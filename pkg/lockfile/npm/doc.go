// Package npm reads the lockfiles and manifests of the npm ecosystem, whichever tool
// wrote them: npm, yarn, pnpm, bun and deno.
//
// A reader is a pure function of its bytes; the rules of package lockfile hold. Names are
// the real ones: an entry installed under an alias stands under its target, with
// Package.Alias set. An entry's version is checked against node-semver and its name
// against what the registry could ever hold; both leave a Problem beside the entry.
//
// Source.Kind is Registry for whatever may be the public package of its name: from any
// registry or mirror, and where the file does not say from where. It is another kind only
// where the file itself says that the entry is a git repository, a path, a link, a member
// of the project, or an archive at an address that does not look like a registry's.
// Package.Address is set where that address names another package or version.
//
// What the project itself is (the root entry of a lockfile, the name and version of a
// manifest) is not a package that the file locks, and is left out.
package npm
