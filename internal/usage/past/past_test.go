package past_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/past"
	"github.com/chargewatch/chargewatch/internal/usage/past/pasttest"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func options(data []byte, z *time.Location) past.Options {
	return past.Options{
		Open: func() (io.Reader, error) { return bytes.NewReader(data), nil },
		Zone: z, Now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC),
	}
}

func examine(t testing.TB, data []byte, z *time.Location, change func(*past.Mapping, *past.Options)) *past.Examination {
	t.Helper()
	f, err := past.Look(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	o := options(data, z)
	if change != nil {
		change(&f.Guess, &o)
	}
	x, err := past.Examine(f, f.Guess, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func found(x *past.Examination, k past.Kind) int {
	for _, f := range x.Findings {
		if f.Kind == k {
			return f.Count
		}
	}
	return 0
}

// adds checks that every row came to something.
func adds(t *testing.T, x *past.Examination) {
	t.Helper()
	sum := 0
	for _, n := range x.Outcomes[past.Imported:] {
		sum += n
	}
	if sum != x.Rows || x.Outcomes[0] != 0 {
		t.Errorf("%d rows came to %v", x.Rows, x.Outcomes)
	}
	if want := x.Outcomes[past.Imported] + x.Outcomes[past.Repaired]; x.Len() != want {
		t.Errorf("%d sessions of %d rows that are imported", x.Len(), want)
	}
}

// verify compares what was found in a file with what is true of it.
func verify(t *testing.T, f pasttest.File, x *past.Examination) {
	t.Helper()
	adds(t, x)
	if x.Rows != f.Rows {
		t.Errorf("%d rows, want %d", x.Rows, f.Rows)
	}
	got := make(map[int]past.Kind)
	for _, l := range x.Lines {
		if l.Outcome == past.Quarantined || l.Outcome == past.Duplicate {
			got[l.Number] = l.Kind
		}
	}
	wrongTime := 0
	for i := range x.Len() {
		s := x.Session(i)
		want, ok := f.True[s.Line]
		if !ok {
			t.Errorf("line %d is taken though it is %v", s.Line, f.Want[s.Line])
			continue
		}
		if strings.Contains(s.Flag, past.AutumnUnclear.String()) { // which of two hours it was nobody can know
			if d := want[0].Sub(s.Start); d < 0 || d > time.Hour {
				t.Errorf("line %d: %v, want %v", s.Line, s.Start, want[0])
			}
		} else if !s.Start.Equal(want[0]) || !want[1].IsZero() && !s.End.Equal(want[1]) {
			if wrongTime++; wrongTime < 5 {
				t.Errorf("line %d: %v to %v, want %v (%s)", s.Line, s.Start, s.End, want, s.Flag)
			}
		}
		if turned := strings.Contains(s.Flag, "datesSwapped"); turned != f.Turned[s.Line] {
			t.Errorf("line %d: dates swapped %v, want %v", s.Line, turned, f.Turned[s.Line])
		}
		if k := f.Want[s.Line]; k != past.KindNone && !strings.Contains(s.Flag, k.String()) {
			t.Errorf("line %d: flagged %q, want %v", s.Line, s.Flag, k)
		}
	}
	if wrongTime > 0 {
		t.Errorf("%d sessions at a wrong time", wrongTime)
	}
	for line, k := range f.Want {
		if c := k.Class(); (c == "quarantined" || c == "duplicate") && got[line] != k {
			t.Errorf("line %d is %v, want %v", line, got[line], k)
		}
	}
}

func TestEverythingThatIsWrongWithAFileIsFound(t *testing.T) {
	london := zone(t, "Europe/London")
	clean := pasttest.Network(7, 8, time.Date(2017, 9, 1, 0, 0, 0, 0, time.UTC), 360)
	files := pasttest.Make(clean, pasttest.Options{Seed: 3, Zone: london, Files: 4, Swapped: func(n int) bool { return n < 3 }})
	for n, f := range files {
		x := examine(t, f.Data, london, nil)
		verify(t, f, x)
		for _, k := range []past.Kind{past.NoEnd, past.End1970, past.EnergyNegative, past.EnergyAbsurd, past.NoStation, past.EndBeforeStart, past.WrongColumns, past.SiteTidied, past.Twice} {
			got, want := found(x, k), f.WantAll[k]
			if k == past.EnergyAbsurd && got <= want+found(x, past.AutumnUnclear) { // an hour too short
				got = min(got, want)
			}
			if got != want || want == 0 && n == 0 {
				t.Errorf("file %d: %v found %d times, is there %d times", n, k, got, want)
			}
		}
		if n < 3 && x.Swap.Sure != "certain" || len(x.Decide) > 0 {
			t.Errorf("file %d: %+v, to decide %v", n, x.Swap, x.Decide)
		}
	}
	t.Run("joined to one", func(t *testing.T) {
		var all bytes.Buffer
		for _, f := range files {
			all.Write(bytes.TrimPrefix(f.Data, []byte("\xef\xbb\xbf")))
		}
		x := examine(t, all.Bytes(), london, nil)
		adds(t, x)
		rows, turned := 0, 0
		for _, f := range files {
			rows += f.Rows
			for _, is := range f.Turned {
				if is {
					turned++
				}
			}
		}
		if x.Rows != rows || found(x, past.HeaderAgain) != 3 {
			t.Errorf("%d rows of %d, %d headers", x.Rows, rows, found(x, past.HeaderAgain))
		}
		if got := found(x, past.DatesSwapped); got < turned || got > turned+x.Outcomes[past.Quarantined] {
			t.Errorf("%d dates put right, %d were wrong: %+v", got, turned, x.Swap)
		}
	})
}

func TestFilesOfManySystemsAreRead(t *testing.T) {
	tests := map[string]struct {
		zone    string
		data    string
		mapping map[past.Field]string
		first   past.Session
		n       int
		decide  string
	}{
		"German, with commas in numbers and dots in dates": {
			"Europe/Berlin", "Standort;Ladepunkt;Startzeit;Endzeit;Energie (kWh);Kartennummer\nRathaus;LP 1;03.02.2025 08:15;03.02.2025 10:45;1.012,50;A1\nRathaus;LP 1;03.02.2025 11:00;03.02.2025 12:00;7,4;A2\n", nil,
			past.Session{Site: "Rathaus", Station: "LP 1", Port: 1, Start: at(2025, 2, 3, 7, 15), End: at(2025, 2, 3, 9, 45)}, 2, "",
		},
		"the times of a sheet in which the day is 13 at most": {
			"Europe/London", "site,charger,start,end,kWh\nA,C1,05/06/2024 10:00,05/06/2024 11:00,5\n", nil,
			past.Session{Site: "A", Station: "C1", Port: 1}, 1, "dates",
		},
		"American, afternoon and all": {
			"America/Denver", "Station Name,Port Number,Start Date,End Date,Total Duration (hh:mm:ss),Charging Time (hh:mm:ss),Energy (kWh),Address\nP ST1,2,1/31/2018 3:54 PM,1/31/2018 5:22 PM,1:28:23,0:58:11,6.706,900 Baseline\nP ST1,1,2/1/2018 12:24 AM,2/1/2018 1:00 AM,0:36:00,0:30:00,3,900 Baseline\n", nil,
			past.Session{Site: "900 Baseline", Station: "P ST1", Port: 1, Start: at(2018, 2, 1, 7, 24), End: at(2018, 2, 1, 8, 0), ChargingEnd: at(2018, 2, 1, 7, 54), EnergyWh: 3000}, 2, "",
		},
		"an OCPI export with offsets and watt-hours of nothing": {
			"", "id,start_date_time,end_date_time,total_energy,total_time,cdr_token_uid,cdr_location_name,cdr_location_evse_uid,cdr_location_connector_id\n1,2024-03-05T10:00:00Z,2024-03-05T11:30:00Z,21.5,1.5,DE1,Nord,E1,1\n2,2024-03-05T14:00:00+01:00,2024-03-05T14:30:00+01:00,4,0.5,DE1,Nord,E1,1\n", nil,
			past.Session{Site: "Nord", Station: "E1", Port: 1, Start: at(2024, 3, 5, 10, 0), End: at(2024, 3, 5, 11, 30), EnergyWh: 21500}, 2, "",
		},
		"start and duration in minutes, no end": {
			"UTC", "location,charger id,start,duration (min),energy wh\nA,C1,2024-05-20 10:00,90,9000\n", nil,
			past.Session{Site: "A", Station: "C1", Port: 1, Start: at(2024, 5, 20, 10, 0), End: at(2024, 5, 20, 11, 30), EnergyWh: 9000}, 1, "",
		},
		"seconds of Unix time under names that nobody knows": {
			"", "wo\twas\tvon da\tbis dahin\nA\tC1\t1716199200\t1716202800\n", map[past.Field]string{past.Site: "wo", past.Station: "was", past.Start: "von da", past.End: "bis dahin"},
			past.Session{Site: "A", Station: "C1", Port: 1, Start: at(2024, 5, 20, 10, 0), End: at(2024, 5, 20, 11, 0)}, 1, "",
		},
		"times without an offset and nobody says where": {
			"", "site,charger,start,end\nA,C1,2024-05-20 10:00,2024-05-20 11:00\n", nil,
			past.Session{Site: "A", Station: "C1", Port: 1, Start: at(2024, 5, 20, 10, 0), End: at(2024, 5, 20, 11, 0)}, 1, "zone",
		},
		"a title above the names and the month as a word": {
			"Europe/Oslo", "Report of sessions\n\nLocation,Charger,Connection time,Disconnect time,Done charging time,kWhDelivered,User ID\nG1,P1,\"Wed, 25 Apr 2018 11:08:04 GMT\",\"Wed, 25 Apr 2018 13:20:10 GMT\",\"Wed, 25 Apr 2018 12:00:00 GMT\",7.932,000000061\n", nil,
			past.Session{Site: "G1", Station: "P1", Port: 1, Start: time.Date(2018, 4, 25, 11, 8, 4, 0, time.UTC), End: time.Date(2018, 4, 25, 13, 20, 10, 0, time.UTC), ChargingEnd: at(2018, 4, 25, 12, 0), EnergyWh: 7932}, 1, "",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var z *time.Location
			if tc.zone != "" {
				z = zone(t, tc.zone)
			}
			x := examine(t, []byte(tc.data), z, func(m *past.Mapping, _ *past.Options) {
				f, err := past.Look(strings.NewReader(tc.data))
				if err != nil {
					t.Fatal(err)
				}
				for field, column := range tc.mapping {
					for i, c := range f.Columns {
						if c.Name == column {
							m.Columns[field] = i
						}
					}
				}
			})
			adds(t, x)
			if x.Len() != tc.n || strings.Join(x.Decide, ",") != tc.decide {
				t.Fatalf("%d sessions, to decide %v, %+v", x.Len(), x.Decide, x.Findings)
			}
			got := x.Session(0)
			if got.Site != tc.first.Site || got.Station != tc.first.Station || got.Port != tc.first.Port {
				t.Errorf("got %+v", got)
			}
			if !tc.first.Start.IsZero() && (!got.Start.Equal(tc.first.Start) || !got.End.Equal(tc.first.End) || !got.ChargingEnd.Equal(tc.first.ChargingEnd)) {
				t.Errorf("from %v to %v, charged until %v", got.Start, got.End, got.ChargingEnd)
			}
			if tc.first.EnergyWh != 0 && got.EnergyWh != tc.first.EnergyWh {
				t.Errorf("energy %v", got.EnergyWh)
			}
		})
	}
}

func at(y, m, d, h, min int) time.Time {
	return time.Date(y, time.Month(m), d, h, min, 0, 0, time.UTC)
}

func TestEncodings(t *testing.T) {
	const text = "Standort,Ladepunkt,Start,Ende\nMünchen Süd,LP1,2024-05-20 10:00,2024-05-20 11:00\n"
	wide := func(big bool) []byte {
		var out []byte
		for _, c := range text {
			if big {
				out = append(out, byte(c>>8), byte(c))
			} else {
				out = append(out, byte(c), byte(c>>8))
			}
		}
		return out
	}
	var latin []byte
	for _, c := range text {
		latin = append(latin, byte(c))
	}
	for name, data := range map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 with a mark": []byte("\xef\xbb\xbf" + text), "UTF-16": append([]byte{0xff, 0xfe}, wide(false)...),
		"UTF-16, large end first": append([]byte{0xfe, 0xff}, wide(true)...), "UTF-16 without a mark": wide(false), "Latin-1": latin,
	} {
		t.Run(name, func(t *testing.T) {
			x := examine(t, data, time.UTC, nil)
			if x.Len() != 1 || x.Session(0).Site != "München Süd" {
				t.Fatalf("%d sessions, sites %+v", x.Len(), x.Sites)
			}
			if got := found(x, past.Latin1); (got == 1) != (name == "Latin-1") {
				t.Errorf("noted as Latin-1 %d times", got)
			}
		})
	}
}

func TestClockChanges(t *testing.T) {
	const head = "site,station,connector,start,end\n"
	tests := map[string]struct {
		row        string
		start, end time.Time
		kind       past.Kind
	}{
		"over the hour that comes twice":  {"A,S,1,2017-10-29 01:44,2017-10-29 01:06", at(2017, 10, 29, 0, 44), at(2017, 10, 29, 1, 6), past.AutumnHour},
		"over the hour that never was":    {"A,S,1,2018-03-25 00:50,2018-03-25 02:10", at(2018, 3, 25, 0, 50), at(2018, 3, 25, 1, 10), past.KindNone},
		"an end in the hour that is not":  {"A,S,1,2018-03-25 00:50,2018-03-25 01:10", at(2018, 3, 25, 0, 50), at(2018, 3, 25, 1, 10), past.SpringHour},
		"before the change and after it":  {"A,S,1,2017-10-28 23:00,2017-10-29 05:00", at(2017, 10, 28, 22, 0), at(2017, 10, 29, 5, 0), past.KindNone},
		"an ordinary hour in the evening": {"A,S,1,2017-10-29 20:00,2017-10-29 21:00", at(2017, 10, 29, 20, 0), at(2017, 10, 29, 21, 0), past.KindNone},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			x := examine(t, []byte(head+tc.row+"\n"), zone(t, "Europe/London"), nil)
			if x.Len() != 1 {
				t.Fatalf("%+v", x.Findings)
			}
			if s := x.Session(0); !s.Start.Equal(tc.start) || !s.End.Equal(tc.end) {
				t.Errorf("from %v to %v", s.Start, s.End)
			}
			if tc.kind != past.KindNone && found(x, tc.kind) != 1 {
				t.Errorf("found %+v", x.Findings)
			}
		})
	}
}

