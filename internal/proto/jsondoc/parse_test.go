package jsondoc_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
)

func TestParse(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := map[string]struct {
		text   string
		want   error // nothing for fine
		syntax bool  // a *SyntaxError
	}{
		"an object is read":                          {text: `{"a":1,"b":[true,false,null],"c":{}}`},
		"white space is allowed around all":          {text: " \t\r\n{ \"a\" : [ 1 , 2 ] } \n"},
		"a scalar alone is a text":                   {text: `"x"`},
		"numbers have signs, fractions, exponents":   {text: `[0,-0,1.5,-1.5e+10,2E-3,1e5]`},
		"the deepest nesting that is read":           {text: deep(jsondoc.MaxDepth)},
		"one deeper is refused":                      {text: deep(jsondoc.MaxDepth + 1), want: jsondoc.ErrTooDeep},
		"objects count as depth too":                 {text: strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33), want: jsondoc.ErrTooDeep},
		"the same key twice is refused":              {text: `{"a":1,"a":2}`, want: jsondoc.ErrDuplicateKey},
		"the same key written another way too":       {text: `{"a":1,"\u0061":2}`, want: jsondoc.ErrDuplicateKey},
		"the same key in two objects is fine":        {text: `[{"a":1},{"a":{"a":2}}]`},
		"a key twice deep inside is refused":         {text: `{"x":[{"y":{"k":1,"k":1}}]}`, want: jsondoc.ErrDuplicateKey},
		"an empty key is a key":                      {text: `{"":1,"":2}`, want: jsondoc.ErrDuplicateKey},
		"bytes after the value":                      {text: `[1] x`, want: jsondoc.ErrTrailing},
		"a second value":                             {text: `[1][2]`, want: jsondoc.ErrTrailing},
		"nothing is no text":                         {text: ``, syntax: true},
		"white space is no text":                     {text: `  `, syntax: true},
		"an open array":                              {text: `[1,2`, syntax: true},
		"an open object":                             {text: `{"a":1`, syntax: true},
		"an open string":                             {text: `["abc`, syntax: true},
		"a backslash at the very end":                {text: `["abc\`, syntax: true},
		"a comma too many in an array":               {text: `[1,]`, syntax: true},
		"a comma too many in an object":              {text: `{"a":1,}`, syntax: true},
		"no comma":                                   {text: `[1 2]`, syntax: true},
		"no colon":                                   {text: `{"a" 1}`, syntax: true},
		"a key without quotes":                       {text: `{a:1}`, syntax: true},
		"a number as key":                            {text: `{1:1}`, syntax: true},
		"a leading zero":                             {text: `[01]`, syntax: true},
		"a leading plus":                             {text: `[+1]`, syntax: true},
		"a fraction without digits":                  {text: `[1.]`, syntax: true},
		"an exponent without digits":                 {text: `[1e]`, syntax: true},
		"a sign alone":                               {text: `[-]`, syntax: true},
		"a point first":                              {text: `[.5]`, syntax: true},
		"no number":                                  {text: `[NaN]`, syntax: true},
		"a word in capitals":                         {text: `[True]`, syntax: true},
		"half a word":                                {text: `[tru]`, syntax: true},
		"a line feed in a string":                    {text: "[\"a\nb\"]", syntax: true},
		"an escape nobody knows":                     {text: `["\x41"]`, syntax: true},
		"an escape with too few digits":              {text: `["\u12"]`, syntax: true},
		"single quotes":                              {text: `['a']`, syntax: true},
		"a comment":                                  {text: `[1/*x*/]`, syntax: true},
		"a byte order mark":                          {text: "\uFEFF[1]", syntax: true},
		"a closing bracket of the other kind":        {text: `[1}`, syntax: true},
		"an escaped quote does not end the string":   {text: `["a\"b"]`},
		"an escaped backslash does not hide a quote": {text: `["a\\"]`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			err := d.Parse([]byte(tt.text))
			if _, isSyntax := errors.AsType[*jsondoc.SyntaxError](err); isSyntax != tt.syntax {
				t.Fatalf("got %v", err)
			}
			if !tt.syntax && !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			if tt.want == nil && json.Valid([]byte(tt.text)) == tt.syntax {
				t.Fatalf("encoding/json thinks otherwise: %v", err)
			}
		})
	}
}

func TestDuplicateKeysInLargeObjects(t *testing.T) {
	for _, n := range []int{2, 15, 16, 17, 18, 63, 64, 1000} {
		for _, twin := range []int{0, n / 2, n - 1} {
			var b strings.Builder
			for i := range n {
				fmt.Fprintf(&b, `,"k%d":%d`, i, i)
			}
			fine := "{" + b.String()[1:] + "}"
			var d jsondoc.Doc
			if err := d.Parse([]byte(fine)); err != nil {
				t.Fatalf("%d keys: %v", n, err)
			}
			fmt.Fprintf(&b, `,"k%d":0`, twin)
			if err := d.Parse([]byte("{" + b.String()[1:] + "}")); !errors.Is(err, jsondoc.ErrDuplicateKey) {
				t.Fatalf("%d keys and k%d again: %v", n, twin, err)
			}
		}
	}
}

// Half a million keys take a moment if the work grows with their number; if it
// grew with the square, the test would not end before its deadline.
func TestManyKeysAreLinear(t *testing.T) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range jsondoc.MaxNodes - 10 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"%x":1`, i)
	}
	b.WriteByte('}')
	var d jsondoc.Doc
	if err := d.Parse(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if got := d.Root().Len(); got != jsondoc.MaxNodes-10 {
		t.Fatalf("read %d members", got)
	}
}

