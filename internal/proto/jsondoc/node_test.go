package jsondoc_test

import (
	"math"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"pgregory.net/rapid"
)

func node(t testing.TB, text string) jsondoc.Node {
	t.Helper()
	var d jsondoc.Doc
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return d.Root()
}

func TestInt(t *testing.T) {
	tests := map[string]struct {
		text string
		want int64
		fit  jsondoc.Fit
	}{
		"a number":                   {`17`, 17, jsondoc.Exact},
		"a negative number":          {`-1`, -1, jsondoc.Exact},
		"a whole number with point":  {`1.0`, 1, jsondoc.Exact},
		"a whole number by exponent": {`1e3`, 1000, jsondoc.Exact},
		"nineteen digits":            {`1234567890123456789`, 1234567890123456768, jsondoc.Exact},
		"a fraction is rounded":      {`1523.7`, 1524, jsondoc.Coerced},
		"a number in a string":       {`"17"`, 17, jsondoc.Coerced},
		"blanks around it":           {`" 17 "`, 17, jsondoc.Coerced},
		"an empty string":            {`""`, 0, jsondoc.Unreadable},
		"words":                      {`"one"`, 0, jsondoc.Unreadable},
		"hexadecimal":                {`"0x10"`, 0, jsondoc.Unreadable},
		"an infinity":                {`"Inf"`, 0, jsondoc.Unreadable},
		"larger than 64 bits":        {`1e30`, 0, jsondoc.Unreadable},
		"larger than a float":        {`1e999`, 0, jsondoc.Unreadable},
		"a boolean":                  {`true`, 0, jsondoc.Unreadable},
		"null":                       {`null`, 0, jsondoc.NullValue},
		"an object":                  {`{}`, 0, jsondoc.Unreadable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, fit := node(t, tt.text).Int(); got != tt.want || fit != tt.fit {
				t.Fatalf("got %d, fit %d", got, fit)
			}
		})
	}
}

func TestFloat(t *testing.T) {
	tests := map[string]struct {
		text string
		want float64
		fit  jsondoc.Fit
	}{
		"a number":             {`10873.2`, 10873.2, jsondoc.Exact},
		"minus zero":           {`-0`, math.Copysign(0, -1), jsondoc.Exact},
		"an exponent":          {`1.5E-3`, 0.0015, jsondoc.Exact},
		"many digits":          {`0.1234567890123456789`, 0.1234567890123456789, jsondoc.Exact},
		"a number in a string": {`"229.8"`, 229.8, jsondoc.Coerced},
		"leading zeros":        {`"007.5"`, 7.5, jsondoc.Coerced},
		"a leading plus":       {`"+3"`, 3, jsondoc.Coerced},
		"a comma":              {`"1,5"`, 0, jsondoc.Unreadable},
		"no number":            {`"NaN"`, 0, jsondoc.Unreadable},
		"a unit with it":       {`"16 A"`, 0, jsondoc.Unreadable},
		"too large":            {`1e400`, 0, jsondoc.Unreadable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, fit := node(t, tt.text).Float()
			if math.Float64bits(got) != math.Float64bits(tt.want) || fit != tt.fit {
				t.Fatalf("got %v, fit %d", got, fit)
			}
		})
	}
}

