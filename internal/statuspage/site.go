package statuspage

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// site shows one site with its ports, or its feed where the address ends so.
func (p *Pages) site(w http.ResponseWriter, r *http.Request) {
	b, id := p.now(), r.PathValue("site")
	s, ok := b.byID[id]
	if !ok {
		if id, feed := strings.CutSuffix(id, ".json"); feed {
			p.siteFeed(w, r, b, id)
			return
		}
		p.nothing(w, r)
		return
	}
	f, fr := b.filterOf(r), p.frame(r, s.DriversName())
	f.Query = ""
	day := weekday(r)
	key := f.key(fmt.Sprintf("site\x00%s\x00%d", s.ID, day), fr)
	reported := r.URL.Query().Get("reported") == "1"
	if reported {
		key = ""
	}
	p.serve(w, r, b, key, shared, func() (*answer, error) { return p.renderSite(b, s, f, fr, reported, day) })
}

// sitePage is what the template needs.
type sitePage struct {
	frame
	Site              *site
	Lang              string
	Filter            filter
	Narrow, Reported  bool
	Directions        template.URL
	Position          string
	AsOf, Oldest      stamp
	Total             counts
	FreeText, NotSure string
	Offers            []offerRow
	Plugs, Powers     []option
	Open              string
	Shut, Known       bool
	Hours             []hoursRow
	HoursNote         string
	Notices           []noticeRow
	Chargers          []chargerRow
	Pager             pager
	Usage             *busyPage
}

type noticeRow struct {
	Lines []string
	Until stamp
}

type chargerRow struct {
	Label string
	Ports []portRow
}

// portRow is a port in words.
type portRow struct {
	Anchor, Shape, Word, Name, What, Report string
	Since                                   stamp
	Heard                                   stamp
}

func (p *Pages) renderSite(b *board, s *site, f filter, fr frame, reported bool, day int) (*answer, error) {
	l, now := fr.L, b.at.UTC()
	if s.zone != nil {
		now = b.at.In(s.zone)
	}
	ports, chargers := s.ports()
	shown := make([]*port, 0, len(ports))
	for i := range ports {
		if ports[i].wanted(f) {
			shown = append(shown, &ports[i])
		}
	}
	pages := max(1, (len(shown)+portsOnPage-1)/portsOnPage)
	f.page = min(f.page, pages)
	base, lang := "/status/"+url.PathEscape(s.ID), ""
	if fr.Keep != "" {
		lang = l.Tag
	}
	if fr.Other != nil {
		fr.SwitchURL = base + f.with(fr.Other.Tag, f.page)
	}
	fr.Script, fr.Observing, fr.Simulated, fr.NoIndex = true, b.observing, s.simulated, f.narrow()
	c := s.counted(f)
	data := sitePage{
		frame: fr, Site: s, Lang: lang, Filter: f, Narrow: f.narrow(), Reported: reported, Total: c,
		AsOf: stampOf(fmt.Sprintf(l.AsOf, l.clock(now, "15:04:05")), b.at), FreeText: fmt.Sprintf(l.FreeOf, c.Free, c.Total),
		Pager: pagerOf(l, f.page, pages, func(n int) string { return base + f.with(lang, n) }),
	}
	if c.Unknown > 0 {
		data.NotSure = fmt.Sprintf(l.NotSure, c.Unknown)
	}
	if b.observing && !s.heard.IsZero() {
		data.Oldest = stampOf(fmt.Sprintf(l.Oldest, l.long(now.Sub(s.heard))), s.heard)
	}
	if len(s.offers) > 1 {
		var plugs []string
		one := &board{sites: []*site{s}}
		known, classes := one.choices()
		plugs = append(plugs, known...)
		data.Plugs, data.Powers = f.options(l, plugs, classes)
	}
	data.place(s)
	data.times(s, now)
	data.Usage = p.busyTimes(l, s, f, lang, now, day)
	data.Offers = offerRows(l, s.offers, f, l.OutOf, data.Shut)
	for _, n := range s.NoticesAt(b.at) {
		row := noticeRow{Lines: strings.Split(n.Text, "\n")}
		if !n.Until.IsZero() {
			row.Until = stampOf(fmt.Sprintf(l.Until, l.day(n.Until.In(now.Location()))+" "+l.zone(n.Until.In(now.Location()))), n.Until)
		}
		data.Notices = append(data.Notices, row)
	}
	last := -1
	for _, x := range shown[(f.page-1)*portsOnPage : min(f.page*portsOnPage, len(shown))] {
		if x.charger != last {
			last = x.charger
			label := chargers[last].label
			if label == "" {
				label = fmt.Sprintf(l.Charger, last+1)
			}
			data.Chargers = append(data.Chargers, chargerRow{Label: label})
		}
		row := &data.Chargers[len(data.Chargers)-1]
		row.Ports = append(row.Ports, x.row(l, now, fr.Keep))
	}
	return p.html(http.StatusOK, "site", data)
}

