package detect_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/detect/health"
	"github.com/chargewatch/chargewatch/internal/detect/security"
)

var verb = regexp.MustCompile(`%[+]?[0-9.]*[a-z%]`)

// literals are the strings of the program's files of some folders, those of Say
// marked.
func literals(t *testing.T, folders ...string) (said, all map[string]bool) {
	said, all = make(map[string]bool), make(map[string]bool)
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(folder, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Say" && len(n.Args) > 0 {
						if l, ok := n.Args[0].(*ast.BasicLit); ok {
							s, _ := strconv.Unquote(l.Value)
							said[s] = true
						}
					}
				case *ast.BasicLit:
					if n.Kind == token.STRING {
						s, _ := strconv.Unquote(n.Value)
						all[s] = true
					}
				}
				return true
			})
		}
	}
	return said, all
}

func TestEverySentenceIsInBothLanguages(t *testing.T) {
	w := detect.German()
	said, all := literals(t, "health", "security", "../incident", "../notify")
	if len(said) < 40 {
		t.Fatalf("only %d sentences were found", len(said))
	}
	for s := range said {
		if w.Sentences[s] == "" {
			t.Errorf("no German of %q", s)
		}
	}
	for english, german := range w.Sentences {
		if !all[english] {
			t.Errorf("nobody says %q", english)
		}
		if a, b := verb.FindAllString(english, -1), verb.FindAllString(german, -1); !slices.Equal(a, b) {
			t.Errorf("%q has other values than %q", german, english)
		}
	}
	for english := range w.Phrases {
		if !all[english] {
			t.Errorf("nobody says %q", english)
		}
	}
}

func TestNoFindingIsSaidInOneLanguage(t *testing.T) {
	for _, folder := range []string{"health", "security"} {
		files, err := filepath.Glob(filepath.Join(folder, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range strings.Split(string(text), "\n") {
				if !strings.HasSuffix(name, "_test.go") && regexp.MustCompile(`Text(:| =| \+=)\s*(fmt\.Sprintf|"[^ ])`).MatchString(line) {
					t.Errorf("%s:%d: a sentence that is not said by Say: %s", name, n+1, strings.TrimSpace(line))
				}
			}
		}
	}
}

func TestEveryParameterIsInBothLanguages(t *testing.T) {
	w := detect.German()
	left := make(map[string]map[string]string)
	for id, params := range w.Params {
		left[id] = maps.Clone(params)
	}
	for _, d := range slices.Concat(health.Detectors(), security.Detectors()) {
		for _, p := range d.Params {
			if w.Params[d.ID][p.Name] == "" {
				t.Errorf("no German of %s.%s: %s", d.ID, p.Name, p.Doc)
			}
			delete(left[d.ID], p.Name)
		}
	}
	for id, params := range left {
		for name := range params {
			t.Errorf("there is no parameter %s.%s", id, name)
		}
	}
}

func TestASentenceInGerman(t *testing.T) {
	w := detect.German()
	tests := map[string]struct {
		format string
		args   []any
		want   string
	}{
		"a duration":            {"Nothing has been heard of the station for %s.", []any{detect.Span(3 * time.Hour)}, "Die Station ist seit 3 Stunden nicht zu hören."},
		"one of a unit":         {"%s at equal load", []any{detect.Count{N: 1, Unit: "neighbour"}}, "1 Nachbar bei gleicher Last"},
		"a fraction":            {"The station takes up to %.1f s to answer; so far 95 of 100 answers came within %.1f s.", []any{9.25, 1.3}, "Die Station braucht bis zu 9,2 s für Antworten; bisher kamen 95 von 100 binnen 1,3 s."},
		"a phrase with a code":  {"One driver failed %.0f times in a row here; their car or card may be the reason. The last: %s.", []any{3.0, detect.Phrase("no power flowed, CX011")}, "Ein Fahrer ist hier 3-mal nacheinander gescheitert; es kann an Fahrzeug oder Karte liegen. Zuletzt: es floss kein Strom, CX011."},
		"a format nobody knows": {"%d things", []any{3}, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := w.Sentence(tc.format, tc.args...); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
