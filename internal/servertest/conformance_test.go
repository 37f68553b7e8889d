package servertest_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

var updateTable = flag.Bool("update", false, "write docs/conformance.md")

// ocaBooks are all chapters, each with the test that plays it.
func ocaBooks() []struct {
	ocaChapter
	test func(*testing.T)
} {
	type book = struct {
		ocaChapter
		test func(*testing.T)
	}
	return []book{
		{oca16Core(), TestOCA16Core},
		{oca16Commands(), TestOCA16Command},
		{oca16More(), TestOCA16More},
		{oca201Security(), nil},
		{oca201Provisioning(), TestOCA201Provisioning},
		{oca201Authorisation(), TestOCA201Authorisation},
		{oca201Transactions(), TestOCA201Transactions},
		{oca201RemoteControl(), TestOCA201RemoteControl},
		{oca201Firmware(), TestOCA201Firmware},
		{oca201Files(), TestOCA201Files},
	}
}

// The table in docs/conformance.md is what the tests are: each case once, with a
// test that exists or a reason.
func TestConformanceTable(t *testing.T) {
	var b strings.Builder
	seen := make(map[string]bool)
	played, elsewhere, open := 0, 0, 0
	for _, book := range ocaBooks() {
		fmt.Fprintf(&b, "\n## %s\n\n| case | what the server has to do | test |\n|---|---|---|\n", book.title)
		for _, c := range book.cases {
			if seen[c.id] {
				t.Errorf("%s is there twice", c.id)
			}
			seen[c.id] = true
			var by string
			switch {
			case c.play != nil && c.test == "" && c.none == "":
				played++
				by = "`" + testName(book.test) + "/cases/" + c.id + "`"
			case c.play == nil && c.test != "" && c.none == "":
				elsewhere++
				if pkg, name, _ := strings.Cut(c.test, "."); !testExists(t, pkg, name) {
					t.Errorf("%s: there is no %s", c.id, c.test)
				}
				by = "`" + c.test + "`"
			case c.play == nil && c.test == "" && c.none != "":
				open++
				by = "none: " + c.none
			default:
				t.Errorf("%s has not one of play, test and none", c.id)
			}
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.id, c.must, by)
		}
	}
	if len(seen) < 200 {
		t.Errorf("%d cases; the lists have more", len(seen))
	}
	const path = "../../docs/conformance.md"
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(old), "\n<!-- the table -->\n")
	if !ok {
		t.Fatalf("%s has no place for the table", path)
	}
	table := fmt.Sprintf("\n%d cases: %d played by a station of the test, %d shown by another test, %d without one.\n", len(seen), played, elsewhere, open)
	text := head + "\n<!-- the table -->\n" + table + b.String()
	if *updateTable {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Errorf("%s is not what the tests are: go test ./internal/servertest -run ConformanceTable -update", path)
	}
}

func testName(f func(*testing.T)) string {
	name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// testExists looks for a test in the source of a package under internal.
func testExists(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(pkg), "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == name && strings.HasPrefix(name, "Test") {
				return true
			}
		}
	}
	return false
}
