// Package pypi reads the files that say which packages of PyPI a project uses:
//
//   - requirements files and constraints files of pip, and *.in files of pip-tools
//   - poetry.lock, uv.lock, pdm.lock, Pipfile.lock and pylock.toml (PEP 751)
//   - the manifests pyproject.toml and Pipfile
//   - METADATA of an installed package
//
// Each Parse function is pure: it opens nothing, and gives one answer for one file, in the
// order of the file. It reads what the installers would install, and somewhat more: where
// two installers read a text in two ways, what either would install is in Packages, and
// the text is a Problem.
//
// Names are in the normal form of PEP 503, versions as they are written. An entry is of
// kind Registry where its file names one exact version (a lockfile's entry, or "==" and
// "===" in a requirement), and Range where a requirement leaves a choice. Manifests give
// kind Manifest with the specifier in Range. Entries that name an archive, a repository or
// a path are of the kinds URL, Git and Path; an archive at PyPI itself is of kind Registry.
// An entry without a name stands under the last part of its address.
package pypi
