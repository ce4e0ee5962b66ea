package pypi_test

import (
	"strings"
	"testing"

	"github.com/wormsweep/wormsweep/pkg/lockfile"
	"github.com/wormsweep/wormsweep/pkg/lockfile/pypi"
	"github.com/wormsweep/wormsweep/pkg/registry/host"
)

// evil is what one line that pins evil 6.6.6 is read as.
const evil = "1 registry evil 6.6.6\n"

func TestRequirement(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"evil==6.6.6", evil},
		{"evil==6.6.6\n", evil},
		{"evil==6.6.6\r\n", evil},
		{"  evil  ==  6.6.6  ", evil},
		{"\tevil\t==\t6.6.6\t", evil},
		{"evil == 6.6.6", evil},
		{"evil==\u00a06.6.6", evil}, // a space to Python
		{"evil (==6.6.6)", evil},
		{"evil(== 6.6.6 , >1)", evil},
		{"EVIL==6.6.6", evil},
		{"evil[extra]==6.6.6", evil},
		{"evil [ extra , two ] == 6.6.6", evil},
		{"evil[]==6.6.6", evil},
		{"evil===6.6.6", evil},
		{"evil==6.6.6;python_version>'3'", evil},
		{"evil==6.6.6 ; sys_platform == 'win32' and extra == \"x\"", evil},
		{"evil==6.6.6,>=1", evil},
		{"evil>=1,==6.6.6,<7", evil},
		{"evil==6.*,==6.6.6", evil},
		{"evil==6.6.6,", evil},
		{"e.v_i--l==6.6.6", "1 registry e-v-i-l 6.6.6\n"},
		{"evil==6.6.6.0", "1 registry evil 6.6.6.0\n"},
		{"evil==v6.6.6", "1 registry evil v6.6.6\n"},
		{"evil==6.6.6+local", "1 registry evil 6.6.6+local\n"},
		{"evil==1!6.6.6rc1.post2.dev3", "1 registry evil 1!6.6.6rc1.post2.dev3\n"},
		{"evil==1,==2", "1 registry evil 1\n1 registry evil 2\n"},

		{"evil", "1 range evil\n"},
		{"evil>=1", "1 range evil range=>=1\n"},
		{"evil ~= 1.4 , != 1.5", "1 range evil range=~= 1.4 , != 1.5\n"},
		{"evil==6.*", "1 range evil range===6.*\n"},
		{"evil[x] ; python_version > '3'", "1 range evil\n"},
		{"evil (>1)", "1 range evil range=>1\n"},

		// Comments begin after space alone.
		{"# evil==6.6.6", ""},
		{"  # evil==6.6.6", ""},
		{"evil==6.6.6 # why", evil},
		{"evil==6.6.6\t#why", evil},
		{"evil==6.6.6\x1f# why", evil},
		{"evil==6.6.6#why", evil + "! line 1: syntax: \"evil==6.6.6#why\": not understood from \"==6.6.6#why\" on\n"},

		// Outside of the grammar.
		{"evil=6.6.6", "1 range evil range==6.6.6\n! line 1: syntax: \"evil=6.6.6\": not understood from \"=6.6.6\" on\n"},
		{"evil 6.6.6", "1 range evil range=6.6.6\n! line 1: syntax: \"evil 6.6.6\": not understood from \"6.6.6\" on\n"},
		{"evil==6.6.6 >1", evil + "! line 1: syntax: \"evil==6.6.6 >1\": not understood from \"==6.6.6 >1\" on\n"},
		{"evil==6.6.6[extra]", "1 registry evil 6.6.6[extra]\n! line 1: version: \"6.6.6[extra]\" of \"evil\" is no version\n"},
		{"evil==06.6.6x", "1 registry evil 06.6.6x\n! line 1: version: \"06.6.6x\" of \"evil\" is no version\n"},
		{"evil==*", "1 registry evil *\n! line 1: version: \"*\" of \"evil\" is no version\n"},
		{"evil==", "1 registry evil\n! line 1: syntax: \"evil==\": not understood from \"==\" on\n! line 1: version: \"\" of \"evil\" is no version\n"},
		{"evil[x==6.6.6", "1 range evil range=[x==6.6.6\n! line 1: syntax: \"evil[x==6.6.6\": not understood from \"[x==6.6.6\" on\n"},
		{"evil_==6.6.6", "1 registry evil- 6.6.6\n! line 1: name: \"evil_\" is no name of a package\n"},
		{"évil==6.6.6", "1 registry évil 6.6.6\n! line 1: name: \"évil\" is no name of a package\n"},
		{"==6.6.6", "! line 1: syntax: \"==6.6.6\": not understood from \"==6.6.6\" on\n"},
		{"evil~=https://x/evil-1.zip", "1 range evil range=~=https://x/evil-1.zip\n! line 1: syntax: \"evil~=https://x/evil-1.zip\": not understood from \"evil~=https://x/evil-1.zip\" on\n"},
		{"${EVIL}==6.6.6", "1 registry $ 6.6.6\n! line 1: syntax: \"${EVIL}==6.6.6\": not understood from \"{EVIL}==6.6.6\" on\n! line 1: name: \"$\" is no name of a package\n"},
		{"evil==${V}", "1 registry evil ${V}\n! line 1: version: \"${V}\" of \"evil\" is no version\n"},
	} {
		check(t, pypi.ParseRequirements, tt.in, tt.want)
	}
}

