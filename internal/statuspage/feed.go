package statuspage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The shapes of the feed; docs/formats/status.md explains them.

type networkFeed struct {
	AsOf       time.Time  `json:"asOf"`
	Observing  bool       `json:"observing"`
	Items      []siteFeed `json:"items"`
	NextCursor string     `json:"nextCursor"`
}

type siteFeed struct {
	ID           string       `json:"id"`
	Name         string       `json:"name"`
	Address      string       `json:"address"`
	Latitude     *float64     `json:"latitude"`
	Longitude    *float64     `json:"longitude"`
	TimeZone     string       `json:"timeZone"`
	OpeningHours string       `json:"openingHours"`
	Open         *bool        `json:"open"`
	OpenChangeAt *time.Time   `json:"openChangeAt"`
	Simulated    bool         `json:"simulated"`
	URL          string       `json:"url"`
	Ports        counts       `json:"ports"`
	Offers       []offerFeed  `json:"offers"`
	Notices      []noticeFeed `json:"notices"`
}

type offerFeed struct {
	Plug       string `json:"plug"`
	PowerClass string `json:"powerClass"`
	counts
}

type noticeFeed struct {
	Text  string     `json:"text"`
	Until *time.Time `json:"until"`
}

type wholeSiteFeed struct {
	AsOf      time.Time `json:"asOf"`
	Observing bool      `json:"observing"`
	siteFeed
	Items []portFeed `json:"items"`
}

type portFeed struct {
	PublicID   string     `json:"publicId"`
	Label      string     `json:"label"`
	Charger    string     `json:"charger"`
	State      State      `json:"state"`
	Since      *time.Time `json:"since"`
	LastState  *State     `json:"lastState"`
	LastSeenAt *time.Time `json:"lastSeenAt"`
	Plugs      []string   `json:"plugs"`
	PowerClass string     `json:"powerClass"`
	RatedW     *float64   `json:"ratedW"`
	URL        string     `json:"url"`
}

const (
	feedDefault = 100
	feedMost    = 1000
)

// listFeed is the network as JSON.
func (p *Pages) listFeed(w http.ResponseWriter, r *http.Request) {
	q, limit := r.URL.Query(), feedDefault
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > feedMost {
			p.problem(w, http.StatusUnprocessableEntity, "limit: a number from 1 to 1000")
			return
		}
		limit = n
	}
	b, after := p.now(), q.Get("cursor")
	key := ""
	if _, known := b.byID[after]; known || after == "" {
		key = fmt.Sprintf("feed\x00%d\x00%s", limit, after)
	}
	p.serveFeed(w, r, b, key, func(asOf time.Time) any {
		out := networkFeed{AsOf: asOf, Observing: b.observing, Items: []siteFeed{}}
		byID := slices.SortedFunc(slices.Values(b.sites), func(x, y *site) int { return strings.Compare(x.ID, y.ID) })
		for _, s := range byID {
			if s.ID <= after {
				continue
			}
			if len(out.Items) == limit {
				out.NextCursor = out.Items[limit-1].ID
				break
			}
			out.Items = append(out.Items, b.siteFeed(s))
		}
		return out
	})
}

// siteFeed is a site as JSON.
func (p *Pages) siteFeed(w http.ResponseWriter, r *http.Request, b *board, id string) {
	s, ok := b.byID[id]
	if !ok {
		p.problem(w, http.StatusNotFound, p.languages[0].NotFoundHint)
		return
	}
	p.serveFeed(w, r, b, "feed\x00site\x00"+s.ID, func(asOf time.Time) any {
		out := wholeSiteFeed{AsOf: asOf, Observing: b.observing, siteFeed: b.siteFeed(s), Items: []portFeed{}}
		ports, chargers := s.ports()
		for i := range ports {
			x := &ports[i]
			item := portFeed{
				PublicID: x.id, Label: x.name, Charger: chargers[x.charger].label, State: x.state, PowerClass: x.class.String(),
				Plugs: []string{}, URL: "/status/p/" + escape(x.id), Since: moment(x.since),
			}
			if x.state == Unknown {
				item.Since = nil
				if !x.seen.IsZero() {
					item.LastState, item.LastSeenAt = &x.last, moment(x.seen.Truncate(time.Second))
				}
			}
			if x.ratedW > 0 {
				item.RatedW = &x.ratedW
			}
			for _, kind := range x.plugs {
				if kind != "" {
					item.Plugs = append(item.Plugs, kind)
				}
			}
			out.Items = append(out.Items, item)
		}
		return out
	})
}

func (b *board) siteFeed(s *site) siteFeed {
	out := siteFeed{
		ID: s.ID, Name: s.DriversName(), Address: s.Address, Latitude: s.Latitude, Longitude: s.Longitude, TimeZone: s.TimeZone,
		OpeningHours: s.OpeningHours, Simulated: s.simulated, URL: "/status/" + url.PathEscape(s.ID), Ports: s.counts,
		Offers: []offerFeed{}, Notices: []noticeFeed{},
	}
	if s.hasHours && s.zone != nil {
		x := s.hours.at(b.at.In(s.zone))
		out.Open, out.OpenChangeAt = &x.open, moment(x.change)
	}
	for _, o := range s.offers {
		out.Offers = append(out.Offers, offerFeed{Plug: o.plug, PowerClass: o.class.String(), counts: o.counts})
	}
	for _, n := range s.NoticesAt(b.at) {
		out.Notices = append(out.Notices, noticeFeed{Text: n.Text, Until: moment(n.Until)})
	}
	return out
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC())
}

// serveFeed sends JSON. Its tag leaves out when it was computed: 304 means that
// nothing changed but the time.
func (p *Pages) serveFeed(w http.ResponseWriter, r *http.Request, b *board, key string, make func(asOf time.Time) any) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	build := func() (*answer, error) {
		same, err := json.Marshal(make(time.Time{}))
		if err != nil {
			return nil, fmt.Errorf("encode the feed: %w", err)
		}
		data, err := json.Marshal(make(b.at.UTC().Truncate(time.Millisecond)))
		if err != nil {
			return nil, fmt.Errorf("encode the feed: %w", err)
		}
		a, err := newAnswer(http.StatusOK, "application/json", append(data, '\n'))
		if err != nil {
			return nil, err
		}
		a.etag, a.weak = fingerprint(same), true
		return a, nil
	}
	get := build
	if key != "" {
		get = func() (*answer, error) { return b.pages.get(key, build) }
	}
	a, err := get()
	if err != nil {
		p.log.ErrorContext(r.Context(), "feed for drivers not made", "err", err)
		p.problem(w, http.StatusInternalServerError, "something went wrong on our side")
		return
	}
	a.send(w, r, shared)
}

// problem is an error of the feed, a problem document of RFC 9457.
func (p *Pages) problem(w http.ResponseWriter, status int, detail string) {
	data, err := json.Marshal(map[string]any{"status": status, "title": http.StatusText(status), "detail": detail})
	if err != nil {
		http.Error(w, detail, status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", unshared)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.WriteHeader(status)
	_, _ = w.Write(data) // the caller may have gone
}