func TestTooManyValuesAreRefused(t *testing.T) {
	text := "[" + strings.Repeat("1,", jsondoc.MaxNodes) + "1]"
	var d jsondoc.Doc
	if err := d.Parse([]byte(text)); !errors.Is(err, jsondoc.ErrTooLarge) {
		t.Fatal(err)
	}
}

func TestWhatWasReadBeforeTheFaultStays(t *testing.T) {
	tests := map[string]struct {
		text string
		want []string
	}{
		"broken payload":      {`[2,"id","Boot",{"a":1,"b":[1,{"c":}]}]`, []string{`2`, `"id"`, `"Boot"`}},
		"cut off in a string": {`[2,"id","Bo`, []string{`2`, `"id"`}},
		"too deep":            {`[2,"id","X",` + strings.Repeat("[", 40), []string{`2`, `"id"`, `"X"`}},
		"duplicate key":       {`[2,"id","X",{"a":1,"a":1}]`, []string{`2`, `"id"`, `"X"`}},
		"nothing complete":    {`["`, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			if err := d.Parse([]byte(tt.text)); err == nil {
				t.Fatal("no error")
			}
			var got []string
			for n := range d.Root().All() {
				if len(got) < d.Root().Len() {
					got = append(got, string(n.Raw()))
				}
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	var d jsondoc.Doc
	if err := d.Parse([]byte("[1]\x00\x00")); !errors.Is(err, jsondoc.ErrTrailing) {
		t.Fatal(err)
	}
	if got := string(d.Trailing()); got != "\x00\x00" {
		t.Fatalf("trailing %q", got)
	}
	if v, fit := d.Root().First().Int(); v != 1 || fit != jsondoc.Exact {
		t.Fatal(v, fit)
	}
}

func TestTextThatIsNoUTF8(t *testing.T) {
	tests := map[string]struct {
		text, want string
		replaced   int
	}{
		"plain":                   {`"abc"`, "abc", 0},
		"UTF-8 stays":             {`"Zürich ⚡ 😀"`, "Zürich ⚡ 😀", 0},
		"Latin-1 is replaced":     {"\"Z\xfcrich\"", "Z\uFFFDrich", 1},
		"every broken byte":       {"\"\xff\xfe\"", "\uFFFD\uFFFD", 1},
		"cut off":                 {"\"\xe2\x82\"", "\uFFFD\uFFFD", 1},
		"all short escapes":       {`"\"\\\/\b\f\n\r\t"`, "\"\\/\b\f\n\r\t", 0},
		"escaped letters":         {`"\u00e9\u20AC"`, "é€", 0},
		"a surrogate pair":        {`"\ud83d\ude00"`, "😀", 0},
		"a lone high surrogate":   {`"\ud83dx"`, "\uFFFDx", 1},
		"a lone low surrogate":    {`"\ude00"`, "\uFFFD", 1},
		"two high surrogates":     {`"\ud83d\ud83d"`, "\uFFFD\uFFFD", 1},
		"high, then a letter":     {`"\ud83d\u0041"`, "\uFFFDA", 1},
		"U+FFFD itself is honest": {`"` + "\uFFFD" + `\ufffd"`, "\uFFFD\uFFFD", 0},
		"NUL":                     {`"\u0000"`, "\x00", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			if err := d.Parse([]byte(tt.text)); err != nil {
				t.Fatal(err)
			}
			got, fit := d.Root().String()
			if got != tt.want || fit != jsondoc.Exact || d.Replaced() != tt.replaced {
				t.Fatalf("got %q %v, %d replaced", got, fit, d.Replaced())
			}
			var std string
			if err := json.Unmarshal([]byte(tt.text), &std); err != nil || std != got {
				t.Fatalf("encoding/json reads %q, %v", std, err)
			}
		})
	}
}

// plain rebuilds what encoding/json would make of a value.
func plain(n jsondoc.Node) any {
	switch n.Kind() {
	case jsondoc.Bool:
		v, _ := n.Bool()
		return v
	case jsondoc.Number:
		return json.Number(n.Raw())
	case jsondoc.String:
		v, _ := n.String()
		return v
	case jsondoc.Array:
		all := []any{}
		for e := range n.All() {
			all = append(all, plain(e))
		}
		return all
	case jsondoc.Object:
		all := map[string]any{}
		for e := range n.All() {
			all[string(e.Key())] = plain(e)
		}
		return all
	}
	return nil
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`[2,"id","Heartbeat",{}]`, `{"a":[1,-2.5e3,"x\u0041\n",null,true]}`, `{"a":1,"a":2}`, "\"\xff\"",
		`["\ud83d\ude00","\ud83d"]`, `[[[[]]]] tail`, `{"k":{"k":{"k":[{}]}}}`, `[1,]`, `-0.0`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var d jsondoc.Doc
		err := d.Parse(text)
		// Whatever happened, what is there can be walked and lies in the text.
		walk(t, d.Root(), 0)
		if errors.Is(err, jsondoc.ErrDuplicateKey) || errors.Is(err, jsondoc.ErrTooDeep) {
			return
		}
		if (err == nil) != json.Valid(text) {
			t.Fatalf("%v, but encoding/json says %v", err, json.Valid(text))
		}
		if err != nil {
			return
		}
		dec := json.NewDecoder(bytes.NewReader(text))
		dec.UseNumber()
		var want any
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if got := plain(d.Root()); !reflect.DeepEqual(got, want) {
			t.Fatalf("read %#v, encoding/json %#v", got, want)
		}
		// The source of every value is JSON of the same value.
		for n := range d.Root().All() {
			var e jsondoc.Doc
			if err := e.Parse(n.Raw()); err != nil || !reflect.DeepEqual(plain(e.Root()), plain(n)) {
				t.Fatalf("%q read again: %v", n.Raw(), err)
			}
		}
	})
}

func walk(t *testing.T, n jsondoc.Node, depth int) {
	if depth > jsondoc.MaxDepth {
		t.Fatal("deeper than allowed")
	}
	n.Key()
	n.Int()
	n.Float()
	n.Bool()
	n.Time()
	_, _ = n.String()
	for e := range n.All() {
		walk(t, e, depth+1)
	}
}

func TestParseAllocatesNothingOnceWarm(t *testing.T) {
	text := []byte(`[2,"b5a7","MeterValues",{"connectorId":1,"x":"esc\u00e9","meterValue":[{"sampledValue":[{"value":"1"}]}]}]`)
	var d jsondoc.Doc
	if err := d.Parse(text); err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() {
		if d.Parse(text) != nil || d.Root().Len() != 4 {
			t.Fatal("not read")
		}
	}); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

func TestPoolDropsWhatGrewTooLarge(t *testing.T) {
	var p jsondoc.Pool
	d := p.Get()
	if err := d.Parse([]byte("[" + strings.Repeat("1,", 10_000) + "1]")); err != nil {
		t.Fatal(err)
	}
	p.Put(d)
	if p.Get() == d {
		t.Fatal("a Doc with 10,000 nodes came back")
	}
}
