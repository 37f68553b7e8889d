// Package pasttest makes files of past sessions as councils and back offices publish
// them, with the dirt that such files have, and knows what is the truth behind each
// row. Tests and benchmarks ask with it whether everything that is wrong was found.
package pasttest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/usage/past"
)

// Clean is a session as it was.
type Clean struct {
	ID         int
	Site       string
	Station    string
	Port       int
	Start, End time.Time
	KWh        float64
	Model      string
}

// Options says what the files are like.
type Options struct {
	Seed uint64
	Zone *time.Location
	// Files is into how many periods the sessions are cut; each is a file that begins
	// with the newest row.
	Files int
	// Swapped says which of them have day and month in each other's place wherever that
	// gives a date. The others are written day first.
	Swapped func(file int) bool
}

// File is a file and what is true of its rows.
type File struct {
	Data []byte
	Rows int
	// Want is what each line that is dirty has to be found as; WantAll counts by kind.
	Want    map[int]past.Kind
	WantAll map[past.Kind]int
	// True is when the session of a line was, where it can be imported.
	True map[int][2]time.Time
	// Turned are the lines with a date that is written in the other order.
	Turned map[int]bool
}

type row struct {
	Clean
	dirt     past.Kind
	cells    func([]string) []string // spoils what is written
	again    bool
	site     string
	original *Clean
}

// Make makes files of sessions. What is dirty is chosen by the seed; clean sessions
// must not overlap on a port.
func Make(clean []Clean, o Options) []File {
	list := slices.Clone(clean)
	slices.SortStableFunc(list, func(a, b Clean) int { return a.Start.Compare(b.Start) })
	d := dice(o.Seed*2862933555777941757 + 3037000493)
	per := (len(list) + o.Files - 1) / o.Files
	var out []File
	for n := range o.Files {
		part := list[min(n*per, len(list)):min((n+1)*per, len(list))]
		out = append(out, makeFile(part, o, &d, o.Swapped(n)))
	}
	return out
}

type dice uint64

func (d *dice) roll(n int) int {
	*d ^= *d << 13
	*d ^= *d >> 7
	*d ^= *d << 17
	return int(uint64(*d)>>11) % n
}

// makeFile spoils sessions and writes them.
func makeFile(part []Clean, o Options, d *dice, swapped bool) File {
	rows := make([]row, len(part))
	following := make(map[string]*row) // the next session at a port
	for i := len(part) - 1; i >= 0; i-- {
		c := part[i]
		rows[i] = row{Clean: c, site: c.Site, original: &part[i]}
		spoil(&rows[i], following[key(c)], d)
		following[key(c)] = &rows[i]
	}
	var all []row
	for i := range rows {
		all = append(all, rows[i])
		if rows[i].dirt == past.KindNone && d.roll(700) == 0 {
			twin := rows[i]
			twin.dirt, twin.again = past.Twice, true
			all = append(all, twin)
		}
	}
	slices.Reverse(all)
	// The twin stands above; what is found as repeated is the lower one.
	for i := range all {
		if all[i].again && i+1 < len(all) {
			all[i].dirt, all[i+1].dirt = past.KindNone, past.Twice
		}
	}
	return write(all, o, swapped, d)
}

func key(c Clean) string { return c.Station + "/" + strconv.Itoa(c.Port) }

// spoil puts dirt into some rows; next is the session after it at its port.
func spoil(r *row, next *row, d *dice) {
	set := func(column int, text string) func([]string) []string {
		return func(c []string) []string { c[column] = text; return c }
	}
	quiet := next == nil || next.dirt == past.KindNone
	switch roll := d.roll(4000); {
	case roll < 20:
		r.dirt = past.NoEnd
		r.cells = func(c []string) []string { c[6], c[7], c[8] = "", "", ""; return c }
	case roll < 23:
		r.dirt = past.End1970
		r.cells = func(c []string) []string { c[6], c[7] = "1970-01-01T00:00:00", "01:00"; return c }
	case roll < 26:
		r.dirt = past.EnergyNegative
		r.KWh = -float64(1+d.roll(900)) / 100
	case roll < 28:
		r.dirt = past.EnergyAbsurd
		r.KWh = 900 + float64(d.roll(900))
	case roll < 30:
		r.dirt = past.NoStation
		r.cells = set(2, "")
	case roll < 36 && next != nil && quiet && next.Start.Sub(r.End) > 0 && next.Start.Sub(r.Start) < 40*24*time.Hour && next.End.Sub(next.Start) > 0 && r.KWh > 0 && r.End.After(r.Start):
		// The end of the one before was told late: the next car was there already. What is
		// true then is that it was gone by the start of the next.
		r.dirt = past.EndTrimmed
		r.End = next.Start.Add(time.Duration(1+d.roll(20)) * time.Minute)
		if r.End.After(next.End) {
			r.End = next.End
		}
	case roll < 39 && next == nil && r.End.After(r.Start):
		r.dirt = past.LongStay
		r.End = r.Start.Add(45 * 24 * time.Hour)
	case roll < 42 && r.End.Sub(r.Start) > 20*time.Minute && r.End.Sub(r.Start) < 10*time.Hour:
		r.dirt = past.EndBeforeStart
		r.End = r.Start.Add(-3 * time.Hour)
	case roll < 45:
		r.dirt = past.WrongColumns
		r.cells = func(c []string) []string { return append(c, "x", "y") }
	case roll < 60 && strings.Contains(r.Site, ", "):
		r.dirt = past.SiteTidied
		r.site = strings.Replace(r.Site, ", ", ",  ", 1)
	}
}

