package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What one evaluation may cost, in the steps that CEL counts, and how large an
// expression may be.
const (
	maxCost     = 10_000
	maxNodes    = 400
	maxNesting  = 32
	maxRegex    = 400 // instructions of a pattern
	maxElements = 100 // of a list or map that an expression is given
)

// Language knows what rules may say. It is made once and may be shared.
type Language struct {
	env    *cel.Env
	fields []field
}

// NewLanguage returns the language.
func NewLanguage() (*Language, error) {
	p := &provider{Registry: nil, objects: make(map[string]map[string]*types.FieldType), names: make(map[string][]string)}
	l := &Language{fields: fields()}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("prepare the types of rules: %w", err)
	}
	p.Registry = registry
	for i := range l.fields {
		f := &l.fields[i]
		if p.objects[f.of] == nil {
			p.objects[f.of] = make(map[string]*types.FieldType)
		}
		p.objects[f.of][f.name] = f.read()
		p.names[f.of] = append(p.names[f.of], f.name)
	}
	options := []cel.EnvOption{
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(registry),
		cel.CrossTypeNumericComparisons(true),
		cel.ParserExpressionSizeLimit(maxText), cel.ParserRecursionLimit(maxNesting), cel.ParserErrorRecoveryLimit(4),
		cel.ExpressionNodeLimit(maxNodes), cel.RegexProgramSizeLimit(maxRegex),
		cel.ExtendedValidations(), cel.ASTValidators(cel.ValidateComprehensionNestingLimit(1)),
	}
	for _, name := range objects() {
		options = append(options, cel.Variable(name, cel.ObjectType(name)))
	}
	if l.env, err = cel.NewEnv(options...); err != nil {
		return nil, fmt.Errorf("prepare the language of rules: %w", err)
	}
	return l, nil
}

// provider knows the fields of our variables and leaves the rest to a registry.
type provider struct {
	*types.Registry
	objects map[string]map[string]*types.FieldType
	names   map[string][]string
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if p.objects[name] != nil {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if list, ok := p.names[name]; ok {
		return list, true
	}
	return p.Registry.FindStructFieldNames(name)
}

func (p *provider) FindStructFieldType(object, name string) (*types.FieldType, bool) {
	if list, ok := p.objects[object]; ok {
		f, ok := list[name]
		return f, ok
	}
	return p.Registry.FindStructFieldType(object, name)
}

func (p *provider) NewValue(name string, values map[string]ref.Val) ref.Val {
	if p.objects[name] != nil {
		return types.NewErr("%s cannot be made", name)
	}
	return p.Registry.NewValue(name, values)
}

// read is how CEL asks for the value.
func (f *field) read() *types.FieldType {
	missing := fmt.Errorf("%s is %w", f.path(), errUnknown)
	get := f.get
	return &types.FieldType{
		Type: f.typ.cel(),
		IsSet: func(target any) bool {
			s, ok := target.(*scene)
			if !ok {
				return false
			}
			_, known := get(s)
			return known
		},
		GetFrom: func(target any) (any, error) {
			s, ok := target.(*scene)
			if !ok {
				return nil, missing
			}
			if v, known := get(s); known {
				return v, nil
			}
			return nil, missing
		},
	}
}

// Check says what is wrong with a rule, by field; nothing if it can be used.
func (l *Language) Check(r Rule) []Fault {
	_, faults := l.compile(r)
	return faults
}

// compiled is a rule's expressions.
type compiled struct {
	where, clear cel.Program // clear is nil if there is none
}

func (l *Language) compile(r Rule) (compiled, []Fault) {
	var c compiled
	faults := r.shape()
	var more []Fault
	if strings.TrimSpace(r.Where) == "" {
		faults = append(faults, Fault{Field: "where", Text: "must not be empty"})
	} else if c.where, more = l.program("where", r.Where, r.On); len(more) > 0 {
		faults = append(faults, more...)
	}
	if strings.TrimSpace(r.ClearWhen) != "" {
		if c.clear, more = l.program("clearWhen", r.ClearWhen, r.On); len(more) > 0 {
			faults = append(faults, more...)
		}
	}
	return c, faults
}

// maxFaults of one expression are told.
const maxFaults = 20

// program compiles one expression.
func (l *Language) program(name, source string, on []event.Kind) (cel.Program, []Fault) {
	if len(source) > maxText {
		return nil, []Fault{{Field: name, Line: 1, Column: 1, Text: fmt.Sprintf("has at most %d characters", maxText)}}
	}
	checked, issues := l.env.Compile(source)
	if err := issues.Err(); err != nil {
		var faults []Fault
		for _, e := range issues.Errors() {
			if len(faults) < maxFaults {
				faults = append(faults, faultAt(name, e.Location, explain(e.Message)))
			}
		}
		if len(faults) == 0 {
			faults = []Fault{{Field: name, Line: 1, Column: 1, Text: explain(err.Error())}}
		}
		return nil, faults
	}
	if checked.OutputType() != cel.BoolType {
		return nil, []Fault{{Field: name, Line: 1, Column: 1, Text: fmt.Sprintf("is true or false, this is %s", checked.OutputType())}}
	}
	tree := checked.NativeRep()
	if faults := l.uses(name, tree, on); len(faults) > 0 {
		return nil, faults
	}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	estimate, err := l.env.EstimateCost(checked, sizes{l})
	switch {
	case err != nil || estimate.Max > maxCost: // then it is counted as it runs
		options = append(options, cel.CostLimit(maxCost))
	}
	if err == nil && estimate.Min > maxCost {
		return nil, []Fault{{Field: name, Line: 1, Column: 1, Text: fmt.Sprintf("costs at least %d steps for each event, at most %d", estimate.Min, maxCost)}}
	}
	p, err := l.env.Program(checked, options...)
	if err != nil {
		return nil, []Fault{{Field: name, Line: 1, Column: 1, Text: explain(err.Error())}}
	}
	return p, nil
}

// uses looks for what compiles and yet makes no sense.
func (l *Language) uses(name string, tree *ast.AST, on []event.Kind) []Fault {
	var faults []Fault
	bad := func(e ast.Expr, format string, args ...any) {
		faults = append(faults, faultAt(name, tree.SourceInfo().GetStartLocation(e.ID()), fmt.Sprintf(format, args...)))
	}
	root := ast.NavigateAST(tree)
	all := append(ast.MatchDescendants(root, func(ast.NavigableExpr) bool { return true }), root)
	seen := make(map[int64]bool)
	for _, e := range all {
		if seen[e.ID()] || len(faults) >= maxFaults {
			continue
		}
		seen[e.ID()] = true
		switch e.Kind() {
		case ast.IdentKind:
			if !slices.Contains(objects(), e.AsIdent()) {
				continue
			}
			if parent, ok := e.Parent(); !ok || parent.Kind() != ast.SelectKind {
				bad(e, "%s needs the name of a value behind it, such as %s.%s", e.AsIdent(), e.AsIdent(), l.first(e.AsIdent()))
			}
		case ast.SelectKind:
			operand := e.AsSelect().Operand()
			if operand.Kind() != ast.IdentKind {
				continue
			}
			f := l.find(operand.AsIdent(), e.AsSelect().FieldName())
			if f == nil || len(f.kinds) == 0 || slices.ContainsFunc(on, func(k event.Kind) bool { return slices.Contains(f.kinds, k) }) {
				continue
			}
			bad(operand, "%s is told with %s, which this rule does not follow", f.path(), listed(f.kinds))
		case ast.CallKind:
			call := e.AsCall()
			if call.FunctionName() != "matches" {
				continue
			}
			if args := call.Args(); len(args) == 0 || args[len(args)-1].Kind() != ast.LiteralKind {
				bad(e, "the pattern of matches has to stand in the rule itself")
			}
		case ast.StructKind:
			bad(e, "a rule cannot make things, only look at them")
		}
	}
	return faults
}

func (l *Language) first(object string) string {
	for i := range l.fields {
		if l.fields[i].of == object {
			return l.fields[i].name
		}
	}
	return ""
}

func (l *Language) find(object, name string) *field {
	for i := range l.fields {
		if l.fields[i].of == object && l.fields[i].name == name {
			return &l.fields[i]
		}
	}
	return nil
}

func listed(kinds []event.Kind) string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return strings.Join(out, ", ")
}

