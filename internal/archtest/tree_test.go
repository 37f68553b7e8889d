package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/chargewatch/chargewatch"

// tree is the repository as git tracks it (or will, once it is added), with
// its Go files parsed.
type tree struct {
	root  string
	files []string // tracked, slash-separated
	fset  *token.FileSet
	goes  []goFile
}

type goFile struct {
	name string // path from the root
	dir  string
	test bool
	ast  *ast.File
}

func load(t *testing.T) *tree {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	r := &tree{root: root, fset: token.NewFileSet()}
	for _, name := range r.listFiles(t) {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			continue // deleted, not yet committed
		}
		r.files = append(r.files, name)
		if !strings.HasSuffix(name, ".go") || strings.Contains(name, "testdata/") {
			continue
		}
		f, err := parser.ParseFile(r.fset, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		r.goes = append(r.goes, goFile{name: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), ast: f})
	}
	if len(r.goes) == 0 {
		t.Fatal("no Go files found")
	}
	return r
}

// listFiles asks git; a source archive without git is walked instead.
func (r *tree) listFiles(t *testing.T) []string {
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = r.root
	if out, err := cmd.Output(); err == nil {
		return strings.Fields(string(out))
	}
	var files []string
	err := filepath.WalkDir(r.root, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(r.root, name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"node_modules", "dist", "bin", "data", ".git"}, d.Name()):
			return filepath.SkipDir
		case !d.IsDir():
			files = append(files, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (r *tree) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(r.root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func (r *tree) at(p token.Pos) string {
	pos := r.fset.Position(p)
	name, err := filepath.Rel(r.root, pos.Filename)
	if err != nil {
		name = pos.Filename
	}
	return name + ":" + pos.String()[strings.LastIndex(pos.Filename, "/")+len(filepath.Base(pos.Filename))+2:]
}

// packages groups the files that are compiled into the program by folder.
func (r *tree) packages() map[string][]goFile {
	m := make(map[string][]goFile)
	for _, f := range r.goes {
		if !f.test {
			m[f.dir] = append(m[f.dir], f)
		}
	}
	return m
}

// room is the name by which the import table knows a folder: the part of the
// path below internal, as far as the table goes.
func room(dir string) string {
	dir, ok := strings.CutPrefix(dir, "internal/")
	if !ok {
		return "" // cmd, ui, test: they stand outside the house
	}
	for r := dir; r != "."; r = path.Dir(r) {
		if _, ok := imports()[r]; ok {
			return r
		}
	}
	return dir
}

// TestHouse runs all rules over one reading of the tree.
func TestHouse(t *testing.T) {
	r := load(t)
	t.Run("rooms import only what the table allows", r.importTable)
	t.Run("the core is pure", r.purity)
	t.Run("the core reaches no network, database or process", r.purityOfDependencies)
	t.Run("nothing happens before main", r.noInit)
	t.Run("packages keep no state", r.noPackageState)
	t.Run("packages are named after a subject and say what they promise", r.packageDocs)
	t.Run("files have one subject", r.fileSizes)
	t.Run("no test is skipped", r.noSkips)
	t.Run("nothing names a machine", r.noMachines)
	t.Run("no build results are tracked", r.noBuildResults)
	t.Run("links in pages resolve", r.links)
	t.Run("pages that code points to are there", r.namedPages)
	t.Run("the room table of ARCHITECTURE.md is the tree", r.roomTable)
}
