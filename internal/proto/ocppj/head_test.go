package ocppj

import (
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
)

func TestTheHeadOfAMessage(t *testing.T) {
	for name, tc := range map[string]struct {
		frame string
		typ   Type
		id    string
		ok    bool
	}{
		"a call":                       {`[2,"19","Heartbeat",{}]`, Call, "19", true},
		"a result with spaces":         {" [ 3 ,\n\"a b\" , {} ]", CallResult, "a b", true},
		"an error":                     {`[4,"x","GenericError","",{}]`, CallError, "x", true},
		"a send":                       {`[6,"x","NotifyPeriodicEventStream",{}]`, Send, "x", true},
		"an id that is a number":       {`[3,17,{}]`, CallResult, "17", true},
		"an id with an escape":         {`[3,"a\"b\u0063",{}]`, CallResult, `a"bc`, true},
		"a type that is a text":        {`["3","x",{}]`, CallResult, "x", true},
		"broken behind the id":         {`[2,"19","Heart`, Call, "19", true},
		"no array":                     {`{"a":1}`, 0, "", false},
		"nothing":                      {``, 0, "", false},
		"an id that never ends":        {`[3,"x`, 0, "", false},
		"an id with a broken escape":   {`[3,"\q",{}]`, 0, "", false},
		"no id":                        {`[3]`, 0, "", false},
		"an empty id":                  {`[3,"",{}]`, 0, "", false},
		"a type of two digits":         {`[33,"x",{}]`, 0, "", false},
		"a backslash as the last byte": {`[3,"x\`, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			typ, id, ok := Head([]byte(tc.frame))
			if typ != tc.typ || id != tc.id || ok != tc.ok {
				t.Errorf("%v %q %v", typ, id, ok)
			}
		})
	}
}

// What Head and Parse both read they read alike: a relay that takes an answer for
// somebody else's hands it to the wrong side.
func FuzzHead(f *testing.F) {
	for _, s := range []string{`[2,"19","Heartbeat",{}]`, `[3,17,{}]`, ` ["3" , "a\u0062",{}]`, `[4,"x","E","",{}]`, `[3,"\ud800",{}]`, `[3,1e3,{}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		typ, id, ok := Head(frame)
		var d jsondoc.Doc
		parsed, err := Parse(&d, V21, frame)
		if err != nil || !ok {
			return
		}
		if parsed.Type != typ || parsed.ID != id && d.Replaced() == 0 {
			t.Errorf("%q: head %v %q, whole %v %q", frame, typ, id, parsed.Type, parsed.ID)
		}
	})
}
