package statuspage

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/chargewatch/chargewatch/internal/fleet"
)

// sitesOnPage and portsOnPage bound a page.
const (
	sitesOnPage = 40
	portsOnPage = 100
	maxQuery    = 100 // characters of a search
)

// filter is what a viewer asked for.
type filter struct {
	Query, Plug, Power string
	page               int
	known              bool // all of it stands in the board: the page may be kept
}

func (b *board) filterOf(r *http.Request) filter {
	q := r.URL.Query()
	f := filter{Query: strings.TrimSpace(cut(q.Get("q"), maxQuery)), Plug: q.Get("plug"), Power: q.Get("power"), page: 1}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		f.page = min(n, 10_000)
	}
	plugs, classes := b.choices()
	f.known = f.Query == "" && (f.Plug == "" || slices.Contains(plugs, f.Plug)) &&
		(f.Power == "" || slices.ContainsFunc(classes, func(c fleet.PowerClass) bool { return c.String() == f.Power }))
	return f
}

func (f filter) narrow() bool { return f.Plug != "" || f.Power != "" }

func (f filter) wants(plug string, class fleet.PowerClass) bool {
	return (f.Plug == "" || f.Plug == plugValue(plug)) && (f.Power == "" || f.Power == class.String())
}

// key names a page of the board, empty for one that is not kept.
func (f filter) key(page string, frame frame) string {
	if !f.known {
		return ""
	}
	return strings.Join([]string{page, frame.L.Tag, frame.Keep, f.Plug, f.Power, strconv.Itoa(f.page)}, "\x00")
}

// with is the query of the same list with something else.
func (f filter) with(lang string, page int) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Query, "plug": f.Plug, "power": f.Power, "lang": lang} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return "?"
	}
	return "?" + v.Encode()
}

// plugValue is how a plug stands in an address.
func plugValue(kind string) string { return cmp.Or(kind, "unknown") }

// choices are the plugs and classes of power that the network has.
func (b *board) choices() (plugs []string, classes []fleet.PowerClass) {
	for _, s := range b.sites {
		for _, o := range s.offers {
			if value := plugValue(o.plug); !slices.Contains(plugs, value) {
				plugs = append(plugs, value)
			}
			if !slices.Contains(classes, o.class) {
				classes = append(classes, o.class)
			}
		}
	}
	slices.Sort(plugs)
	slices.SortFunc(classes, func(x, y fleet.PowerClass) int { return rank(x) - rank(y) })
	return plugs, classes
}

// option is a choice of a filter.
type option struct {
	Value, Text string
	On          bool
}

func (f filter) options(l *language, plugs []string, classes []fleet.PowerClass) (plug, power []option) {
	for _, value := range plugs {
		plug = append(plug, option{value, l.plug(value), value == f.Plug})
	}
	for _, c := range classes {
		power = append(power, option{c.String(), l.Classes[c], c.String() == f.Power})
	}
	return plug, power
}

// offerRow is an offer in words.
type offerRow struct {
	Plug, Power, Free, NotSure string
	Some                       bool // some are free and can be reached
}

func offerRows(l *language, offers []offer, f filter, text string, shut bool) []offerRow {
	var out []offerRow
	for _, o := range offers {
		if !f.wants(o.plug, o.class) {
			continue
		}
		row := offerRow{Plug: l.plug(o.plug), Power: l.Classes[o.class], Free: fmt.Sprintf(text, o.Free, o.Total), Some: o.Free > 0 && !shut}
		if o.Unknown > 0 {
			row.NotSure = fmt.Sprintf(l.NotSure, o.Unknown)
		}
		out = append(out, row)
	}
	return out
}

// siteRow is a site in the list.
type siteRow struct {
	Name, Address, URL   string
	Free, Total, Unknown int
	NotSure              string
	Offers               []offerRow
	Open                 string
	Shut                 bool
	Notices              int
}

// pager leads through pages.
type pager struct {
	Text, Previous, Next string
}

func pagerOf(l *language, page, pages int, link func(page int) string) pager {
	if pages <= 1 {
		return pager{}
	}
	x := pager{Text: fmt.Sprintf(l.Page, page, pages)}
	if page > 1 {
		x.Previous = link(page - 1)
	}
	if page < pages {
		x.Next = link(page + 1)
	}
	return x
}

