package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// The files of testdata/events are rows as they were once stored. They stay
// for ever: a change that cannot read one of them needs another kind.

func TestEveryKindHasARowThatStillReads(t *testing.T) {
	for _, kind := range event.Kinds() {
		rows, err := filepath.Glob(filepath.Join("testdata", "events", string(kind)+".v*.json"))
		if err != nil || len(rows) == 0 {
			t.Fatalf("%s: %v, %v", kind, rows, err)
		}
		slices.Sort(rows)
		testRow(t, kind, rows[len(rows)-1], true)
		for _, row := range rows[:len(rows)-1] {
			testRow(t, kind, row, false)
		}
	}
}

// testRow reads a row as it was once stored; the newest of a kind uses every field.
func testRow(t *testing.T, kind event.Kind, row string, newest bool) {
	t.Run(filepath.Base(row), func(t *testing.T) {
		data, err := os.ReadFile(row)
		if err != nil {
			t.Fatal(err)
		}
		stored := compact(t, data)
		body, err := event.DecodeBody(kind, data)
		if err != nil {
			t.Fatal(err)
		}
		if body.Kind() != kind {
			t.Errorf("decoded as %s", body.Kind())
		}
		if empty, err := event.New(kind); err != nil || reflect.DeepEqual(body, empty) {
			t.Errorf("the row says nothing: %v", err)
		}
		again, err := event.AppendBody(nil, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := compact(t, again); got != stored {
			t.Errorf("stored again it differs\nwas %s\nis  %s", stored, got)
		}
		same, err := event.DecodeBody(kind, again)
		if err != nil || !reflect.DeepEqual(body, same) {
			t.Errorf("read again it differs: %+v, was %+v, %v", same, body, err)
		}
		if newest {
			checkFields(t, reflect.ValueOf(body).Elem(), string(kind))
		}
	})
}

func TestEveryRowOfThePastHasAKind(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "events", "*.json"))
	if err != nil || len(files) < len(event.Kinds()) {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		kind, _, ok := strings.Cut(filepath.Base(f), ".v")
		if !ok {
			t.Errorf("%s is not named KIND.vN.json", f)
		}
		if _, err := event.New(event.Kind(kind)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	if _, err := event.New("no such kind"); !errors.Is(err, event.ErrKind) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestFieldsOfANewerVersionAreIgnored(t *testing.T) {
	for _, kind := range event.Kinds() {
		if _, err := event.DecodeBody(kind, []byte(`{"aFieldOfTomorrow":{"x":[1]}}`)); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// checkFields fails for a field that the row leaves empty: a row that does not
// use a field does not protect it. Whatever is added later is in a later file.
func checkFields(t *testing.T, v reflect.Value, path string) {
	t.Helper()
	for i := range v.NumField() {
		f, name := v.Field(i), path+"."+v.Type().Field(i).Name
		if f.IsZero() {
			t.Errorf("%s is empty in testdata", name)
			continue
		}
		switch {
		case f.Kind() == reflect.Slice && f.Len() > 0 && f.Index(0).Kind() == reflect.Struct && f.Type() != reflect.TypeFor[event.Samples]():
			checkFields(t, f.Index(0), name)
		}
	}
}

func compact(t *testing.T, data []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(sorted)
}

func TestTheFastEncodersWriteWhatTheSlowOneWould(t *testing.T) {
	for name, s := range map[string]event.Status{
		"plain":           {Status: "Available"},
		"everything":      {Status: "Faulted", ErrorCode: "GroundFailure", Info: "i", VendorID: "v", VendorErrorCode: "c"},
		"quotes":          {Status: `a"b\c`, Info: "tab\tnul\x00 line\u2028 <&>"},
		"other alphabets": {Status: "Ladesäule", Info: "充电 \U0001f50c"},
		"broken UTF-8":    {Status: "a\xffb"},
	} {
		t.Run(name, func(t *testing.T) {
			fast, err := event.AppendBody([]byte("before"), &s)
			if err != nil {
				t.Fatal(err)
			}
			slow, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if string(fast) != "before"+string(slow) {
				t.Errorf("%s, want %s", fast, slow)
			}
		})
	}
	m := &event.Meter{TransactionID: `x"y`, Samples: event.Samples{{Values: []event.Sample{{Measurand: "Voltage", Value: 1.5}}}}}
	fast, err := event.AppendBody(nil, m)
	if err != nil {
		t.Fatal(err)
	}
	if slow, err := json.Marshal(m); err != nil || string(fast) != string(slow) {
		t.Errorf("%s, want %s, %v", fast, slow, err)
	}
}
