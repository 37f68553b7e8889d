package web

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2/validation"

	"github.com/chargewatch/chargewatch/internal/store"
)

// sentence is a text of the program with 7 for what differs; empty if nothing of it
// is written there.
func sentence(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(x.Value)
		return s
	case *ast.BinaryExpr:
		return sentence(x.X) + sentence(x.Y)
	case *ast.CallExpr:
		if f, ok := x.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return regexp.MustCompile(`%[a-z]`).ReplaceAllString(sentence(x.Args[0]), "7")
		}
	}
	return "7"
}

// faultsOf are the texts of faults that the files of a folder write, those of their
// helpers aside.
func faultsOf(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(folder, err)
	}
	var out []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			c, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			kind := ""
			switch x := c.Type.(type) {
			case *ast.Ident:
				kind = x.Name
			case *ast.SelectorExpr:
				kind = x.Sel.Name
			}
			for i, e := range c.Elts {
				value, field := e, ""
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if id, ok := kv.Key.(*ast.Ident); ok {
						field = id.Name
					}
					value = kv.Value
				}
				if kind == "InvalidError" && (field == "Reason" || field == "" && i == 1) || kind == "ErrorDetail" && field == "Message" {
					if s := sentence(value); strings.Trim(s, "7 ") != "" {
						out = append(out, s)
					}
				}
			}
			return true
		})
	}
	return out
}

func TestEveryFaultIsInBothLanguages(t *testing.T) {
	w, n := newFaultWords(), 0
	for _, folder := range []string{".", "../store", "../notify", "../campaign"} {
		for _, s := range faultsOf(t, folder) {
			if n++; w.german(s) == s {
				t.Errorf("no German of %q", s)
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d faults were found", n)
	}
	for _, s := range []string{
		validation.MsgUnexpectedProperty, validation.MsgExpectedString, validation.MsgExpectedNumber, validation.MsgExpectedInteger, validation.MsgExpectedBoolean,
		validation.MsgExpectedArray, validation.MsgExpectedObject, validation.MsgExpectedOneOf, validation.MsgExpectedMinimumNumber, validation.MsgExpectedMaximumNumber,
		validation.MsgExpectedMinLength, validation.MsgExpectedMaxLength, validation.MsgExpectedMinItems, validation.MsgExpectedMaxItems,
		validation.MsgExpectedRequiredProperty, validation.MsgExpectedMatchPattern, validation.MsgExpectedRFC3339DateTime,
	} {
		if said := regexp.MustCompile(`%[a-z]`).ReplaceAllString(s, "7"); w.german(said) == said {
			t.Errorf("no German of %q", s)
		}
	}
}

func TestGermanOfAFaultHasItsValues(t *testing.T) {
	var all map[string]string
	if err := json.Unmarshal(germanFaults, &all); err != nil {
		t.Fatal(err)
	}
	w := newFaultWords()
	for english, german := range all {
		text := english
		for i := range strings.Count(english, "%s") {
			text = strings.Replace(text, "%s", "v"+strconv.Itoa(i), 1)
		}
		got := w.german(text)
		if strings.Contains(got, "%!") || strings.Contains(got, "%s") {
			t.Errorf("%q becomes %q", text, got)
		}
		for i := range strings.Count(english, "%s") {
			if !strings.Contains(got, "v"+strconv.Itoa(i)) {
				t.Errorf("%q becomes %q, as %q", text, got, german)
			}
		}
	}
}

func TestFaultsAreSaidInTheLanguageOfWhoAsks(t *testing.T) {
	p, _, _ := newTelling(t)
	admin := p.script(store.RoleAdmin)
	for name, tc := range map[string]struct {
		languages, body, want string
	}{
		"German":                    {"de-DE,de;q=0.9,en;q=0.8", `{"name":"Ops","type":"webhook","settings":{"url":"ftp://x"}}`, "muss eine Adresse sein, die so beginnt: https:// or http://"},
		"German of what is missing": {"de", `{"type":"webhook"}`, "das Feld name fehlt"},
		"English":                   {"en,de;q=0.5", `{"type":"webhook"}`, "expected required property name to be present"},
		"of nobody":                 {"", `{"type":"webhook"}`, "expected required property name to be present"},
	} {
		t.Run(name, func(t *testing.T) {
			c := *admin
			if c.header = c.header.Clone(); c.header == nil {
				c.header = make(http.Header)
			}
			if tc.languages != "" {
				c.header.Set("Accept-Language", tc.languages)
			}
			status, text := c.do("POST", "/channels", tc.body)
			var got struct {
				Errors []struct{ Message, Location string }
			}
			if err := json.Unmarshal([]byte(text), &got); err != nil || status != http.StatusUnprocessableEntity || len(got.Errors) == 0 {
				t.Fatalf("%d %s, %v", status, text, err)
			}
			if got.Errors[0].Message != tc.want || !strings.HasPrefix(got.Errors[0].Location, "body") {
				t.Errorf("%s", text)
			}
		})
	}
}

func TestWhyADoorDoesNothingIsSaidInGerman(t *testing.T) {
	w := newFaultWords()
	for _, err := range []error{ErrDoorUnreachable, ErrDoorUnable} {
		if said := w.german(err.Error()); said == err.Error() {
			t.Errorf("no German of %q", said)
		}
	}
}