// TestKelvin has a letter beyond ASCII that Python's lower case turns into one within.
func TestKelvin(t *testing.T) {
	check(t, pypi.ParseRequirements, "\u212aeyv==6.6.6", "1 registry keyv 6.6.6\n! line 1: name: \"\u212aeyv\" is no name of a package\n")
}

func TestLocatedRequirement(t *testing.T) {
	files := "https://" + host.PyPIFiles + "/packages/aa/bb/"
	for _, tt := range []struct{ in, want string }{
		{"evil @ " + files + "evil-6.6.6-py3-none-any.whl", "1 registry evil 6.6.6 url=" + files + "evil-6.6.6-py3-none-any.whl\n"},
		{files + "evil-6.6.6.tar.gz#sha256=" + hex, "1 registry evil 6.6.6 url=" + files + "evil-6.6.6.tar.gz#sha256=" + hex + "\n"},
		{"good @ " + files + "evil-6.6.6-py3-none-any.whl", "1 registry good url=" + files + "evil-6.6.6-py3-none-any.whl address=evil@6.6.6\n"},
		{"evil@https://x.example/evil-6.6.6.zip", "1 url evil url=https://x.example/evil-6.6.6.zip address=evil@6.6.6\n"},
		{"good[x] @ https://x.example/EVIL-6.6.6.zip ; python_version > '3'", "1 url good url=https://x.example/EVIL-6.6.6.zip address=evil@6.6.6\n"},
		{"https://x.example/ev_il-6.6.6-1-py3-none-any.whl", "1 url ev-il url=https://x.example/ev_il-6.6.6-1-py3-none-any.whl address=ev-il@6.6.6\n"},
		{"https://x.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl", "1 url torch url=https://x.example/torch-2.0%2Bcpu-cp311-cp311-linux_x86_64.whl address=torch@2.0+cpu\n"},
		{"https://x.example/archive/0123abc.zip#egg=evil", "1 url evil url=https://x.example/archive/0123abc.zip#egg=evil\n"},
		{"https://x.example/good-1.0.zip?x=/evil-6.6.6.zip", "1 url good url=https://x.example/good-1.0.zip?x=/evil-6.6.6.zip address=good@1.0\n"},
		{"good @ https://x.example/a/good-1.0.zip#/evil-6.6.6.zip", "1 url good url=https://x.example/a/good-1.0.zip#/evil-6.6.6.zip address=good@1.0\n"},
		{"good @ https://x.example/good-1.0.zip/../evil-6.6.6.zip", "1 url good url=https://x.example/good-1.0.zip/../evil-6.6.6.zip address=evil@6.6.6\n"},
		{"good @ https://x.example/a%2Fevil-6.6.6.zip", "1 url good url=https://x.example/a%2Fevil-6.6.6.zip address=evil@6.6.6\n"},
		{"good @ https://x.example/good-1.0.zip evil==6.6.6", "1 url good url=https://x.example/good-1.0.zip address=good@1.0\n! line 1: syntax: \"good @ https://x.example/good-1.0.zip evil==6.6.6\": not understood from \"evil==6.6.6\" on\n"},
		{"good @ hxxp://x.example/good-1.0.zip", "1 file good 1.0 url=hxxp://x.example/good-1.0.zip\n! line 1: syntax: \"good @ hxxp://x.example/good-1.0.zip\": not understood from \"hxxp://x.example/good-1.0.zip\" on\n"},
		{"good @ https://${TOKEN}@x.example/good-1.0.zip", "1 url good url=https://${TOKEN}@x.example/good-1.0.zip address=good@1.0\n"},
		{"good @ https://x.example/${FILE}.zip", "1 url good url=https://x.example/${FILE}.zip\n! line 1: entry: \"https://x.example/${FILE}.zip\" depends on the environment\n"},

		{"git+https://git.example/a/evil.git@0123abcdef#egg=evil&subdirectory=x", "1 git evil url=git+https://git.example/a/evil.git commit=0123abcdef\n"},
		{"evil @ git+ssh://git@git.example/a/b.git@main", "1 git evil url=git+ssh://git@git.example/a/b.git\n"},
		{"-e git+https://user:pass@git.example/a/b.git#egg=evil[x]", "1 git evil url=git+https://user:pass@git.example/a/b.git\n"},
		{"--editable=git://git.example/a/evil.git@" + hex[:40], "1 git evil url=git://git.example/a/evil.git commit=" + hex[:40] + "\n"},
		{"git+https://git.example/a/b.git@0123abc#egg=e%76il", "1 git evil url=git+https://git.example/a/b.git commit=0123abc\n"},
		{"git+https://git.example/a/b.git@0123ab#egg=e%zz", "1 git e%zz url=git+https://git.example/a/b.git\n! line 1: name: \"e%zz\" is no name of a package\n"},
		{"hg+http://hg.example/a/b@v1", "1 git b url=hg+http://hg.example/a/b\n"},

		{".", "1 file  url=.\n"},
		{"-e .", "1 file  url=.\n"},
		{"-e ./libs/evil[extra]", "1 file evil url=./libs/evil\n"},
		{"./evil-6.6.6-py3-none-any.whl", "1 file evil 6.6.6 url=./evil-6.6.6-py3-none-any.whl\n"},
		{"evil-6.6.6.tar.gz", "1 file evil 6.6.6 url=evil-6.6.6.tar.gz\n"},
		{"good @ file:///x/evil-6.6.6.tar.gz", "1 file good url=file:///x/evil-6.6.6.tar.gz address=evil@6.6.6\n"},
		{`C:\wheels\evil-6.6.6-py3-none-any.whl`, "1 file evil 6.6.6 url=C:\\wheels\\evil-6.6.6-py3-none-any.whl\n"},
		{"evil-6.6.6.tar.gz==1.0", "1 registry evil-6-6-6-tar-gz 1.0\n"}, // a name to pip
	} {
		check(t, pypi.ParseRequirements, tt.in, tt.want)
	}
}

