package rule

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

// What the documentation shows can be saved.
func TestExamplesOfTheDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n## Examples\n")
	table, _, _ = strings.Cut(table, "\n## ")
	row := regexp.MustCompile("(?m)^\\| [^|]+ \\| ((?:`[a-zA-Z.]+`(?:, )?)+) \\| `([^`]+)` \\|")
	l := language(t)
	found := row.FindAllStringSubmatch(table, -1)
	if len(found) < 7 {
		t.Fatalf("%d examples", len(found))
	}
	for _, m := range found {
		var on []event.Kind
		for kind := range strings.SplitSeq(m[1], ", ") {
			on = append(on, event.Kind(strings.Trim(kind, "`")))
		}
		if faults := l.Check(ordinary(m[2], on...)); len(faults) > 0 {
			t.Errorf("%s: %+v", m[2], faults)
		}
	}
}

// Every value, function and kind is explained in both languages, and what is
// shown as an example compiles.
func TestVocabularyIsWhole(t *testing.T) {
	l := language(t)
	v := l.Vocabulary()
	whole := func(what string, w Words) {
		t.Helper()
		if w.EN == "" || w.DE == "" {
			t.Errorf("%s is not explained", what)
		}
	}
	for _, one := range v.Variables {
		for _, f := range one.Fields {
			whole(f.Name, f.Words)
		}
	}
	for _, k := range v.Kinds {
		whole(string(k.Kind), k.Words)
	}
	for _, f := range v.Functions {
		whole(f.Example, f.Words)
		r := ordinary(f.Example, event.KindStatus, event.KindMeter, event.KindComponent)
		if faults := l.Check(r); len(faults) > 0 {
			t.Errorf("%s: %+v", f.Example, faults)
		}
	}
}
