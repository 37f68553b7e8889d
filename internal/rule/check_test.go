package rule

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
)

func TestCheck(t *testing.T) {
	l := language(t)
	tests := map[string]struct {
		change func(*Rule)
		want   []string // FIELD:LINE:COLUMN and a part of the text
	}{
		"a word that is not known":   {func(r *Rule) { r.Where = "port.status == \"A\" &&\n  prot.evse == 1" }, []string{"where:2:3 undeclared reference to 'prot'"}},
		"a value that is not known":  {func(r *Rule) { r.Where = `port.powrW > 1.0` }, []string{"where:1:5 undefined field 'powrW'"}},
		"a comma too many":           {func(r *Rule) { r.Where = `port.evse in [1,,2]` }, []string{"where:1:17 Syntax error"}},
		"a number is no condition":   {func(r *Rule) { r.Where = `port.powerW` }, []string{"where:1:1 is true or false, this is double"}},
		"text against a number":      {func(r *Rule) { r.Where = `port.status > 3` }, []string{"where:1:13 no matching overload"}},
		"a decimal against a whole":  {func(r *Rule) { r.Where = `port.powerW / 1000 > 3.0` }, []string{"where:1:13 write the whole number as a decimal"}},
		"a value of another kind":    {func(r *Rule) { r.Where = `event.type == "x"` }, []string{"where:1:1 event.type is told with security, log, which this rule does not follow"}},
		"attempts have to be asked":  {func(r *Rule) { r.Where = `attempt.failed` }, []string{"where:1:1 attempt.failed is told with attempt"}},
		"a variable alone":           {func(r *Rule) { r.Where = `port == port` }, []string{"where:1:1 port needs the name of a value", "where:1:9 port needs the name"}},
		"the station makes patterns": {func(r *Rule) { r.Where = `port.faultInfo.matches(port.status)` }, []string{"where:1:23 the pattern of matches has to stand in the rule"}},
		"a pattern that is none":     {func(r *Rule) { r.Where = `port.faultInfo.matches("(")` }, []string{"where:1:24 "}},
		"a pattern that explodes":    {func(r *Rule) { r.Where = `port.faultInfo.matches("((a{30}){30})")` }, []string{"where:1:24 "}},
		"nothing":                    {func(r *Rule) { r.Where = "  \n" }, []string{"where:0:0 must not be empty"}},
		"the clearing too":           {func(r *Rule) { r.ClearWhen = "1 +" }, []string{"clearWhen:1:4 Syntax error"}},
		"nothing is made":            {func(r *Rule) { r.Where = `port{}.evse == 1` }, []string{"where:1:5 a rule cannot make things"}},
		"too long":                   {func(r *Rule) { r.Where = strings.Repeat("1 == 1 && ", 300) + "true" }, []string{"where:1:1 has at most 2000"}},
		"too deep":                   {func(r *Rule) { r.Where = strings.Repeat("(", 400) + "true" + strings.Repeat(")", 400) }, []string{"where:"}},
		"too deep a list":            {func(r *Rule) { r.Where = strings.Repeat("[", 300) + strings.Repeat("]", 300) + " == []" }, []string{"where:"}},
		"loops in loops": {func(r *Rule) {
			r.Where = `port.conditions.exists(a, port.conditions.exists(b, port.conditions.exists(c, a + b == c)))`
		}, []string{"where:"}},
		"a bomb":                     {func(r *Rule) { r.Where = bomb() }, []string{"where:"}},
		"an id with a space":         {func(r *Rule) { r.ID = "a b" }, []string{"id:0:0 "}},
		"no name":                    {func(r *Rule) { r.Name = "" }, []string{"name:0:0 must not be empty"}},
		"no title":                   {func(r *Rule) { r.Title = " " }, []string{"title:0:0 must not be empty"}},
		"a title of two lines":       {func(r *Rule) { r.Title = "a\nb" }, []string{"title:0:0 must be one line"}},
		"no kind":                    {func(r *Rule) { r.On = nil }, []string{"on:0:0 names at least one"}},
		"a kind that is none":        {func(r *Rule) { r.On = []event.Kind{"status", "policy"} }, []string{"on.1:0:0 policy cannot be followed"}},
		"a kind twice":               {func(r *Rule) { r.On = []event.Kind{"status", "status"} }, []string{"on.1:0:0 stands there twice"}},
		"about nothing":              {func(r *Rule) { r.By = "country" }, []string{"by:0:0 is port, station or site"}},
		"as bad as nothing":          {func(r *Rule) { r.Severity = "S9" }, []string{"severity:0:0 is S1"}},
		"for less than nothing":      {func(r *Rule) { r.ForSeconds = -1 }, []string{"forSeconds:0:0 "}},
		"cleared never":              {func(r *Rule) { r.ClearAfterSeconds = 1 << 30 }, []string{"clearAfterSeconds:0:0 "}},
		"one of many":                {func(r *Rule) { r.Count = &Count{1, 0} }, []string{"count.n:0:0 ", "count.withinSeconds:0:0 "}},
		"so often and so long":       {func(r *Rule) { r.Count, r.ForSeconds = &Count{3, 60}, 5 }, []string{"count:0:0 cannot stand beside"}},
		"a fact that is none":        {func(r *Rule) { r.Facts = []string{"port.evse", "port.no"} }, []string{"facts.1:0:0 "}},
		"a list is no fact":          {func(r *Rule) { r.Facts = []string{"event.values"} }, []string{"facts.0:0:0 "}},
		"a label with a line":        {func(r *Rule) { r.Labels = map[string]string{"a": "b\n"} }, []string{"labels.a:0:0 "}},
		"a model without its vendor": {func(r *Rule) { r.Models = []string{"X1"} }, []string{"models.0:0:0 is VENDOR/MODEL"}},
		"all of it in order":         {func(*Rule) {}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := ordinary(`port.status == "Faulted"`)
			tc.change(&r)
			faults := l.Check(r)
			var got []string
			for _, f := range faults {
				got = append(got, fmt.Sprintf("%s:%d:%d %s", f.Field, f.Line, f.Column, f.Text))
			}
			if len(got) < len(tc.want) || len(tc.want) == 0 && len(got) > 0 {
				t.Fatalf("faults %q, want %q", got, tc.want)
			}
			for i, want := range tc.want {
				if head, tail, _ := strings.Cut(want, " "); !strings.HasPrefix(got[i], head) || !strings.Contains(got[i], tail) {
					t.Errorf("fault %q, want %q", got[i], want)
				}
			}
		})
	}
}

