package store

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestADecisionIsARowAnEventAndAnEntryOfTheAuditLog(t *testing.T) {
	b := open(t)
	value := json.RawMessage(`{"detector":"D01","scope":"site/ham-1","values":{"minutes":7}}`)
	const id = "D01@site/ham-1"
	if err := b.SetPolicy(t.Context(), admin, "threshold", id, value); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Store{b.Store, b.reopen(t)} {
		p := must[Policy](t)(s.Policy(t.Context(), "threshold", id))
		if string(p.Value) != string(value) || p.By != admin || p.ChangedAt.IsZero() {
			t.Errorf("kept %+v", p)
		}
		if list := must[[]Policy](t)(s.Policies(t.Context(), "threshold")); len(list) != 1 || list[0].ID != id {
			t.Errorf("listed %+v", list)
		}
		if list := must[[]Policy](t)(s.Policies(t.Context(), "rule")); len(list) != 0 {
			t.Errorf("of another type: %+v", list)
		}
	}
	if err := b.SetPolicy(t.Context(), "u-2", "threshold", id, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Policy(t.Context(), "threshold", id); !errors.Is(err, ErrNotFound) {
		t.Errorf("taken back: %v", err)
	}
	told := b.told(t)
	if len(told) != 2 {
		t.Fatalf("the core was told %d times", len(told))
	}
	first, last := told[0].Body.(*event.Policy), told[1].Body.(*event.Policy)
	if first.Type != "threshold" || first.ID != id || string(first.Value) != string(value) || first.By != string(admin) || told[0].Subject != event.Self() {
		t.Errorf("told %+v about %s", first, told[0].Subject)
	}
	if last.ID != id || len(last.Value) != 0 || last.By != "u-2" {
		t.Errorf("told at last %+v", last)
	}
	entries := must[[]AuditEntry](t)(b.Audit(t.Context(), 0, 10))
	if len(entries) != 2 || entries[0].Action != "policy.delete" || entries[0].Actor != "u-2" || entries[1].Action != "policy.set" ||
		entries[1].Subject != "policy/threshold/"+id {
		t.Errorf("audit log %+v", entries)
	}
}

func TestWhatIsNoDecisionIsRefusedAndTellsNobody(t *testing.T) {
	for name, tc := range map[string]struct {
		typ, id, value string
		field          string
	}{
		"without a type":         {"", "x", `{}`, "type"},
		"without an id":          {"rule", "", `{}`, "id"},
		"a line break in the id": {"rule", "a\nb", `{}`, "id"},
		"an endless id":          {"rule", strings.Repeat("x", 201), `{}`, "id"},
		"broken JSON":            {"rule", "x", `{"a":`, "value"},
		"a huge value":           {"rule", "x", `"` + strings.Repeat("x", MaxPolicyBytes) + `"`, "value"},
	} {
		t.Run(name, func(t *testing.T) {
			b := open(t)
			err := b.SetPolicy(t.Context(), admin, tc.typ, tc.id, json.RawMessage(tc.value))
			if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Field != tc.field {
				t.Errorf("%v, want one about %s", err, tc.field)
			}
			if told := b.told(t); len(told) != 0 {
				t.Errorf("told %+v", told)
			}
		})
	}
	b := open(t)
	if err := b.SetPolicy(t.Context(), admin, "rule", "never-was", nil); !errors.Is(err, ErrNotFound) {
		t.Errorf("taking back what is not: %v", err)
	}
	if told := b.told(t); len(told) != 0 {
		t.Errorf("told %+v", told)
	}
}