// place gives the position to the phone's own maps: no address of anybody else.
func (x *sitePage) place(s *site) {
	if s.Latitude == nil || s.Longitude == nil {
		return
	}
	at := strconv.FormatFloat(*s.Latitude, 'f', 5, 64) + "," + strconv.FormatFloat(*s.Longitude, 'f', 5, 64)
	x.Position = strings.Replace(at, ",", ", ", 1)
	x.Directions = template.URL("geo:" + at + "?q=" + at) //nolint:gosec // two numbers
}

func (x *sitePage) times(s *site, now time.Time) {
	if !s.hasHours {
		return
	}
	x.Known = true
	if s.zone != nil {
		var open bool
		x.Open, open = x.L.opens(&s.hours, now)
		x.Shut = !open
		if s.hours.holidays != nil {
			x.HoursNote = x.L.HolidaysDiffer
		}
	}
	x.Hours = x.L.hours(&s.hours)
}

// row says how a port is.
func (x *port) row(l *language, now time.Time, keep string) portRow {
	row := portRow{
		Anchor: x.anchor(), Shape: x.shape(), Word: l.States[x.state], Name: x.title(l),
		Report: "/status/p/" + escape(x.id) + "/report" + keep,
	}
	var plugs []string
	for _, kind := range x.plugs {
		if word := l.plug(kind); !slices.Contains(plugs, word) {
			plugs = append(plugs, word)
		}
	}
	row.What = strings.Join(plugs, ", ")
	if x.ratedW > 0 {
		row.What += " · " + l.kilowatts(x.ratedW)
	} else {
		row.What += " · " + l.PowerUnknown
	}
	switch {
	case x.state == Unknown && x.seen.IsZero():
		row.Since = stamp{Text: l.Unheard}
	case x.state == Unknown:
		row.Since = stampOf(fmt.Sprintf(l.LastSeen[x.last], l.ago(now, x.seen)), x.seen)
	case !x.since.IsZero():
		row.Since = stampOf(l.since(now, x.since), x.since)
	}
	return row
}

// shape tells a port we cannot see from one that says nothing of itself.
func (x *port) shape() string {
	if x.state == Unknown && x.last != Unknown && !x.seen.IsZero() {
		return "offline"
	}
	return x.state.shape()
}

// title is what the port is called: what is written on it, else its number.
func (x *port) title(l *language) string {
	if x.name != "" {
		return x.name
	}
	return fmt.Sprintf(l.Port, x.number)
}

func (x *port) anchor() string { return "p-" + canonical(x.id) }

// port leads from a sticker to the port's site.
func (p *Pages) port(w http.ResponseWriter, r *http.Request) {
	s, x, ok := p.now().find(r.PathValue("id"))
	if !ok {
		p.nothing(w, r)
		return
	}
	lang := ""
	if l, chosen := choose(p.languages, r.URL.Query().Get("lang"), ""); chosen {
		lang = l.Tag
	}
	page := (x.number-1)/portsOnPage + 1
	query := filter{}.with(lang, page)
	if query == "?" {
		query = ""
	}
	p.redirect(w, "/status/"+url.PathEscape(s.ID)+query+"#"+url.PathEscape(x.anchor()))
}