func TestPortsThatAreNotNamedAreCountedByUse(t *testing.T) {
	x := examine(t, []byte("location,start,end,energy\nA,2024-05-20 10:00,2024-05-20 12:00,1\nA,2024-05-20 11:00,2024-05-20 13:00,2\nA,2024-05-20 12:00,2024-05-20 14:00,3\nB,2024-05-20 12:00,2024-05-20 14:00,3\n"), time.UTC, nil)
	if x.Ports != 3 || found(x, past.PortsUnnamed) != 3 || x.Len() != 4 {
		t.Fatalf("%d ports, %+v", x.Ports, x.Findings)
	}
	if s := x.Session(x.Len() - 2); s.Site != "A" || s.Station != "port-2" || s.Port != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestSpellingsOfOneSiteAreSuggestedAndMergedWhenAPersonSaysSo(t *testing.T) {
	const data = "site,station,connector,start,end\nMill Street Car Park,S1,1,2024-05-20 10:00,2024-05-20 12:00\nMill Steet Car Park,S1,1,2024-05-20 13:00,2024-05-20 14:00\nMill Street East,S2,1,2024-05-20 13:00,2024-05-20 14:00\nMill Street West,S3,1,2024-05-20 13:00,2024-05-20 14:00\n,S3,1,2024-05-21 13:00,2024-05-21 14:00\n"
	x := examine(t, []byte(data), time.UTC, nil)
	if len(x.Sites) != 4 || found(x, past.Spellings) != 1 || found(x, past.SiteFilled) != 1 {
		t.Fatalf("sites %+v, found %+v", x.Sites, x.Findings)
	}
	x = examine(t, []byte(data), time.UTC, func(m *past.Mapping, _ *past.Options) {
		m.Merge = map[string]string{"Mill Steet Car Park": "Mill Street Car Park"}
	})
	if len(x.Sites) != 3 || found(x, past.SiteMerged) != 1 || found(x, past.Spellings) != 0 {
		t.Errorf("sites %+v, found %+v", x.Sites, x.Findings)
	}
}

func TestHolesAreNotObserved(t *testing.T) {
	clean := pasttest.Network(5, 4, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), 120)
	var kept []pasttest.Clean
	hole := [2]time.Time{at(2024, 2, 10, 0, 0), at(2024, 2, 20, 0, 0)}
	for _, c := range clean {
		if c.Start.Before(hole[0]) || c.Start.After(hole[1]) {
			kept = append(kept, c)
		}
	}
	f := pasttest.Make(kept, pasttest.Options{Seed: 1, Zone: time.UTC, Files: 1, Swapped: func(int) bool { return true }})[0]
	x := examine(t, f.Data, time.UTC, nil)
	if found(x, past.Hole) != 1 {
		t.Fatalf("found %+v", x.Findings)
	}
	inside := at(2024, 2, 15, 0, 0)
	for _, c := range x.Covers {
		if c.From.Before(inside) && c.To.After(inside) {
			t.Errorf("%s of %s is said to be known within the hole: %v to %v", c.Station, c.Site, c.From, c.To)
		}
	}
	if len(x.Covers) != 2*x.Ports {
		t.Errorf("%d times of %d ports", len(x.Covers), x.Ports)
	}
}

