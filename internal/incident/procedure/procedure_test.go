package procedure

import (
	"fmt"
	"strings"
	"testing"
)

// What is shipped is data: each class has a list that reads in both languages.
func TestShippedListsAreWhole(t *testing.T) {
	shipped := Shipped()
	for _, c := range Classes() {
		l, ok := shipped[c]
		if !ok {
			t.Errorf("%s has no list", c)
			continue
		}
		if faults := l.Check(); len(faults) > 0 || l.Version < 1 || l.Site != "" {
			t.Errorf("%s: %v, version %d", c, faults, l.Version)
		}
		required := 0
		for _, s := range l.Steps {
			if s.Text.EN == "" || s.Text.DE == "" || !strings.HasSuffix(s.Text.EN, ".") && !strings.HasSuffix(s.Text.EN, "?") {
				t.Errorf("%s, step %s: %+v", c, s.ID, s.Text)
			}
			if s.Required {
				required++
			}
		}
		if required == 0 {
			t.Errorf("%s requires nothing", c)
		}
	}
	if len(shipped) != len(Classes()) {
		t.Errorf("%d lists for %d classes", len(shipped), len(Classes()))
	}
}

func TestListsThatAreRefused(t *testing.T) {
	good := Instruction{ID: "look", Text: Wording{EN: "Look."}}
	many := make([]Instruction, MaxSteps+1)
	for i := range many {
		many[i] = Instruction{ID: fmt.Sprintf("s%d", i), Text: Wording{EN: "x"}}
	}
	for name, x := range map[string]struct {
		list  List
		field string
	}{
		"of no class":                {List{Class: "flood", Steps: []Instruction{good}}, "class"},
		"without a step":             {List{Class: Fire}, "steps"},
		"with too many steps":        {List{Class: Fire, Steps: many}, "steps"},
		"with a step of two lines":   {List{Class: Fire, Steps: []Instruction{{ID: "a", Text: Wording{DE: "x\ny"}}}}, "steps.0.text.de"},
		"with a step twice":          {List{Class: Fire, Steps: []Instruction{good, good}}, "steps.1.id"},
		"with a step that is silent": {List{Class: Fire, Steps: []Instruction{{ID: "a", Text: Wording{EN: " "}}}}, "steps.0.text"},
		"with a step of a bad name":  {List{Class: Fire, Steps: []Instruction{{ID: "A b", Text: Wording{EN: "x"}}}}, "steps.0.id"},
	} {
		t.Run(name, func(t *testing.T) {
			if faults := x.list.Check(); faults[x.field] == "" {
				t.Errorf("%v", faults)
			}
		})
	}
	l := List{Class: Fire, Steps: []Instruction{good}}
	if faults := l.Check(); len(faults) > 0 {
		t.Error(faults)
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"fire#1", "fire#s1", "fire@ham#12", "#", "fire#-1", "fire#s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		id, version, shipped, ok := ParseRef(ref)
		if !ok {
			return
		}
		again, v, s, ok := ParseRef(Ref(id, version, shipped))
		if !ok || again != id || v != version || s != shipped {
			t.Errorf("%q: %q %d %v, again %q %d %v", ref, id, version, shipped, again, v, s)
		}
	})
}