func faultAt(name string, at common.Location, text string) Fault {
	if at == nil || at.Line() < 1 {
		return Fault{Field: name, Line: 1, Column: 1, Text: text}
	}
	return Fault{Field: name, Line: at.Line(), Column: at.Column() + 1, Text: text}
}

// explain adds to a compiler's words what people need most.
func explain(message string) string {
	const most = 300
	message, _, _ = strings.Cut(message, "\n")
	if len(message) > most {
		message = strings.ToValidUTF8(message[:most], "") + "…"
	}
	switch {
	case strings.Contains(message, "(double, int)"), strings.Contains(message, "(int, double)"):
		return message + "; write the whole number as a decimal, 1000.0"
	case strings.Contains(message, "(in container '')"):
		return strings.Replace(message, " (in container '')", "", 1)
	case strings.Contains(message, operators.Equals+"'") && strings.Contains(message, "int"):
		return message
	}
	return message
}

// sizes bounds what an expression is given, for the estimate of its cost.
type sizes struct{ l *Language }

func (s sizes) EstimateSize(node cost.AstNode) *cost.SizeEstimate {
	path := node.Path()
	if len(path) < 2 {
		return nil
	}
	f := s.l.find(path[0], path[1])
	if f == nil {
		return nil
	}
	one := cost.RangedSizeEstimate(0, maxString)
	switch {
	case len(path) > 2: // what stands in a list or a map
		one = cost.RangedSizeEstimate(0, 256)
	case f.typ == words:
		one = cost.ListSizeEstimate(cost.RangedSizeEstimate(0, maxElements), cost.RangedSizeEstimate(0, 256))
	case f.typ == numbers:
		one = cost.MapSizeEstimate(cost.RangedSizeEstimate(0, maxElements), cost.RangedSizeEstimate(0, 256), cost.RangedSizeEstimate(1, 1))
	case f.typ != text:
		return nil
	}
	return &one
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// answer is what an expression said.
type answer uint8

const (
	no answer = iota
	yes
	unsaid // it asked for what is not known
)

// errCost is what an evaluation ends with that cost too much.
var errCost = errors.New("it costs too much")

// ask evaluates an expression.
func ask(p cel.Program, s *scene) (answer, error) {
	v, _, err := p.Eval(s)
	if err == nil {
		if v == types.True {
			return yes, nil
		}
		return no, nil
	}
	if errors.Is(err, errUnknown) || strings.Contains(err.Error(), "no such key") {
		return unsaid, nil
	}
	if cancelled, ok := errors.AsType[interpreter.EvalCancelledError](err); ok && cancelled.Cause == interpreter.CostLimitExceeded {
		return no, fmt.Errorf("more than %d steps for one event: %w", maxCost, errCost)
	}
	return no, err
}