func TestRequirementsOptions(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"evil==6.6.6 --hash=" + sha256 + " --hash sha256:" + strings.Repeat("f", 64), "1 registry evil 6.6.6 sha256:0123 sha256:ffff\n"},
		{"evil==6.6.6 \\\n    --hash=" + sha256 + " \\\n    --hash=" + sha256 + "\n    # via x\ngood==1\n", "1 registry evil 6.6.6 sha256:0123 sha256:0123\n5 registry good 1\n"},
		{"evil==6.6.6 --hash=sha256:0123", evil + "! line 1: digest: \"sha256:0123\" is no digest\n"},
		{"evil==6.6.6 --hash=" + hex, evil + "! line 1: digest: \"" + hex + "\" is no digest\n"},
		{"evil==6.6.6 --hash=sha999:" + hex, evil + "! line 1: digest: \"sha999:" + hex + "\" is no digest\n"},
		{"evil==6.6.6 --global-option=\"--x y\" --config-settings=a=b -C c=d", evil},
		{"evil==6.6.6 -f https://x.example/wheels", evil},

		{"-i https://${USER}:${PASS}@x.example/simple\n--extra-index-url=https://y.example\n--no-index --pre\n--find-links \"./my wheels\"\n--trusted-host x.example\n--no-binary :all: --only-binary=:none:\n--prefer-binary\n--require-hashes\n--use-feature=x", ""},

		{"-r base.txt", "1 include base.txt\n"},
		{"-rbase.txt", "1 include base.txt\n"},
		{"--requirement base.txt", "1 include base.txt\n"},
		{"--requirement=base.txt", "1 include base.txt\n"},
		{"--requirem base.txt", "1 include base.txt\n"}, // as far as optparse needs it
		{"-r 'my base.txt'", "1 include my base.txt\n"},
		{`-r my\ base.txt`, "1 include my base.txt\n"},
		{"-c constraints.txt", "1 include constraints.txt constraint\n"},
		{"--constraint=constraints.txt", "1 include constraints.txt constraint\n"},
		{"-r a.txt -r b.txt", "1 include a.txt\n1 include b.txt\n"}, // pip reads the first, uv neither
		{"--pre -r a.txt", "1 include a.txt\n"},
		{"evil==6.6.6 -r a.txt", evil + "1 include a.txt\n"},
		{"-r=a.txt", "1 include a.txt\n! line 1: syntax: \"-r=a.txt\": the equals sign is a part of the value to pip, and none to uv\n"},
		{"-r https://x.example/a.txt", "! line 1: include: \"https://x.example/a.txt\" is not in the project\n"},
		{"-r ${DIR}/a.txt", "! line 1: include: \"${DIR}/a.txt\" depends on the environment\n"},

		{"--frobnicate", "! line 1: syntax: no option \"--frobnicate\"\n"},
		{"--req a.txt", "1 range a-txt\n! line 1: syntax: no option \"--req\"\n! line 1: syntax: \"a.txt\" after an option: pip ignores it, and uv may not\n"},
		{"-x", "! line 1: syntax: no option \"-x\"\n"},
		{"--pre=yes", "! line 1: syntax: the option --pre has no value\n"},
		{"-r", "! line 1: syntax: the option --requirement without a value\n"},
		{"-r 'a.txt", "1 include 'a.txt\n! line 1: syntax: a quote that is not closed in \"-r 'a.txt\"\n"},
		{"--no-index evil==6.6.6", evil + "! line 1: syntax: \"evil==6.6.6\" after an option: pip ignores it, and uv may not\n"},
		{"good==1 --hash=" + sha256 + " evil==6.6.6", "1 registry good 1 sha256:0123\n1 registry evil 6.6.6\n! line 1: syntax: \"evil==6.6.6\" after an option: pip ignores it, and uv may not\n"},
		{"--pre x -r a.txt", "1 range x\n1 include a.txt\n! line 1: syntax: \"x\" after an option: pip ignores it, and uv may not\n"},
		{"--pre -- -r a.txt", "1 range -r range=a.txt\n! line 1: syntax: \"-r a.txt\" after an option: pip ignores it, and uv may not\n! line 1: syntax: \"-r a.txt\": not understood from \"a.txt\" on\n! line 1: name: \"-r\" is no name of a package\n"},
		{"-e git+https://git.example/a/b.git#egg=evil ; python_version > '3'", "1 git evil url=git+https://git.example/a/b.git\n"},
		{"-e ''", "! line 1: entry: a requirement without a name\n"},
	} {
		check(t, pypi.ParseRequirements, tt.in, tt.want)
	}
}

