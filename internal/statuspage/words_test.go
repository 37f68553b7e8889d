package statuspage

import (
	"reflect"
	"testing"
)

func TestEveryLanguageHasEveryWord(t *testing.T) {
	first := reflect.ValueOf(languages()[0]).Elem()
	for _, l := range languages() {
		v := reflect.ValueOf(l).Elem()
		for i := range v.NumField() {
			f, name := v.Field(i), l.Tag+"."+v.Type().Field(i).Name
			switch f.Kind() {
			case reflect.String:
				if f.String() == "" {
					t.Errorf("%s is empty", name)
				}
			case reflect.Array:
				for k := range f.Len() {
					if f.Index(k).String() == "" {
						t.Errorf("%s[%d] is empty", name, k)
					}
				}
			case reflect.Map:
				for _, key := range first.Field(i).MapKeys() {
					if word := f.MapIndex(key); !word.IsValid() || word.String() == "" {
						t.Errorf("%s[%v] is empty", name, key)
					}
				}
			}
		}
		for _, s := range states() {
			if l.States[s] == "" || l.LastSeen[s] == "" {
				t.Errorf("%s: no word for %s", l.Tag, s)
			}
		}
		for _, c := range categories() {
			if l.Categories[c] == "" {
				t.Errorf("%s: no word for %s", l.Tag, c)
			}
		}
		if len(l.Categories) != len(categories()) || len(l.States) != len(states()) {
			t.Errorf("%s has words for nothing", l.Tag)
		}
	}
}

func TestTheLanguageOfARequest(t *testing.T) {
	tests := map[string]struct {
		asked, accept, want string
		chosen              bool
	}{
		"nothing said":              {"", "", "en", false},
		"German browser":            {"", "de-DE,de;q=0.9,en;q=0.8", "de", false},
		"prefers English":           {"", "de;q=0.5, en-GB", "en", false},
		"neither":                   {"", "fr,it;q=0.9", "en", false},
		"French, then German":       {"", "fr, de;q=0.3", "de", false},
		"the address wins":          {"de", "en", "de", true},
		"an address of nonsense":    {"xx", "de", "de", false},
		"a weight of nonsense":      {"", "de;q=high", "en", false},
		"German not wanted":         {"", "de;q=0", "en", false},
		"a header beyond all bound": {"", string(make([]byte, 100_000)), "en", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			l, chosen := choose(languages(), tc.asked, tc.accept)
			if l.Tag != tc.want || chosen != tc.chosen {
				t.Errorf("%s %v, want %s %v", l.Tag, chosen, tc.want, tc.chosen)
			}
		})
	}
}
