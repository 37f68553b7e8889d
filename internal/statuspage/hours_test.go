package statuspage

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// text writes a schedule in one form, day by day.
func (s *schedule) text() string {
	var out []string
	put := func(name string, spans []span) {
		if len(spans) == 0 {
			out = append(out, name+" off")
			return
		}
		var times []string
		for _, x := range spans {
			times = append(times, fmt.Sprintf("%02d:%02d-%02d:%02d", x.from/60, x.from%60, x.to/60, x.to%60))
		}
		out = append(out, name+" "+strings.Join(times, ","))
	}
	for d, spans := range s.days {
		put(dayNames[d], spans)
	}
	if s.holidays != nil {
		put("PH", *s.holidays)
	}
	return strings.Join(out, "; ")
}

func TestOpeningHoursAreRead(t *testing.T) {
	all := func(times string) string {
		var out []string
		for _, d := range dayNames {
			out = append(out, d+" "+times)
		}
		return strings.Join(out, "; ")
	}
	tests := map[string]struct{ text, want string }{
		"always":                       {"24/7", all("00:00-24:00")},
		"every day":                    {"Mo-Su 05:00-24:00", all("05:00-24:00")},
		"no days named":                {"08:00-20:00", all("08:00-20:00")},
		"one digit":                    {"8:00-20:00", all("08:00-20:00")},
		"closed":                       {"off", all("off")},
		"working days":                 {"Mo-Fr 06:00-22:00", "Mo 06:00-22:00; Tu 06:00-22:00; We 06:00-22:00; Th 06:00-22:00; Fr 06:00-22:00; Sa off; Su off"},
		"a list":                       {"Mo,We,Fr-Sa 10:00-11:00", "Mo 10:00-11:00; Tu off; We 10:00-11:00; Th off; Fr 10:00-11:00; Sa 10:00-11:00; Su off"},
		"around the weekend":           {"Sa-Mo 10:00-11:00", "Mo 10:00-11:00; Tu off; We off; Th off; Fr off; Sa 10:00-11:00; Su 10:00-11:00"},
		"two times a day":              {"Mo 08:00-12:00, 13:00-17:00", "Mo 08:00-12:00,13:00-17:00; Tu off; We off; Th off; Fr off; Sa off; Su off"},
		"times that touch":             {"Mo 12:00-14:00,08:00-12:00", "Mo 08:00-14:00; Tu off; We off; Th off; Fr off; Sa off; Su off"},
		"over midnight":                {"Mo 22:00-02:00", "Mo 22:00-26:00; Tu off; We off; Th off; Fr off; Sa off; Su off"},
		"over midnight, counted on":    {"Mo 22:00-26:00", "Mo 22:00-26:00; Tu off; We off; Th off; Fr off; Sa off; Su off"},
		"a later rule replaces":        {"Mo-Su 08:00-20:00; Su off", "Mo 08:00-20:00; Tu 08:00-20:00; We 08:00-20:00; Th 08:00-20:00; Fr 08:00-20:00; Sa 08:00-20:00; Su off"},
		"a comma adds":                 {"Mo-Fr 08:00-18:00, Sa 09:00-13:00", "Mo 08:00-18:00; Tu 08:00-18:00; We 08:00-18:00; Th 08:00-18:00; Fr 08:00-18:00; Sa 09:00-13:00; Su off"},
		"a comma adds to the same day": {"Mo 08:00-12:00, Mo 14:00-16:00", "Mo 08:00-12:00,14:00-16:00; Tu off; We off; Th off; Fr off; Sa off; Su off"},
		"holidays":                     {"24/7; PH off", all("00:00-24:00") + "; PH off"},
		"holidays with a day":          {"Mo-Sa 08:00-20:00; Su,PH 10:00-16:00", "Mo 08:00-20:00; Tu 08:00-20:00; We 08:00-20:00; Th 08:00-20:00; Fr 08:00-20:00; Sa 08:00-20:00; Su 10:00-16:00; PH 10:00-16:00"},
		"an empty rule":                {"Mo-Su 08:00-20:00;", all("08:00-20:00")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, ok := parseHours(tc.text)
			if !ok {
				t.Fatal("not read")
			}
			if got := s.text(); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestOpeningHoursThatAreNotGuessedAt(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"blanks":             "  ",
		"only separators":    ";;",
		"sunrise":            "sunrise-sunset",
		"an open end":        "Mo-Fr 08:00+",
		"months":             "Apr-Sep Mo-Fr 08:00-18:00",
		"school holidays":    "SH 08:00-18:00",
		"weeks":              "week 1-53/2 Fr 09:00-12:00",
		"the first Monday":   "Mo[1] 09:00-12:00",
		"a comment":          `Mo-Fr 08:00-18:00 "by appointment"`,
		"unknown":            "unknown",
		"days without times": "Mo-Fr",
		"half a range":       "Mo- 08:00-18:00",
		"half a time":        "Mo 08:00-",
		"minutes of 60":      "Mo 08:00-18:60",
		"a start of 24":      "Mo 24:00-25:00",
		"beyond two days":    "Mo 08:00-49:00",
		"an alternative":     "Mo-Fr 08:00-18:00 || \"call us\"",
		"prose":              "Always, <b>really</b>",
		"no blank":           "Mo08:00-18:00",
		"too long":           strings.Repeat("Mo 08:00-18:00; ", 40),
	} {
		t.Run(name, func(t *testing.T) {
			if s, ok := parseHours(text); ok {
				t.Errorf("read as %s", s.text())
			}
		})
	}
}

func TestOpenNow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		hours, now string
		open       bool
		change     string // empty: none within a week
	}{
		"always":                        {"24/7", "2026-03-04 03:00", true, ""},
		"in words of every day":         {"Mo-Su 00:00-24:00", "2026-03-04 03:00", true, ""},
		"inside":                        {"Mo-Fr 06:00-22:00", "2026-03-04 12:00", true, "2026-03-04 22:00"},
		"at the first minute":           {"Mo-Fr 06:00-22:00", "2026-03-04 06:00", true, "2026-03-04 22:00"},
		"at the last":                   {"Mo-Fr 06:00-22:00", "2026-03-04 22:00", false, "2026-03-05 06:00"},
		"before":                        {"Mo-Fr 06:00-22:00", "2026-03-04 05:59", false, "2026-03-04 06:00"},
		"over the weekend":              {"Mo-Fr 06:00-22:00", "2026-03-06 22:30", false, "2026-03-09 06:00"},
		"after midnight of the day":     {"Fr 22:00-02:00", "2026-03-07 01:00", true, "2026-03-07 02:00"},
		"days that join at midnight":    {"Mo-Fr 00:00-24:00", "2026-03-04 12:00", true, "2026-03-07 00:00"},
		"between two times":             {"Mo 08:00-12:00,13:00-17:00", "2026-03-02 12:30", false, "2026-03-02 13:00"},
		"never":                         {"off", "2026-03-04 12:00", false, ""},
		"once a week, just over":        {"Mo 08:00-12:00", "2026-03-02 12:00", false, "2026-03-09 08:00"},
		"the hour that is left out":     {"Mo-Su 02:30-05:00", "2026-03-29 03:45", true, "2026-03-29 05:00"},
		"the night of 25 hours":         {"Mo-Su 05:00-23:00", "2026-10-25 04:59", false, "2026-10-25 05:00"},
		"the evening before that night": {"Mo-Su 20:00-04:00", "2026-10-24 23:00", true, "2026-10-25 04:00"},
	}
	const form = "2006-01-02 15:04"
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, ok := parseHours(tc.hours)
			if !ok {
				t.Fatal("not read")
			}
			now, err := time.ParseInLocation(form, tc.now, berlin)
			if err != nil {
				t.Fatal(err)
			}
			got := s.at(now)
			change := ""
			if !got.change.IsZero() {
				change = got.change.Format(form)
			}
			if got.open != tc.open || change != tc.change {
				t.Errorf("open %v until %s, want %v until %s", got.open, change, tc.open, tc.change)
			}
		})
	}
}

func FuzzOpeningHours(f *testing.F) {
	for _, text := range []string{"24/7", "Mo-Fr 06:00-22:00; Sa,Su 08:00-12:00,13:00-26:00; PH off", "Sa-Mo 22:00-02:00", "off", "Mo,PH 1:00-1:00", ",-:", "PH"} {
		f.Add(text)
	}
	now := time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := parseHours(text)
		if !ok {
			return
		}
		for d, spans := range s.days {
			last := -1
			for _, x := range spans {
				if x.from < 0 || x.from >= dayMinutes || x.to <= x.from || x.to > maxMinutes || x.from <= last {
					t.Fatalf("%q: %s %v", text, dayNames[d], spans)
				}
				last = x.to
			}
		}
		if again, ok := parseHours(s.text()); !ok || again.text() != s.text() {
			t.Fatalf("%q: %s reads as %s", text, s.text(), again.text())
		}
		if got := s.at(now); !got.change.IsZero() && !got.change.After(now) {
			t.Fatalf("%q: changes at %v", text, got.change)
		}
		for _, l := range languages() {
			if rows := l.hours(&s); len(rows) == 0 {
				t.Fatalf("%q: nothing to say in %s", text, l.Tag)
			}
		}
	})
}
