package statuspage

import (
	"math"
	"strings"
	"testing"
)

// usualWeek is busy at 17 on all days but Sunday, of which nobody knows.
type usualWeek struct{}

func (usualWeek) Busy(site string) (out [7][24]float64, ok bool) {
	for d := range out {
		for h := range out[d] {
			out[d][h] = 0.2
			if d == 6 {
				out[d][h] = math.NaN()
			}
		}
		if d != 6 {
			out[d][17] = 0.8
		}
	}
	return out, site == "ham"
}

func (usualWeek) Odds(string) []Odds { return []Odds{{15, 0.97}, {60, 0.5}} }

func TestBusyTimes(t *testing.T) {
	n := newNetwork(t, func(o *Options) { o.Prospects = usualWeek{} })
	hamburg(n)
	for name, c := range map[string]struct {
		path, lang string
		want       []string
		not        []string
	}{
		"today":              {"/status/ham", "en", []string{"At this hour it is usually quiet.", `class="now"`, "17–18: usually 80 % in use", `text-anchor="end">80 %</text>`, `title="Wednesday" aria-current="true"`, "very likely <span>97 %</span>", "in 60 min"}, nil},
		"another day":        {"/status/ham?day=fr", "en", []string{"17–18: usually 80 % in use", `title="Friday" aria-current="true"`}, []string{`class="now"`, "At this hour"}},
		"a day nobody knows": {"/status/ham?day=su", "en", []string{"17–18: not known yet", `class="none"`}, []string{"NaN"}},
		"no day":             {"/status/ham?day=<b>", "en", []string{`title="Wednesday" aria-current="true"`}, []string{"<b>\""}},
		"German":             {"/status/ham", "de", []string{"Stoßzeiten", "Um diese Zeit ist hier meist wenig los.", "meist 80 % belegt", "sehr wahrscheinlich"}, nil},
		"the language stays": {"/status/ham?lang=de", "en", []string{"lang=de&amp;day=fr#busy"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			text := n.get(c.path, "Accept-Language", c.lang)
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in %s", want, text[strings.Index(text, "<main"):])
				}
			}
			for _, not := range c.not {
				if strings.Contains(text, not) {
					t.Errorf("%q is there", not)
				}
			}
		})
	}
	if text := n.get("/status/ham?day=sa"); strings.Contains(text, "SECRET") {
		t.Error("the page names a station")
	}
}
