package statuspage

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Prospects says how busy sites usually are and how likely a free port is. Both
// answer at once, with what is known already.
type Prospects interface {
	// Busy is the share of ports in use by weekday, Monday first, and hour of the
	// site's clock; NaN where nobody knows.
	Busy(site string) ([7][24]float64, bool)
	Odds(site string) []Odds
}

// Odds is how likely somebody who arrives so many minutes from now finds a free
// port.
type Odds struct {
	Minutes int
	Free    float64
}

// Sizes of the drawing.
const (
	barWidth, barGap       = 12, 2
	barsTop                = 14
	barsHeight             = 72
	barsWidth              = 24 * (barWidth + barGap)
	leastBar               = 2
	quietBelow, busyFrom   = 0.34, 0.67 // shares of ports in use that part the words
	surely, likely, evenly = 0.9, 0.65, 0.35
)

// busyPage is the usual week of a site, one day of it drawn.
type busyPage struct {
	Days    []busyDay
	Bars    []bar
	Marks   []barMark
	Day     string // its name
	Now     string // in words
	Top     string // what the drawing reaches
	Width   int
	Height  int
	Floor   int
	Ceiling int
	Odds    []oddsRow
}

type busyDay struct {
	Short, Name, URL string
	Shown            bool
}

type bar struct {
	X, Y, Width, Height int
	Hour, Words         string
	Now, Unknown        bool
}

type barMark struct {
	X    int
	Text string
}

type oddsRow struct{ When, Word, Percent string }

// weekday is the day that a viewer chose, 0 is Monday; -1: none.
func weekday(r *http.Request) int {
	return slices.Index(shortDays(), r.URL.Query().Get("day"))
}

func shortDays() []string { return []string{"mo", "tu", "we", "th", "fr", "sa", "su"} }

// busyTimes draws a day of the usual week; nil where nothing is known.
func (p *Pages) busyTimes(l *language, s *site, f filter, lang string, now time.Time, chosen int) *busyPage {
	if p.o.Prospects == nil || s.zone == nil {
		return nil
	}
	week, ok := p.o.Prospects.Busy(s.ID)
	out := &busyPage{Width: barsWidth, Height: barsTop + barsHeight + 20, Floor: barsTop + barsHeight, Ceiling: barsTop}
	for _, o := range p.o.Prospects.Odds(s.ID) {
		out.Odds = append(out.Odds, oddsRow{When: fmt.Sprintf(l.InMinutes, o.Minutes), Word: l.likely(o.Free), Percent: fmt.Sprintf("%.0f %%", 100*math.Min(o.Free, 0.99))})
	}
	if !ok {
		if out.Odds == nil {
			return nil
		}
		return out
	}
	today := (int(now.Weekday()) + 6) % 7
	day := chosen
	if day < 0 {
		day = today
	}
	out.Day = l.Days[day]
	for i, name := range l.Days {
		query := f.with(lang, 1)
		sep := "?"
		if strings.HasPrefix(query, "?") && len(query) > 1 {
			sep = "&"
		} else {
			query = ""
		}
		out.Days = append(out.Days, busyDay{Short: l.ShortDays[i], Name: name, URL: query + sep + "day=" + shortDays()[i] + "#busy", Shown: i == day})
	}
	// Quiet sites would be a flat line: all days are drawn on one scale that ends
	// above the busiest hour.
	top := 0.3
	for _, hours := range week {
		for _, share := range hours {
			if share > top {
				top = math.Min(1, math.Ceil(share*10-1e-9)/10)
			}
		}
	}
	out.Top = fmt.Sprintf("%.0f %%", 100*top)
	for h, share := range week[day] {
		b := bar{X: h * (barWidth + barGap), Width: barWidth, Hour: fmt.Sprintf("%d–%d", h, h+1), Now: day == today && h == now.Hour()}
		if math.IsNaN(share) {
			b.Unknown, b.Words, b.Height = true, l.NotKnown, leastBar
		} else {
			b.Height = max(leastBar, int(math.Round(share/top*barsHeight)))
			b.Words = fmt.Sprintf(l.InUse, math.Round(100*share))
		}
		b.Y = barsTop + barsHeight - b.Height
		if b.Now && !b.Unknown {
			out.Now = fmt.Sprintf(l.UsuallyNow, l.busyWord(share))
		}
		out.Bars = append(out.Bars, b)
	}
	for h := 0; h <= 24; h += 6 {
		out.Marks = append(out.Marks, barMark{X: min(h*(barWidth+barGap), barsWidth-barGap), Text: fmt.Sprint(h)})
	}
	return out
}

func (l *language) busyWord(share float64) string {
	switch {
	case share < quietBelow:
		return l.Quiet
	case share < busyFrom:
		return l.Lively
	}
	return l.VeryBusy
}

func (l *language) likely(p float64) string {
	switch {
	case p >= surely:
		return l.VeryLikely
	case p >= likely:
		return l.Likely
	case p >= evenly:
		return l.Perhaps
	}
	return l.Unlikely
}