func TestHostileFilesAreBounded(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	tests := map[string]struct {
		data string
		want string
	}{
		"nothing":              {"", "empty"},
		"blanks":               {" \n\n \n", "empty"},
		"too many columns":     {strings.Repeat("a,", 400) + "\n", "256 columns"},
		"no start":             {"site,station\nA,B\n", "needs a column"},
		"one word in one line": {"hello", "names columns"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := past.Look(strings.NewReader(tc.data))
			if err == nil {
				_, err = past.Examine(f, f.Guess, options([]byte(tc.data), time.UTC))
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v", err)
			}
		})
	}
	x := examine(t, []byte("site,station,start,end\nA,S,2024-05-20 10:00,2024-05-20 11:00\n"+long+"\nA,\"S,2024-05-20 12:00,2024-05-20 13:00\nA,S,2024-05-20 14:00,2024-05-20 15:00\n"), time.UTC, nil)
	adds(t, x)
	if x.Len() != 2 || found(x, past.LineTooLong) != 1 || found(x, past.WrongColumns) != 1 {
		t.Errorf("%d sessions, %+v", x.Len(), x.Findings)
	}
}

func TestTokensAreNeverShown(t *testing.T) {
	data := []byte("site,station,start,end,rfid\nA,S,2024-05-20 10:00,,04AABBCC\nA,S,2024-05-20 12:00,2024-05-20 13:00,04AABBCC\n")
	x := examine(t, data, time.UTC, func(_ *past.Mapping, o *past.Options) { o.Token = func(string) string { return "ref" } })
	if len(x.Lines) != 1 || strings.Contains(x.Lines[0].Text, "04AA") || x.Session(0).Token != "ref" {
		t.Errorf("lines %+v, session %+v", x.Lines, x.Session(0))
	}
	if x = examine(t, data, time.UTC, nil); x.Session(0).Token != "" {
		t.Errorf("a token that nobody asked for: %q", x.Session(0).Token)
	}
}