// list shows the sites.
func (p *Pages) list(w http.ResponseWriter, r *http.Request) {
	b := p.now()
	f := b.filterOf(r)
	if f.Query != "" {
		if _, x, ok := b.find(f.Query); ok { // somebody typed the number of a sticker
			p.redirect(w, "/status/p/"+escape(x.id)+p.frame(r, "").Keep)
			return
		}
	}
	fr := p.frame(r, "")
	fr.Heading = fr.L.Chargers
	p.serve(w, r, b, f.key("list", fr), shared, func() (*answer, error) { return p.renderList(b, f, fr) })
}

func (p *Pages) renderList(b *board, f filter, fr frame) (*answer, error) {
	l := fr.L
	var found []*site
	total := counts{}
	for _, s := range b.sites {
		if !s.matches(f) {
			continue
		}
		found = append(found, s)
		c := s.counted(f)
		total.Total, total.Free, total.Unknown = total.Total+c.Total, total.Free+c.Free, total.Unknown+c.Unknown
		fr.Simulated = fr.Simulated || s.simulated
	}
	pages := max(1, (len(found)+sitesOnPage-1)/sitesOnPage)
	f.page = min(f.page, pages)
	lang := ""
	if fr.Keep != "" {
		lang = l.Tag
	}
	if fr.Other != nil {
		fr.SwitchURL = "/status" + f.with(fr.Other.Tag, f.page)
	}
	fr.Script, fr.Observing, fr.NoIndex = true, b.observing, f.Query != "" || f.narrow()
	plugs, classes := b.choices()
	data := listPage{
		frame: fr, Filter: f, Lang: lang, Total: total, Narrow: f.narrow() || f.Query != "", Any: len(b.sites) > 0,
		AsOf:  stampOf(fmt.Sprintf(l.AsOf, l.clock(b.at.In(b.zone), "15:04:05")), b.at),
		Pager: pagerOf(l, f.page, pages, func(n int) string { return "/status" + f.with(lang, n) }),
	}
	data.FreeText = fmt.Sprintf(l.FreeOf, total.Free, total.Total)
	if total.Unknown > 0 {
		data.NotSure = fmt.Sprintf(l.NotSure, total.Unknown)
	}
	data.Plugs, data.Powers = f.options(l, plugs, classes)
	for _, s := range found[(f.page-1)*sitesOnPage : min(f.page*sitesOnPage, len(found))] {
		data.Sites = append(data.Sites, b.row(s, f, fr))
	}
	return p.html(http.StatusOK, "list", data)
}

type listPage struct {
	frame
	Filter            filter
	Lang              string
	Narrow, Any       bool
	Total             counts
	FreeText, NotSure string
	AsOf              stamp
	Plugs, Powers     []option
	Sites             []siteRow
	Pager             pager
}

func (b *board) row(s *site, f filter, fr frame) siteRow {
	c := s.counted(f)
	row := siteRow{
		Name: s.DriversName(), Address: s.Address, URL: "/status/" + url.PathEscape(s.ID) + fr.Keep,
		Free: c.Free, Total: c.Total, Unknown: c.Unknown, Notices: len(s.NoticesAt(b.at)),
	}
	if c.Unknown > 0 {
		row.NotSure = fmt.Sprintf(fr.L.NotSure, c.Unknown)
	}
	if s.hasHours && s.zone != nil {
		var open bool
		row.Open, open = fr.L.opens(&s.hours, b.at.In(s.zone))
		row.Shut = !open
	}
	row.Offers = offerRows(fr.L, s.offers, f, fr.L.FreeOf, row.Shut)
	return row
}

// matches reports whether the site has what was asked for: every word of the
// search, and a port of the plug and power.
func (s *site) matches(f filter) bool {
	text := strings.ToLower(s.DriversName() + " " + s.Address + " " + s.ID)
	for word := range strings.FieldsSeq(strings.ToLower(f.Query)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return !f.narrow() || slices.ContainsFunc(s.offers, func(o offer) bool { return f.wants(o.plug, o.class) })
}

// counted counts the ports that were asked for.
func (s *site) counted(f filter) counts {
	if !f.narrow() {
		return s.counts
	}
	ports, _ := s.ports()
	var c counts
	for i := range ports {
		if ports[i].wanted(f) {
			c.add(ports[i].state)
		}
	}
	return c
}

func (x *port) wanted(f filter) bool {
	return slices.ContainsFunc(x.plugs, func(plug string) bool { return f.wants(plug, x.class) })
}

func (p *Pages) redirect(w http.ResponseWriter, to string) {
	h := w.Header()
	h.Set("Cache-Control", shared)
	h.Add("Vary", "Accept-Language")
	h.Set("Content-Security-Policy", policy)
	h.Set("Location", to)
	w.WriteHeader(http.StatusFound)
}
