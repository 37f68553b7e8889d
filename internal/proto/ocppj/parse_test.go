package ocppj_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

func quirks(f ocppj.Frame) string {
	var all []string
	for _, q := range f.Quirks {
		all = append(all, q.String())
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func TestParse(t *testing.T) {
	tests := map[string]struct {
		v       ocppj.Version
		frame   string
		typ     ocppj.Type
		id      string
		raw     string
		action  string
		payload string
		quirks  string
	}{
		"a CALL": {
			ocppj.V16, `[2,"19223201","BootNotification",{"a":1}]`,
			ocppj.Call, "19223201", `"19223201"`, "BootNotification", `{"a":1}`, "",
		},
		"a CALLRESULT":   {ocppj.V201, `[3,"x",{"status":"Accepted"}]`, ocppj.CallResult, "x", `"x"`, "", `{"status":"Accepted"}`, ""},
		"a SEND":         {ocppj.V21, `[6,"x","NotifyPeriodicEventStream",{}]`, ocppj.Send, "x", `"x"`, "NotifyPeriodicEventStream", `{}`, ""},
		"white space":    {ocppj.V16, "\r\n[ 2 , \"x\" , \"Heartbeat\" , { } ]\n", ocppj.Call, "x", `"x"`, "Heartbeat", "{ }", ""},
		"a number as id": {ocppj.V16, `[2,17,"Heartbeat",{}]`, ocppj.Call, "17", `17`, "Heartbeat", `{}`, "messageID:/1"},
		"an id above 36 characters": {
			ocppj.V16, `[2,"` + strings.Repeat("a", 37) + `","Heartbeat",{}]`,
			ocppj.Call, strings.Repeat("a", 37), `"` + strings.Repeat("a", 37) + `"`, "Heartbeat", `{}`, "messageID:/1",
		},
		"an escaped id is echoed as it came": {ocppj.V16, `[2,"\u0061/\/","Heartbeat",{}]`, ocppj.Call, "a//", `"\u0061/\/"`, "Heartbeat", `{}`, ""},
		"an id that is no UTF-8 is echoed as UTF-8": {
			ocppj.V16, "[2,\"\xfc\",\"Heartbeat\",{}]", ocppj.Call, "\uFFFD", "\"\uFFFD\"", "Heartbeat", `{}`, "notUTF8:",
		},
		"a null payload":               {ocppj.V16, `[2,"x","Heartbeat",null]`, ocppj.Call, "x", `"x"`, "Heartbeat", "", "null:/3"},
		"no payload":                   {ocppj.V16, `[2,"x","Heartbeat"]`, ocppj.Call, "x", `"x"`, "Heartbeat", "", "frame:/3"},
		"an element too many":          {ocppj.V16, `[2,"x","Heartbeat",{},{}]`, ocppj.Call, "x", `"x"`, "Heartbeat", `{}`, "frame:"},
		"bytes after the frame":        {ocppj.V16, "[2,\"x\",\"Heartbeat\",{}]\x00", ocppj.Call, "x", `"x"`, "Heartbeat", `{}`, "trailing:"},
		"the type as text":             {ocppj.V16, `["2","x","Heartbeat",{}]`, ocppj.Call, "x", `"x"`, "Heartbeat", `{}`, "frame:/0"},
		"an answer that is no object":  {ocppj.V16, `[3,"x","ok"]`, ocppj.CallResult, "x", `"x"`, "", "", "frame:/2"},
		"an answer that is null":       {ocppj.V16, `[3,"x",null]`, ocppj.CallResult, "x", `"x"`, "", "", "null:/2"},
		"an answer that is not there":  {ocppj.V16, `[3,"x"]`, ocppj.CallResult, "x", `"x"`, "", "", "frame:/2"},
		"an unknown action is a frame": {ocppj.V16, `[2,"x","Dance",{}]`, ocppj.Call, "x", `"x"`, "Dance", `{}`, ""},
		"an overlong action is cut":    {ocppj.V16, `[2,"x","` + strings.Repeat("ü", 100) + `",{}]`, ocppj.Call, "x", `"x"`, strings.Repeat("ü", 32), `{}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			f, err := ocppj.Parse(&d, tt.v, []byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if f.Type != tt.typ || f.ID != tt.id || string(f.RawID) != tt.raw || f.Action != tt.action ||
				string(f.Payload.Raw()) != tt.payload || quirks(f) != tt.quirks {
				t.Fatalf("got %v %q %s %q %q %q", f.Type, f.ID, f.RawID, f.Action, f.Payload.Raw(), quirks(f))
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	tests := map[string]struct {
		v           ocppj.Version
		frame       string
		typ         ocppj.Type
		code        ocppj.ErrorCode
		description string
		details     string
		quirks      string
	}{
		"a CALLERROR": {
			ocppj.V16, `[4,"x","NotSupported","no",{"a":1}]`,
			ocppj.CallError, ocppj.NotSupported, "no", `{"a":1}`, "",
		},
		"a CALLRESULTERROR":     {ocppj.V21, `[5,"x","InternalError","",{}]`, ocppj.CallResultError, ocppj.InternalError, "", `{}`, ""},
		"no details":            {ocppj.V16, `[4,"x","GenericError",""]`, ocppj.CallError, ocppj.GenericError, "", "", "frame:"},
		"nothing but an id":     {ocppj.V16, `[4,"x"]`, ocppj.CallError, "", "", "", "frame: frame:/2"},
		"null for all":          {ocppj.V16, `[4,"x",null,null,null]`, ocppj.CallError, "", "", "null", "frame:/2"},
		"a code nobody defined": {ocppj.V201, `[4,"x","Oops","d",{}]`, ocppj.CallError, "Oops", "d", `{}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var d jsondoc.Doc
			f, err := ocppj.Parse(&d, tt.v, []byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if f.Type != tt.typ || f.ID != "x" || f.Code != tt.code || f.Description != tt.description ||
				string(f.Details.Raw()) != tt.details || quirks(f) != tt.quirks {
				t.Fatalf("got %v %q %q %q %q %q", f.Type, f.ID, f.Code, f.Description, f.Details.Raw(), quirks(f))
			}
		})
	}
}

// The rows of the table of refusals that concern frames: what each version gets
// as answer, or that it gets none.
func TestRefusals(t *testing.T) {
	const none = ""
	deep := strings.Repeat("[", 40)
	tests := map[string]struct {
		frame           string
		v16, v201, v21  string // start of the answer
		action          string
		is              error
		notIn16, notIn2 bool
	}{
		"no JSON at all": {
			frame: `hello`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an object": {
			frame: `{"a":1}`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an empty array": {
			frame: `[]`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"a CALL whose payload is broken": {
			frame: `[2,"m1","Heartbeat",{"a":]`, action: "Heartbeat",
			v16: `[4,"m1","FormationViolation",`, v201: `[4,"m1","FormatViolation",`, v21: `[4,"m1","FormatViolation",`,
		},
		"a CALL cut off before its action": {
			frame: `[2,"m1"`,
			v16:   `[4,"m1","FormationViolation",`, v201: `[4,"m1","FormatViolation",`, v21: `[4,"m1","FormatViolation",`,
		},
		"a CALL cut off in its id": {
			frame: `[2,"m1`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an answer that is broken gets none": {frame: `[3,"m1",{]`},
		"an error that is broken gets none":  {frame: `[4,"m1","x"`},
		"a CALL with a duplicate key": {
			frame: `[2,"m1","X",{"a":1,"a":1}]`, action: "X", is: jsondoc.ErrDuplicateKey,
			v16: `[4,"m1","FormationViolation",`, v201: `[4,"m1","FormatViolation",`, v21: `[4,"m1","FormatViolation",`,
		},
		"a CALL that nests too deep": {
			frame: `[2,"m1","X",` + deep, action: "X", is: jsondoc.ErrTooDeep,
			v16: `[4,"m1","FormationViolation",`, v201: `[4,"m1","FormatViolation",`, v21: `[4,"m1","FormatViolation",`,
		},
		"an id that is an object": {
			frame: `[2,{},"Heartbeat",{}]`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an empty id": {
			frame: `[2,"","Heartbeat",{}]`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an id too long to keep": {
			frame: `[2,"` + strings.Repeat("x", 256) + `","Heartbeat",{}]`,
			v16:   none, v201: `[4,"-1","RpcFrameworkError",`, v21: `[4,"-1","RpcFrameworkError",`,
		},
		"an answer without id": {frame: `[3]`},
		"an action that is a number": {
			frame: `[2,"m1",5,{}]`,
			v16:   `[4,"m1","FormationViolation",`, v201: `[4,"m1","RpcFrameworkError",`, v21: `[4,"m1","RpcFrameworkError",`,
		},
		"an empty action": {
			frame: `[2,"m1","",{}]`,
			v16:   `[4,"m1","FormationViolation",`, v201: `[4,"m1","RpcFrameworkError",`, v21: `[4,"m1","RpcFrameworkError",`,
		},
		"a payload that is an array": {
			frame: `[2,"m1","Heartbeat",[]]`, action: "Heartbeat",
			v16: `[4,"m1","FormationViolation",`, v201: `[4,"m1","RpcFrameworkError",`, v21: `[4,"m1","RpcFrameworkError",`,
		},
		"a message type nobody knows": {
			frame: `[9,"m1","X",{}]`,
			v16:   none, v201: `[4,"m1","MessageTypeNotSupported",`, v21: none,
		},
		"a message type below zero": {
			frame: `[-2,"m1","X",{}]`,
			v16:   none, v201: `[4,"m1","MessageTypeNotSupported",`, v21: none,
		},
		"an unknown type without id": {
			frame: `[9]`,
			v16:   none, v201: `[4,"-1","MessageTypeNotSupported",`, v21: none,
		},
		"a SEND before 2.1": {
			frame: `[6,"m1","X",{"a":1}]`, notIn2: true,
			v16: none, v201: `[4,"m1","MessageTypeNotSupported",`,
		},
		"a number as id is echoed as number": {
			frame: `[2,7,"X",{"a"}]`, action: "X",
			v16: `[4,7,"FormationViolation",`, v201: `[4,7,"FormatViolation",`, v21: `[4,7,"FormatViolation",`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for v, want := range map[ocppj.Version]string{ocppj.V16: tt.v16, ocppj.V201: tt.v201, ocppj.V21: tt.v21} {
				if v == ocppj.V21 && tt.notIn2 {
					continue
				}
				var d jsondoc.Doc
				_, err := ocppj.Parse(&d, v, []byte(tt.frame))
				e, ok := errors.AsType[*ocppj.FrameError](err)
				if !ok {
					t.Fatalf("%v: got %v", v, err)
				}
				if tt.is != nil && !errors.Is(err, tt.is) {
					t.Errorf("%v: %v is not %v", v, err, tt.is)
				}
				if e.Answer != (want != none) {
					t.Errorf("%v: answer %v: %v", v, e.Answer, err)
				}
				if e.Action != tt.action {
					t.Errorf("%v: action %q", v, e.Action)
				}
				if !e.Answer {
					continue
				}
				if !v.Has(e.Code) {
					t.Errorf("%v has no code %s", v, e.Code)
				}
				answer := e.AppendAnswer(nil)
				if !strings.HasPrefix(string(answer), want) || !json.Valid(answer) {
					t.Errorf("%v: answers %s", v, answer)
				}
			}
		})
	}
}

func TestBuildersAreReadBack(t *testing.T) {
	var d jsondoc.Doc
	parse := func(frame []byte) ocppj.Frame {
		t.Helper()
		f, err := ocppj.Parse(&d, ocppj.V21, frame)
		if err != nil || f.Quirks != nil {
			t.Fatalf("%s: %v %v", frame, err, f.Quirks)
		}
		return f
	}
	id := "a\"b\\c\n\x01ü"
	if f := parse(ocppj.AppendCall(nil, id, "Reset", []byte(`{"type":"Soft"}`))); f.Type != ocppj.Call || f.ID != id ||
		f.Action != "Reset" || string(f.Payload.Raw()) != `{"type":"Soft"}` {
		t.Errorf("CALL: %+v", f)
	}
	if f := parse(ocppj.AppendCall(nil, id, "ClearCache", nil)); string(f.Payload.Raw()) != `{}` {
		t.Errorf("CALL without payload: %+v", f)
	}
	if f := parse(ocppj.AppendSend(nil, id, "X", []byte(`{}`))); f.Type != ocppj.Send || f.ID != id {
		t.Errorf("SEND: %+v", f)
	}
	if f := parse(ocppj.AppendResult(nil, ocppj.RawID(id), []byte(`{"a":1}`))); f.Type != ocppj.CallResult || f.ID != id ||
		string(f.Payload.Raw()) != `{"a":1}` {
		t.Errorf("CALLRESULT: %+v", f)
	}
	if f := parse(ocppj.AppendError(nil, ocppj.RawID(id), ocppj.NotSupported, strings.Repeat("é", 300), nil)); f.Type != ocppj.CallError ||
		f.Code != ocppj.NotSupported || f.Description != strings.Repeat("é", 255) {
		t.Errorf("CALLERROR: %+v", f)
	}
	if f := parse(ocppj.AppendResultError(nil, ocppj.RawID(id), ocppj.GenericError, "d", []byte(`{"b":2}`))); f.Type != ocppj.CallResultError ||
		string(f.Details.Raw()) != `{"b":2}` {
		t.Errorf("CALLRESULTERROR: %+v", f)
	}
}

func TestCodesOfTheVersions(t *testing.T) {
	odd := []ocppj.ErrorCode{"FormationViolation", "OccurenceConstraintViolation"}
	for _, c := range odd {
		if !ocppj.V16.Has(c) || ocppj.V201.Has(c) || ocppj.V21.Has(c) {
			t.Errorf("%s belongs to 1.6 alone", c)
		}
	}
	for _, c := range []ocppj.ErrorCode{"FormatViolation", "OccurrenceConstraintViolation", "MessageTypeNotSupported", "RpcFrameworkError"} {
		if ocppj.V16.Has(c) || !ocppj.V201.Has(c) || !ocppj.V21.Has(c) {
			t.Errorf("%s belongs to 2.x alone", c)
		}
	}
	for _, v := range ocppj.Versions() {
		for _, c := range []ocppj.ErrorCode{v.FormatCode(), v.OccurrenceCode(), v.FrameCode(), "NotImplemented", "GenericError"} {
			if !v.Has(c) {
				t.Errorf("%v has no %s", v, c)
			}
		}
		if got, ok := ocppj.VersionOf(v.String()); !ok || got != v {
			t.Errorf("%v is not found by its name", v)
		}
	}
	if _, ok := ocppj.VersionOf("ocpp1.5"); ok || ocppj.V16.Has("Oops") {
		t.Error("something unknown is known")
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		`[2,"id","Heartbeat",{}]`, `[3,"id",{}]`, `[4,"id","X","",{}]`, `[5,1,"X"]`, `[6,"id","N",{}]x`,
		`[2,"id","X",{"a":1,"a":1}]`, `[2,"id`, `[9]`, `["2","\ud83d","\u0041",null]`, `{`, `[2,"-1",[],{}]`,
	} {
		for v := range uint8(4) {
			f.Add([]byte(s), v)
		}
	}
	f.Fuzz(func(t *testing.T, frame []byte, version uint8) {
		v := ocppj.Version(version % 4)
		var d jsondoc.Doc
		got, err := ocppj.Parse(&d, v, frame)
		if err != nil {
			e, ok := errors.AsType[*ocppj.FrameError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if answer := e.AppendAnswer(nil); e.Answer && !json.Valid(answer) {
				t.Fatalf("answers %s", answer)
			}
			return
		}
		// What was read is written and read again as the same.
		var again []byte
		switch got.Type {
		case ocppj.Call:
			again = ocppj.AppendCall(nil, got.ID, got.Action, got.Payload.Raw())
		case ocppj.Send:
			again = ocppj.AppendSend(nil, got.ID, got.Action, got.Payload.Raw())
		case ocppj.CallResult:
			again = ocppj.AppendResult(nil, got.RawID, got.Payload.Raw())
		case ocppj.CallError:
			again = ocppj.AppendError(nil, got.RawID, got.Code, got.Description, nil)
		case ocppj.CallResultError:
			again = ocppj.AppendResultError(nil, got.RawID, got.Code, got.Description, nil)
		}
		var d2 jsondoc.Doc
		twin, err := ocppj.Parse(&d2, v, again)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		if twin.Type != got.Type || twin.ID != got.ID || twin.Action != got.Action || twin.Code != got.Code ||
			twin.Description != got.Description {
			t.Fatalf("%s came back as %s", frame, again)
		}
		if p := got.Payload.Raw(); p != nil && string(twin.Payload.Raw()) != string(p) {
			t.Fatalf("payload %s came back as %s", p, twin.Payload.Raw())
		}
	})
}
