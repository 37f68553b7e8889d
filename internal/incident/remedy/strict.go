package remedy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// reader reads JSON that people wrote and collects what is wrong by path.
type reader struct{ faults map[string]string }

func (r *reader) fault(path, text string) {
	if path == "" {
		path = "."
	}
	if _, known := r.faults[path]; !known {
		r.faults[path] = text
	}
}

// object reads the fields of an object into pointers, or hands them to
// functions of (path, raw). A field that is not named is a fault.
func (r *reader) object(path string, data []byte, fields map[string]any) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		r.fault(path, "must be an object")
		return
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			r.fault(path, "broken JSON")
			return
		}
		name := t.(string)
		at := under(path, name)
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			r.fault(at, "broken JSON")
			return
		}
		into, known := fields[name]
		switch {
		case !known:
			r.fault(at, "unknown field")
		case seen[name]:
			r.fault(at, "given twice")
		default:
			r.value(at, raw, into)
		}
		seen[name] = true
	}
	if _, err := dec.Token(); err != nil {
		r.fault(path, "broken JSON")
	} else if path == "" && dec.More() {
		r.fault(path, "one object and nothing behind it")
	}
}

func (r *reader) value(path string, raw json.RawMessage, into any) {
	if read, ok := into.(func(string, json.RawMessage)); ok {
		read(path, raw)
		return
	}
	if err := json.Unmarshal(raw, into); err != nil {
		text := "ill-typed"
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			text = fmt.Sprintf("must be of type %s, not %s", wrong.Type, wrong.Value)
		}
		r.fault(path, text)
	}
}

// list reads the items of a list.
func (r *reader) list(path string, raw json.RawMessage, most int, read func(path string, raw json.RawMessage)) {
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		r.fault(path, "must be a list")
		return
	}
	if len(items) > most {
		r.fault(path, fmt.Sprintf("at most %d", most))
		return
	}
	for i, item := range items {
		read(fmt.Sprintf("%s[%d]", path, i), item)
	}
}

func under(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
