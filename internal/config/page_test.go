package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// page is what operators read.
func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/ops/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestThePageListsEveryFlagWithItsVariableAndDefault(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| (`--.*?) \\| (.*?) \\| (.*?) \\|")
	quoted := regexp.MustCompile("`([^`]*)`")
	c := Default()
	want := map[string]string{"--config": "none"}
	for _, o := range options() {
		want["--"+o.name] = o.show(&c)
		switch {
		case o.flag:
			want["--"+o.name] = "no"
		case o.name == "allow-net":
			want["--"+o.name] = "private networks"
		case want["--"+o.name] == "":
			want["--"+o.name] = "none"
		}
	}
	for _, m := range row.FindAllStringSubmatch(page(t), -1) {
		flags, variables, defaults := quoted.FindAllStringSubmatch(m[1], -1), quoted.FindAllStringSubmatch(m[2], -1), strings.Split(m[3], ", ")
		if len(flags) != len(variables) || len(flags) != len(defaults) {
			t.Errorf("%s: as many variables and defaults as flags", m[0])
			continue
		}
		for i, f := range flags {
			name := f[1]
			have := strings.Trim(defaults[i], "`")
			if w, ok := want[name]; !ok || w != have {
				t.Errorf("%s: the page says %q, the program %q", name, have, w)
			}
			if v := environment(strings.TrimPrefix(name, "--")); !strings.HasSuffix(v, variables[i][1]) {
				t.Errorf("%s: the page says %q, the program %q", name, variables[i][1], v)
			}
			delete(want, name)
		}
	}
	for name := range want {
		t.Errorf("the page says nothing of %s", name)
	}
}

func TestTheFileOfThePageIsValidAndNamesEveryKey(t *testing.T) {
	_, rest, ok := strings.Cut(page(t), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("the page has no file")
	}
	p := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load("check", []string{"--config", p}, none, nil); err != nil {
		t.Error(err)
	}
	source, err := os.ReadFile("config.go")
	if err != nil {
		t.Fatal(err)
	}
	asFlag := []string{"tls", "behindProxy", "trustedProxies", "allowNet", "log", "logFormat"}
	for _, m := range regexp.MustCompile("`yaml:\"([A-Za-z]+)\"`").FindAllStringSubmatch(string(source), -1) {
		if !strings.Contains(text, m[1]+":") && !slices.Contains(asFlag, m[1]) {
			t.Errorf("the file of the page lacks %s", m[1])
		}
	}
}
