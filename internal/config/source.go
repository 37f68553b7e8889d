package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Where a setting can come from.
const (
	FromDefault     = "default"
	FromFile        = "file"
	FromEnvironment = "environment"
	FromFlag        = "flag"
)

// Source says who set a setting: one of the words above and the place, such as
// "/etc/chargewatch.yaml line 4", the name of the variable or the flag.
type Source struct{ From, Place string }

// sources remembers who set what, by key of the file.
type sources map[string]Source

func (s *sources) set(key string, by Source) {
	if *s == nil {
		*s = make(sources)
	}
	(*s)[key] = by
}

// read notes the keys that a file sets. It was read without errors before.
func (s *sources) read(path string, data []byte) error {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, doc := range file.Docs {
		s.walk(path, "", doc.Body)
	}
	return nil
}

// walk goes down the mappings of a file. A list is one setting.
func (s *sources) walk(path, prefix string, n ast.Node) {
	m, ok := n.(ast.MapNode)
	if !ok {
		return
	}
	for i := m.MapRange(); i.Next(); {
		key := prefix + i.Key().GetToken().Value
		if _, deeper := i.Value().(ast.MapNode); deeper {
			s.walk(path, key+".", i.Value())
			continue
		}
		s.set(key, Source{FromFile, path + " line " + strconv.Itoa(i.Key().GetToken().Position.Line)})
	}
}

// key is how the file calls an option: data, behindProxy.
func (o option) key() string {
	words := strings.Split(o.name, "-")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// Setting is one value of a configuration as people read it. None is a secret:
// passwords and keys stand in files of their own, never in the configuration.
type Setting struct {
	Key     string // of the file: station.commandTimeout
	Value   string
	Default string
	Source  Source
}

// Settings lists every setting in the order of the file, with who set it.
func (c *Config) Settings() []Setting {
	def := Default()
	standard := make(map[string]string)
	for _, s := range list("", reflect.ValueOf(def)) {
		standard[s.Key] = s.Value
	}
	out := list("", reflect.ValueOf(*c))
	for i := range out {
		s := &out[i]
		s.Default = standard[s.Key]
		var ok bool
		if s.Source, ok = c.sources[s.Key]; !ok {
			s.Source = Source{From: FromDefault}
		}
	}
	return out
}

func list(prefix string, v reflect.Value) []Setting {
	var out []Setting
	for field, value := range v.Fields() {
		name := field.Tag.Get("yaml")
		switch {
		case name == "":
		case field.Type == reflect.TypeFor[Station](), field.Type == reflect.TypeFor[Retention]():
			out = append(out, list(prefix+name+".", value)...)
		default:
			out = append(out, Setting{Key: prefix + name, Value: show(value.Interface())})
		}
	}
	return out
}

// show writes a value as the file would have it, lists on one line.
func show(v any) string {
	switch v := v.(type) {
	case Duration:
		return v.String()
	case []string:
		return strings.Join(v, ", ")
	case []Listener:
		all := make([]string, len(v))
		for i, l := range v {
			all[i] = fmt.Sprintf("%s profile %d", l.Address, l.Profile)
		}
		return strings.Join(all, ", ")
	}
	return fmt.Sprint(v)
}

// String writes a duration as people would: 400d, 30s.
func (d Duration) String() string {
	const day = 24 * time.Hour
	t := time.Duration(d)
	if t != 0 && t%day == 0 {
		return strconv.FormatInt(int64(t/day), 10) + "d"
	}
	text := t.String()
	for _, zero := range []string{"m0s", "h0m"} { // 5m0s, 12h0m
		if strings.HasSuffix(text, zero) {
			text = strings.TrimSuffix(text, zero[1:])
		}
	}
	return text
}