func TestFloatIsWhatStrconvReads(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?`).Draw(t, "text")
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, ok := jsondoc.ParseFloat([]byte(text)); !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s reads %v %v, want %v", text, got, ok, want)
		}
	})
}

func TestBoolAndString(t *testing.T) {
	if v, fit := node(t, `"true"`).Bool(); !v || fit != jsondoc.Coerced {
		t.Error("the word true", v, fit)
	}
	if v, fit := node(t, `0`).Bool(); v || fit != jsondoc.Coerced {
		t.Error("zero", v, fit)
	}
	if _, fit := node(t, `"yes"`).Bool(); fit != jsondoc.Unreadable {
		t.Error("yes", fit)
	}
	if s, fit := node(t, `12.50`).String(); s != "12.50" || fit != jsondoc.Coerced {
		t.Error("a number as text", s, fit)
	}
	if s, fit := node(t, `[1]`).String(); s != "" || fit != jsondoc.Unreadable {
		t.Error("an array as text", s, fit)
	}
	if s, fit := (jsondoc.Node{}).String(); s != "" || fit != jsondoc.Absent {
		t.Error("nothing", s, fit)
	}
}

func TestGetFindsMembersOnly(t *testing.T) {
	n := node(t, `{"a":{"b":1},"b":2,"\u0063":3}`)
	if v, _ := n.Get("b").Int(); v != 2 {
		t.Error("a member of a member was taken for a member")
	}
	if v, _ := n.Get("c").Int(); v != 3 {
		t.Error("an escaped key is not found")
	}
	if n.Get("x").Exists() || n.Get("b").Get("x").Exists() || n.Get("x").Get("y").First().Exists() {
		t.Error("something was found that is not there")
	}
}

func TestParseTime(t *testing.T) {
	utc := func(y int, m time.Month, d, h, min, s, ns int) time.Time {
		return time.Date(y, m, d, h, min, s, ns, time.UTC)
	}
	base := utc(2026, 8, 22, 10, 15, 30, 0)
	tests := map[string]struct {
		text string
		want time.Time
		fit  jsondoc.Fit
	}{
		"UTC":                       {"2026-08-22T10:15:30Z", base, jsondoc.Exact},
		"lower case":                {"2026-08-22t10:15:30z", base, jsondoc.Exact},
		"milliseconds":              {"2026-08-22T10:15:30.123Z", base.Add(123 * time.Millisecond), jsondoc.Exact},
		"one digit":                 {"2026-08-22T10:15:30.5Z", base.Add(500 * time.Millisecond), jsondoc.Exact},
		"finer than nanoseconds":    {"2026-08-22T10:15:30.1234567899Z", base.Add(123456789), jsondoc.Exact},
		"a zone":                    {"2026-08-22T12:15:30+02:00", base, jsondoc.Exact},
		"a zone west":               {"2026-08-22T05:45:30-04:30", base, jsondoc.Exact},
		"no zone is UTC":            {"2026-08-22T10:15:30", base, jsondoc.Zoneless},
		"no zone but a fraction":    {"2026-08-22T10:15:30.000", base, jsondoc.Zoneless},
		"a blank for the T":         {"2026-08-22 10:15:30Z", base, jsondoc.Coerced},
		"a blank and no zone":       {"2026-08-22 10:15:30", base, jsondoc.Coerced},
		"a zone without colon":      {"2026-08-22T12:15:30+0200", base, jsondoc.Coerced},
		"a zone without minutes":    {"2026-08-22T12:15:30+02", base, jsondoc.Coerced},
		"a comma":                   {"2026-08-22T10:15:30,5Z", base.Add(500 * time.Millisecond), jsondoc.Coerced},
		"an hour of one digit":      {"2026-08-22T9:15:30Z", base.Add(-time.Hour), jsondoc.Coerced},
		"a blank for a digit":       {"2026-08-22T :15:30Z", time.Time{}, jsondoc.Unreadable},
		"no seconds":                {"2026-08-22T10:15Z", utc(2026, 8, 22, 10, 15, 0, 0), jsondoc.Coerced},
		"blanks around":             {" 2026-08-22T10:15:30Z ", base, jsondoc.Coerced},
		"a leap second":             {"2016-12-31T23:59:60Z", utc(2017, 1, 1, 0, 0, 0, 0), jsondoc.Exact},
		"the epoch":                 {"1970-01-01T00:00:12Z", utc(1970, 1, 1, 0, 0, 12, 0), jsondoc.Exact},
		"a leap day":                {"2028-02-29T00:00:00Z", utc(2028, 2, 29, 0, 0, 0, 0), jsondoc.Exact},
		"a day that does not exist": {"2026-02-29T00:00:00Z", time.Time{}, jsondoc.Unreadable},
		"month 13":                  {"2026-13-01T00:00:00Z", time.Time{}, jsondoc.Unreadable},
		"hour 24":                   {"2026-01-01T24:00:00Z", time.Time{}, jsondoc.Unreadable},
		"two zones":                 {"2026-01-01T00:00:00+00:00Z", time.Time{}, jsondoc.Unreadable},
		"a date alone":              {"2026-08-22", time.Time{}, jsondoc.Unreadable},
		"seconds since 1970":        {"1787393730", time.Time{}, jsondoc.Unreadable},
		"nothing":                   {"", time.Time{}, jsondoc.Unreadable},
		"words":                     {"2026-08-22Tten:15:30Z", time.Time{}, jsondoc.Unreadable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, fit := jsondoc.ParseTime([]byte(tt.text))
			if !got.Equal(tt.want) || fit != tt.fit {
				t.Fatalf("got %v, fit %d", got, fit)
			}
			if std, err := time.Parse(time.RFC3339Nano, tt.text); err == nil && !std.Equal(got) && tt.fit == jsondoc.Exact {
				t.Fatalf("the standard library reads %v", std)
			}
		})
	}
}

func FuzzTime(f *testing.F) {
	f.Add("2026-08-22T10:15:30.123+02:00")
	f.Add("2026-02-29T23:59:60z")
	f.Add("0010-01-01T0:00:00+00:00")
	f.Add("0010-01-01T00:00:00+00:60")
	// The standard library takes these for zones; they are none.
	noZone := regexp.MustCompile(`[+-](24:\d\d|\d\d:60)$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, fit := jsondoc.ParseTime([]byte(text))
		std, err := time.Parse(time.RFC3339Nano, text)
		if err == nil && std.Year() >= 1 && !noZone.MatchString(text) && (!fit.OK() || !got.Equal(std)) {
			t.Fatalf("%q: read %v (fit %d), the standard library %v", text, got, fit, std)
		}
		if fit == jsondoc.Unreadable && !got.IsZero() {
			t.Fatalf("%q is unreadable, but %v", text, got)
		}
	})
}
