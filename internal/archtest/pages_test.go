package archtest

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// noMachines keeps the repository free of where it was made: absolute paths of
// somebody's machine and mirrors of package registries.
func (r *tree) noMachines(t *testing.T) {
	// Composed, so that this file does not find itself.
	paths := regexp.MustCompile(`(^|[\s"'(=:])/(` + strings.Join([]string{"work", "root", "home/[a-z]+", "Users/[A-Za-z]+", "mnt"}, "|") + `)/`)
	resolved := regexp.MustCompile(`"resolved": "(https?://[^/"]+)`)
	registry := "https://registry." + "npmjs.org"
	for _, name := range r.files {
		if !textual(name) {
			continue
		}
		text := r.read(t, name)
		if m := paths.FindString(text); m != "" {
			t.Errorf("%s names a path of a machine: %q", name, strings.TrimSpace(m))
		}
		for _, m := range resolved.FindAllStringSubmatch(text, -1) {
			if m[1] != registry {
				t.Errorf("%s names the package registry %s", name, m[1])
				break
			}
		}
		if path.Base(name) == ".npmrc" && strings.Contains(text, "//") {
			t.Errorf("%s names a package registry", name)
		}
	}
}

func textual(name string) bool {
	switch path.Ext(name) {
	case ".png", ".jpg", ".ico", ".woff2", ".zst", ".db", ".gz", ".pmtiles":
		return false
	}
	return !strings.Contains(name, "/testdata/fuzz/")
}

func (r *tree) noBuildResults(t *testing.T) {
	for _, name := range r.files {
		if strings.Contains(name, "node_modules/") || strings.HasPrefix(name, "bin/") {
			t.Errorf("%s is installed or built, not written", name)
			continue
		}
		f, err := os.Open(filepath.Join(r.root, name))
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 4)
		n, _ := f.Read(head) // an empty file has no head
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		for _, magic := range []string{"\x7fELF", "\xcf\xfa\xed\xfe", "MZ\x90\x00"} {
			if bytes.Equal(head[:n], []byte(magic)) {
				t.Errorf("%s is a program", name)
			}
		}
	}
}

// links checks that relative links of all pages lead to a file, and to a
// heading if they name one.
func (r *tree) links(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code := regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	for _, name := range r.files {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(r.read(t, name), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			to, heading, _ := strings.Cut(m[1], "#")
			target := name
			if to != "" {
				target = path.Join(path.Dir(name), to)
			}
			if r.notMadeYet(target) {
				continue
			}
			if _, err := os.Stat(filepath.Join(r.root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
				continue
			}
			if heading != "" && !slices.Contains(headings(r.read(t, target)), heading) {
				t.Errorf("%s links to the heading %s, which is not there", name, m[1])
			}
		}
	}
}

// namedPages checks that a page that code or configuration points to is there.
func (r *tree) namedPages(t *testing.T) {
	page := regexp.MustCompile(`\bdocs/[A-Za-z0-9/_-]+\.md\b`)
	for _, name := range r.files {
		if !slices.Contains([]string{".go", ".yaml", ".yml", ".ts", ".tsx", ".service", ".sql"}, path.Ext(name)) {
			continue
		}
		for _, p := range page.FindAllString(r.read(t, name), -1) {
			if _, err := os.Stat(filepath.Join(r.root, p)); err != nil {
				t.Errorf("%s points to %s, which is not there", name, p)
			}
		}
	}
}

// notMadeYet reports what make bench and make e2e leave behind when they run for
// the first time; once one of it is there, all that is linked has to be.
func (r *tree) notMadeYet(target string) bool {
	for _, made := range []string{"docs/images", "test/load/results"} {
		if target == made || path.Dir(target) == made {
			_, err := os.Stat(filepath.Join(r.root, made))
			return err != nil
		}
	}
	return false
}

// headings returns the anchors of a page.
func headings(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		title := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		list = append(list, strings.Map(func(c rune) rune {
			switch {
			case c == ' ':
				return '-'
			case c == '-' || c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c):
				return c
			}
			return -1
		}, title))
	}
	return list
}

// roomTable keeps the page that newcomers read first equal to the tree.
func (r *tree) roomTable(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)`")
	var listed []string
	for _, m := range row.FindAllStringSubmatch(r.read(t, "ARCHITECTURE.md"), -1) {
		listed = append(listed, m[1])
	}
	there := make(map[string]bool)
	for dir := range r.packages() {
		if sub, ok := strings.CutPrefix(dir, "internal/"); ok {
			there[sub] = true
		}
	}
	for name := range there {
		if !slices.ContainsFunc(listed, func(l string) bool { return name == l || strings.HasPrefix(name, l+"/") }) {
			t.Errorf("ARCHITECTURE.md says nothing of the room %s", name)
		}
	}
	for _, l := range listed {
		found := false
		for name := range there {
			found = found || name == l || strings.HasPrefix(name, l+"/")
		}
		if !found {
			t.Errorf("ARCHITECTURE.md names the room %s, which is not there", l)
		}
	}
}
