package archtest

import (
	"go/ast"
	"go/token"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports is the house: each room and the rooms it may import. Rooms further in
// never know those further out. What is not listed here may not exist.
func imports() map[string][]string {
	return map[string][]string{
		// core: pure
		"event":     {},
		"week":      {},
		"fleet":     {"event"},
		"detect":    {"event", "fleet", "usage", "knowledge"},
		"incident":  {"event", "week", "fleet", "detect", "usage", "knowledge"},
		"access":    {"event", "week"},
		"audit":     {},
		"usage":     {"event", "fleet"},
		"planning":  {"event", "fleet", "usage"},
		"knowledge": {"event"},
		"provision": {},
		"rule":      {"event", "fleet", "detect", "usage", "knowledge"},
		// protocols: codecs without sockets
		"proto": {},
		// leaves
		"config":  {},
		"pki":     {},
		"coredb":  {},
		"backup":  {},
		"disk":    {},
		"vitals":  {},
		"outward": {"proto"},
		"mqtt":    {},
		"seal":    {},
		"picture": {},
		"parquet": {},
		// spine: what is kept, and the one order in which it happens
		"journal":        {"event", "fleet"},
		"journal/sqlite": {"event", "fleet", "journal", "coredb"},
		"live":           {"event", "fleet", "detect", "rule", "incident", "usage", "journal", "coredb"},
		"rule/backtest":  {"event", "detect", "rule", "journal"},
		"study":          {"planning", "usage", "store"},
		"telemetry":      {"event", "fleet", "journal", "coredb"},
		"usage/history":  {"event", "fleet", "usage", "journal", "telemetry", "coredb"},
		"frames":         {"event"},
		"intake":         {"usage", "store"},
		"depot":          {"event", "fleet", "journal", "store"},
		"store":          {"event", "week", "fleet", "access", "audit", "provision", "journal", "coredb", "seal"},
		"campaign":       {"week", "store"},
		"outlook":        {"event", "fleet", "usage", "planning"},
		// edges: they import what lies further in and never each other
		"source":     {"event", "week", "fleet", "access", "provision", "journal", "proto", "mqtt"},
		"camera":     {"event", "fleet", "audit", "journal", "proto", "outward"},
		"output":     {"event", "incident", "store", "outward", "mqtt"},
		"proof":      {"event", "fleet", "store", "pki", "outward"},
		"outbox":     {"event", "fleet", "journal", "coredb", "store"},
		"notify":     {"event", "fleet", "detect", "incident", "journal", "store", "outward", "mqtt"},
		"web":        {"event", "week", "fleet", "detect", "rule", "rule/backtest", "incident", "access", "provision", "usage", "knowledge", "planning", "outlook", "campaign", "journal", "telemetry", "frames", "store", "intake", "depot", "vitals", "picture", "proto", "parquet"},
		"statuspage": {"event", "fleet", "journal", "store"},
		"sim":        {"proto", "mqtt", "sim/camera"},
		"sim/camera": {},
		"sim/raid":   {"event"},
		"sim/stage":  {"event", "sim", "sim/camera", "sim/raid"},
		"sim/retell": {"event", "access", "sim"},
		"sim/lab":    {"event", "access", "detect", "sim", "sim/retell"},
		"archtest":   {},
		// the two that know all others
		"app":        {"*"},
		"servertest": {"*"},
	}
}

// core lists the pure rooms.
func core() []string {
	return []string{"event", "week", "fleet", "detect", "rule", "incident", "access", "audit", "usage", "planning", "knowledge", "provision"}
}

func (r *tree) importTable(t *testing.T) {
	table := imports()
	for _, f := range r.goes {
		from := room(f.dir)
		allowed, known := table[from]
		if from != "" && !known {
			t.Errorf("%s: room %q is not in the import table", f.name, from)
			continue
		}
		// Tests may set up the real thing; a protocol or core test may not.
		if from == "" || f.test && !slices.Contains(core(), from) && from != "proto" {
			continue
		}
		for _, imp := range f.ast.Imports {
			to, ours := importPath(imp)
			if !ours || room(to) == from || slices.Contains(allowed, "*") {
				continue
			}
			if to == "ui" && (from == "web") {
				continue // the embedded screens
			}
			if !slices.Contains(allowed, room(to)) {
				t.Errorf("%s: %s must not import %s", r.at(imp.Pos()), from, to)
			}
		}
	}
}

// importPath returns the folder of one of our packages.
func importPath(imp *ast.ImportSpec) (dir string, ours bool) {
	p, err := strconv.Unquote(imp.Path.Value)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(p, module+"/")
}

func (r *tree) purity(t *testing.T) {
	forbidden := []string{"os", "os/exec", "net", "net/http", "log", "log/slog", "database/sql", "syscall", "unsafe", "math/rand", "math/rand/v2", "io/fs", "runtime"}
	clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
	for _, f := range r.goes {
		if f.test || !slices.Contains(core(), room(f.dir)) {
			continue
		}
		for _, imp := range f.ast.Imports {
			if p, err := strconv.Unquote(imp.Path.Value); err == nil && slices.Contains(forbidden, p) {
				t.Errorf("%s: the core does not import %s", r.at(imp.Pos()), p)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: the core starts no goroutine", r.at(n.Pos()))
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: the core reads no clock (time.%s)", r.at(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

// purityOfDependencies looks behind direct imports. fmt and encoding/json bring
// os with them, so os itself is judged by direct import only.
func (r *tree) purityOfDependencies(t *testing.T) {
	forbidden := []string{"net", "net/http", "os/exec", "database/sql", "log/slog"}
	var dirs []string
	for dir := range r.packages() {
		if slices.Contains(core(), room(dir)) {
			dirs = append(dirs, "./"+dir)
		}
	}
	slices.Sort(dirs)
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", "{{.ImportPath}} {{join .Deps \" \"}}"}, dirs...)...)
	cmd.Dir = r.root
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, dep := range words[1:] {
			if slices.Contains(forbidden, dep) {
				t.Errorf("%s depends on %s", words[0], dep)
			}
		}
	}
}

func (r *tree) noInit(t *testing.T) {
	for _, f := range r.goes {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: no init(): what must happen is called by whoever needs it", r.at(fn.Pos()))
			}
		}
	}
}

// noPackageState lets two servers live in one process. A package-level variable
// may be
//
//   - a sentinel error (err..., Err...), a compiled pattern, an embedded file, an
//     interface guard;
//   - a sync.Pool, whose content nobody can tell apart;
//   - an unexported table written as a literal that its package never assigns to,
//     appends to, deletes from or takes the address of;
//   - app.version, which the linker sets;
//   - in a package for tests, what sync.OnceValues makes for all of them.
//
// Everything else is a field of something that somebody made.
func (r *tree) noPackageState(t *testing.T) {
	for dir, files := range r.packages() {
		written := make(map[string]token.Pos)
		for _, f := range files {
			writes(f.ast, written)
		}
		for _, f := range files {
			for _, d := range f.ast.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, s := range g.Specs {
					v := s.(*ast.ValueSpec)
					for i, name := range v.Names {
						if dir == "internal/app" && name.Name == "version" {
							continue
						}
						if strings.HasSuffix(dir, "test") && madeOnce(v, i) {
							continue
						}
						if why := stateful(g, v, i, written); why != "" {
							t.Errorf("%s: package-level variable %s %s", r.at(name.Pos()), name.Name, why)
						}
					}
				}
			}
		}
	}
}