// TestRequirementsLines has what ends a line and what joins two.
func TestRequirementsLines(t *testing.T) {
	const both = "1 registry good 1\n2 registry evil 6.6.6\n"
	for _, tt := range []struct{ in, want string }{
		{"good==1\nevil==6.6.6", both},
		{"good==1\r\nevil==6.6.6", both},
		{"# c\nevil==6.6.6", "2 registry evil 6.6.6\n"},
		// Python's str.splitlines knows more ends of lines than an editor does.
		{"# c\revil==6.6.6", evil},
		{"# c\vevil==6.6.6", evil},
		{"# c\fevil==6.6.6", evil},
		{"# c\x1cevil==6.6.6", evil},
		{"# c\x1devil==6.6.6", evil},
		{"# c\x1eevil==6.6.6", evil},
		{"# c\u0085evil==6.6.6", evil},
		{"# c\u2028evil==6.6.6", evil},
		{"# c\u2029evil==6.6.6", evil},
		{"# c\x1fevil==6.6.6", ""}, // no end of a line
		{"# \u00e9\u20ac\nevil==6.6.6", "2 registry evil 6.6.6\n"},

		{"evil\\\n==6.6.6", evil},
		{"ev\\\nil==6.\\\n6.6", evil},
		{"evil==6.6.6 \\\n\n\\\ngood==1", evil + "3 registry good 1\n"},
		{"evil==6.6.6 \\", evil},
		{"\\evil==6.6.6\\\n", evil}, // stripped from both ends
		{"\\\\evil==6.6.6\\\\\\\n", evil},
		{"evil==6.6.6 \\\n# c \\\ngood==1", evil + "3 registry good 1\n"}, // a comment joins nothing
		{"# c \\\nevil==6.6.6", "2 registry evil 6.6.6\n"},
		{"good==1 # c \\\nevil==6.6.6", both + "! line 1: syntax: a backslash ends a comment: pip skips the next line, and uv reads it\n"},
		{"good==1 \\ \nevil==6.6.6", both + "! line 1: syntax: \"good==1 \\\\\": not understood from \"==1 \\\\\" on\n"},
		{"good==1 \\\r\n  --hash=" + sha256 + "\r\nevil==6.6.6", "1 registry good 1 sha256:0123\n3 registry evil 6.6.6\n"},
	} {
		check(t, pypi.ParseRequirements, tt.in, tt.want)
	}
}

func TestRequirementsIn(t *testing.T) {
	check(t, pypi.ParseRequirementsIn, text("evil==6.6.6", "good", "-r base.in", "git+https://git.example/a/b.git", "https://"+host.PyPIFiles+"/evil-6.6.6.zip"),
		text("1 manifest evil range===6.6.6 direct", "2 manifest good direct", "4 git b url=git+https://git.example/a/b.git direct",
			"5 url evil url=https://"+host.PyPIFiles+"/evil-6.6.6.zip direct address=evil@6.6.6", "3 include base.in"))
}

// Entries without options or joined lines cost no allocation of their own.
func TestRequirementsAllocations(t *testing.T) {
	data := []byte(strings.Repeat("some-name==1.2.3\nother-name>=1.0\n", 500))
	n := testing.AllocsPerRun(10, func() { pypi.ParseRequirements(data, lockfile.Options{}) })
	if n > 10 {
		t.Errorf("%v allocations for 1000 requirements", n)
	}
}