// bomb doubles a list again and again.
func bomb() string {
	list := "[1,2,3,4,5,6,7,8,9,10]"
	return list + ".map(x, " + list + ".map(y, " + list + ".map(z, x * y * z))).size() > 0"
}

// What the compiler lets through is bounded as it runs.
func TestWhatCostsTooMuch(t *testing.T) {
	for name, tc := range map[string]struct{ where, want string }{
		"a long text again and again": {strings.Repeat(`event.info.contains("aaaaaaaaab") || `, 45) + "false", "off"},
		"texts that grow":             {`(event.info + event.info + event.info + event.info).matches("(a|aa)+b$")`, "runs"},
		"texts that grow and grow":    {strings.Repeat("(", 10) + "event.info" + strings.Repeat(" + event.info)", 10) + `.matches("(a|aa|aaa|aaaa)+(b|bb|bbb)+$") && event.info.matches("(a|aa|aaa|aaaa)+(b|bb|bbb)+$")`, "off"},
		"each with each":              {`event.values.exists(a, event.values.exists(b, a + b == "x"))`, "refused"},
		"each measurement":            {`event.values.exists(a, a.matches("(m|mm|mmm)+[0-9]+x"))`, "runs"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ordinary(tc.where, event.KindStatus, event.KindMeter)
			if strings.Contains(tc.where, "values") {
				r.On = []event.Kind{event.KindMeter}
			}
			b := newBench(t, r)
			if faults := b.rules.language.Check(r); len(faults) > 0 {
				if tc.want != "refused" {
					t.Errorf("refused: %v", faults)
				}
				return
			}
			b.station("S1", "home", 1)
			samples := event.Samples{{}}
			for i := range 200 {
				samples[0].Values = append(samples[0].Values, event.Sample{Measurand: strings.Repeat("m", 100) + fmt.Sprint(i)})
			}
			for range maxOvercosts + 1 {
				b.say(event.Port("S1", 1, 1), &event.Status{Status: "Available", Info: strings.Repeat("a", 1<<20)})
				b.say(event.Port("S1", 1, 1), &event.Meter{Samples: samples})
			}
			st := b.rules.Statuses()[0]
			if got := map[bool]string{true: "off", false: "runs"}[st.Off != ""]; got != tc.want {
				t.Errorf("%s, want %s (%s)", got, tc.want, st.Off)
			}
		})
	}
}

func TestDecode(t *testing.T) {
	for name, text := range map[string]string{
		"a field too many": `{"id":"a","colour":"red"}`,
		"two of them":      `{"id":"a"}{"id":"b"}`,
		"no object":        `[]`,
		"cut off":          `{"id":`,
		"far too large":    `{"id":"` + strings.Repeat("a", MaxBytes) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Decode([]byte(text)); err == nil {
				t.Error("it was read")
			}
		})
	}
	r := ordinary("true")
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode(data)
	if err != nil || !back.same(&r) || back.Title != r.Title {
		t.Errorf("%+v %v", back, err)
	}
}

func FuzzRule(f *testing.F) {
	for _, where := range []string{"true", `port.status == "Faulted"`, "has(port.socPercent)", "1/0 == 1", bomb(), `event.info.matches("a+")`, "[1].exists(x, x > 0)"} {
		data, err := json.Marshal(ordinary(where))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	l := language(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Decode(data)
		if err != nil {
			return
		}
		faults := l.Check(r)
		for _, one := range faults {
			if one.Field == "" || one.Text == "" || (one.Line > 0) != (one.Column > 0) {
				t.Fatalf("fault %+v", one)
			}
		}
		if len(faults) > 0 {
			return
		}
		r.ID, r.Enabled = "r", true
		b := newBench(t, r)
		b.station("S1", "home", 2)
		b.say(event.Port("S1", 1, 1), &event.Status{Status: "Faulted", ErrorCode: "OtherError", Info: string(data)})
		b.after(maxFor)
		for _, found := range b.found {
			if found.Code != "rule/r" {
				t.Fatalf("finding %+v", found)
			}
		}
	})
}