// stateful says what is wrong with the i-th name of a variable declaration.
func stateful(g *ast.GenDecl, v *ast.ValueSpec, i int, written map[string]token.Pos) string {
	name := v.Names[i].Name
	if name == "_" || embedded(g, v) {
		return ""
	}
	if _, ok := written[name]; ok {
		return "is written to"
	}
	if i >= len(v.Values) {
		return "holds state"
	}
	switch value := v.Values[i].(type) {
	case *ast.CallExpr:
		sentinel := strings.HasPrefix(name, "err") || strings.HasPrefix(name, "Err")
		_, conversion := value.Fun.(*ast.ArrayType) // []byte("...")
		if sentinel || callee(value) == "regexp.MustCompile" || conversion && !ast.IsExported(name) {
			return ""
		}
		return "is made by a call"
	case *ast.CompositeLit:
		if sel, ok := value.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Pool" {
			return ""
		}
		if ast.IsExported(name) {
			return "can be changed by other packages"
		}
		if calls(value) {
			return "is made by a call"
		}
		return ""
	}
	return "holds state"
}

func madeOnce(v *ast.ValueSpec, i int) bool {
	if i >= len(v.Values) {
		return false
	}
	call, ok := v.Values[i].(*ast.CallExpr)
	return ok && callee(call) == "sync.OnceValues"
}

func embedded(g *ast.GenDecl, v *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, v.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") }) {
			return true
		}
	}
	return false
}