func FuzzExamine(f *testing.F) {
	for _, seed := range []string{
		"site,station,start,end\nA,S,2024-05-20 10:00,2024-05-20 11:00\n", "a;b;c\n\"1;2\n;;\n", "\xff\xfes\x00t\x00", "start,duration\n13:00,PT1H\n45000.5,3 days 1:2:3\n",
		"CP ID,Start Date,Start Time,End Date,End Time\n,2017-01-12T00:00:00,12:09,,\"\"\n", "start,end\n" + strings.Repeat("01/02/2020,02/03/2020\n", 50),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := past.Look(bytes.NewReader(data))
		if err != nil {
			return
		}
		o := options(data, time.UTC)
		o.Site = "x"
		x, err := past.Examine(form, form.Guess, o)
		if err != nil {
			return
		}
		adds(t, x)
		for i := range x.Len() {
			s := x.Session(i)
			if s.End.Before(s.Start) || s.Port < 1 || s.EnergyWh < 0 {
				t.Errorf("took %+v", s)
			}
			if i > 0 {
				if p := x.Session(i - 1); p.Site == s.Site && p.Station == s.Station && p.Port == s.Port && s.Start.Before(p.End) {
					t.Errorf("two at a time: %+v and %+v", p, s)
				}
			}
		}
	})
}
