package feeds

import "github.com/wormsweep/wormsweep/pkg/registry/host"

// Default is the configuration of somebody who names none: the malicious packages of OSV, and
// GitHub's advisories of malware. Both are kept by many hands, withdraw what was wrong, and are
// free to ask for.
func Default() Config {
	const osv = "https://" + host.OSVFiles + "/osv-vulnerabilities/"
	c := Config{
		Schema: ConfigSchema,
		Feeds: []Feed{
			{Name: "osv-npm", Kind: KindOSV, URL: osv + "npm/all.zip"},
			{Name: "osv-pypi", Kind: KindOSV, URL: osv + "PyPI/all.zip"},
			{Name: "osv-go", Kind: KindOSV, URL: osv + "Go/all.zip"},
			{Name: "github-malware", Kind: KindGHSA},
		},
	}
	if err := c.check("."); err != nil {
		panic(err) // a table of our own, which a test reads
	}
	return c
}