func callee(c *ast.CallExpr) string {
	if sel, ok := c.Fun.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok {
			return x.Name + "." + sel.Sel.Name
		}
	}
	return ""
}

// calls reports whether a literal contains a call other than a conversion to a
// named number or string (time.Duration(5) and the like are constant).
func calls(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // a table may name functions
		case *ast.CallExpr:
			if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "new" || id.Name == "make" || id.Name == "append") {
				found = true
			}
		}
		return !found
	})
	return found
}

// writes collects names at the root of what a file assigns to, increments,
// deletes from or takes the address of, unless a function declares them.
func writes(f *ast.File, into map[string]token.Pos) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		local := locals(fn)
		mark := func(x ast.Expr) {
			if id := rootOf(x); id != nil && !local[id.Name] {
				into[id.Name] = id.Pos()
			}
		}
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, x := range n.Lhs {
						mark(x)
					}
				}
			case *ast.IncDecStmt:
				mark(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					mark(n.X)
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
					mark(n.Args[0])
				}
			}
			return true
		})
	}
}

// rootOf returns x of x, x.f, x[i] and *x.
func rootOf(x ast.Expr) *ast.Ident {
	for {
		switch e := x.(type) {
		case *ast.Ident:
			return e
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		case *ast.ParenExpr:
			x = e.X
		default:
			return nil
		}
	}
}

// locals are the names that a function declares anywhere.
func locals(fn *ast.FuncDecl) map[string]bool {
	m := make(map[string]bool)
	fields := func(l *ast.FieldList) {
		if l == nil {
			return
		}
		for _, f := range l.List {
			for _, n := range f.Names {
				m[n.Name] = true
			}
		}
	}
	fields(fn.Recv)
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncType:
			fields(n.Params)
			fields(n.Results)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, x := range n.Lhs {
					if id, ok := x.(*ast.Ident); ok {
						m[id.Name] = true
					}
				}
			}
		case *ast.RangeStmt:
			for _, x := range []ast.Expr{n.Key, n.Value} {
				if id, ok := x.(*ast.Ident); ok && n.Tok == token.DEFINE {
					m[id.Name] = true
				}
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				m[id.Name] = true
			}
		}
		return true
	})
	return m
}

func (r *tree) packageDocs(t *testing.T) {
	forbidden := []string{"util", "utils", "common", "types", "models", "model", "manager", "helpers", "misc", "base", "shared", "lib", "pkg"}
	for dir, files := range r.packages() {
		name := files[0].ast.Name.Name
		if slices.Contains(forbidden, name) || slices.Contains(forbidden, path.Base(dir)) {
			t.Errorf("%s: a package called %q could hold anything; name it after its subject", dir, name)
		}
		doc := ""
		for _, f := range files {
			if f.ast.Doc != nil {
				doc += f.ast.Doc.Text()
			}
		}
		want := "Package " + name + " "
		if name == "main" {
			want = "" // a command's doc begins with the command
		}
		if strings.TrimSpace(doc) == "" || !strings.HasPrefix(doc, want) {
			t.Errorf("%s: the package doc must begin with %q", dir, want)
		}
	}
}

func (r *tree) fileSizes(t *testing.T) {
	const most = 700
	for _, f := range r.goes {
		if n := r.fset.File(f.ast.FileStart).LineCount(); n > most && !ast.IsGenerated(f.ast) {
			t.Errorf("%s has %d lines; above %d a file has more than one subject", f.name, n, most)
		}
	}
}

func (r *tree) noSkips(t *testing.T) {
	for _, f := range r.goes {
		if !f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if fn, ok := n.(*ast.FuncLit); ok && takesRapid(fn.Type) {
				return false // there Skip draws another input
			}
			if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
				if x, ok := sel.X.(*ast.Ident); ok && slices.Contains([]string{"t", "b", "f", "tb"}, x.Name) {
					t.Errorf("%s: a skipped test is no test", r.at(n.Pos()))
				}
			}
			return true
		})
	}
}

// takesRapid reports a function of a *rapid.T.
func takesRapid(fn *ast.FuncType) bool {
	return slices.ContainsFunc(fn.Params.List, func(p *ast.Field) bool {
		star, ok := p.Type.(*ast.StarExpr)
		if !ok {
			return false
		}
		sel, ok := star.X.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		x, ok := sel.X.(*ast.Ident)
		return ok && x.Name == "rapid" && sel.Sel.Name == "T"
	})
}