// Header names the columns of the files.
const Header = "_id,Charging event,CP ID,Connector,Start Date,Start Time,End Date,End Time,Total kWh,Cost,Site,Group,Model"

func write(rows []row, o Options, swapped bool, d *dice) File {
	f := File{Want: make(map[int]past.Kind), WantAll: make(map[past.Kind]int), True: make(map[int][2]time.Time), Turned: make(map[int]bool)}
	var b strings.Builder
	b.WriteString("\xef\xbb\xbf" + Header + "\r\n")
	line := 1
	for i := range rows {
		r := &rows[i]
		if d.roll(5000) == 0 {
			b.WriteString("\r\n")
			line++
		}
		line++
		start, turned1 := date(r.Start.In(o.Zone), swapped)
		end, turned2 := date(r.End.In(o.Zone), swapped)
		cells := []string{
			strconv.Itoa(i + 1), strconv.Itoa(r.ID), r.Station, strconv.Itoa(r.Port), start, r.Start.In(o.Zone).Format("15:04"), end, r.End.In(o.Zone).Format("15:04"),
			strconv.FormatFloat(r.KWh, 'f', -1, 64), "0", r.site, "A; B", r.Model,
		}
		// The last four files of such a series may end in empty cells.
		if r.cells != nil {
			cells = r.cells(cells)
		}
		for j, c := range cells {
			if j > 0 {
				b.WriteByte(',')
			}
			if strings.ContainsAny(c, `",;`) {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			b.WriteString(c)
		}
		b.WriteString("\r\n")
		f.Rows++
		f.note(line, r, turned1 || turned2, o.Zone)
	}
	f.Data = []byte(b.String())
	return f
}

// note keeps what is true of a line.
func (f *File) note(line int, r *row, turned bool, zone *time.Location) {
	k := r.dirt
	if k != past.KindNone {
		f.Want[line] = k
		f.WantAll[k]++
	}
	if c := k.Class(); k != past.KindNone && (c == "quarantined" || c == "duplicate") {
		return
	}
	f.Turned[line] = turned
	end := r.End
	if k == past.EndTrimmed {
		end = time.Time{} // by the start of the next
	}
	// Minutes are all that is written.
	f.True[line] = [2]time.Time{r.Start.Truncate(time.Minute), end.Truncate(time.Minute)}
	if k == past.KindNone && autumn(r.Start, r.End, zone) {
		f.Want[line] = past.AutumnHour
		f.WantAll[past.AutumnHour]++
	}
}

// autumn reports whether the wall clock goes back during a session so far that its end
// seems to be before its start.
func autumn(start, end time.Time, zone *time.Location) bool {
	naive := func(t time.Time) int64 {
		_, o := t.In(zone).Zone()
		return t.Truncate(time.Minute).Unix() + int64(o)
	}
	return end.After(start) && naive(end) < naive(start)
}

// date writes a date; turned reports that day and month changed places.
func date(t time.Time, swapped bool) (text string, turned bool) {
	if !swapped {
		return t.Format("02/01/2006"), false
	}
	if t.Day() <= 12 {
		return fmt.Sprintf("%04d-%02d-%02dT00:00:00", t.Year(), t.Day(), int(t.Month())), t.Day() != int(t.Month())
	}
	return t.Format("2006-01-02") + "T00:00:00", false
}

// Network makes up clean sessions of some sites over a time: what a test needs that has
// no real ones.
func Network(seed uint64, sites int, from time.Time, days int) []Clean {
	d := dice(seed | 1)
	var out []Clean
	for s := range sites {
		name := fmt.Sprintf("%s Car Park, Newtown", []string{"Mill Lane", "Harbour", "Castle Street", "Station Road", "Market", "Hill View", "Bridge End", "Park & Ride"}[s%8])
		if s >= 8 {
			name = fmt.Sprintf("Depot %d, Newtown", s)
		}
		for post := range 2 + d.roll(3) {
			power, model := 22.0, "APT 22kW Dual Outlet"
			if post == 0 {
				power, model = 50, "APT 50kW Raption"
			}
			for port := 1; port <= 2; port++ {
				at := from.Add(time.Duration(d.roll(48*60)) * time.Minute)
				for at.Before(from.AddDate(0, 0, days)) {
					stay := time.Duration(12+d.roll(40)+d.roll(300)*d.roll(2)) * time.Minute
					h := stay.Hours()
					out = append(out, Clean{
						ID: 3_800_000 + len(out), Site: name, Station: strconv.Itoa(50000 + 10*s + post), Port: port, Start: at, End: at.Add(stay),
						KWh: float64(int(1000*min(power*h*0.8, 5+float64(d.roll(35))))) / 1000, Model: model,
					})
					at = at.Add(stay + time.Duration(5+d.roll(60*14))*time.Minute)
				}
			}
		}
	}
	return out
}
