package sim

import (
	"fmt"
	"strings"
	"time"
)

// Plan is a network to simulate: where stations stand, what they are and whose
// cards open them.
type Plan struct {
	Sites    []Site
	Stations []Spec
	Tokens   []Token
	// Strangers are cards that nobody enrolled and somebody tries now and then.
	Strangers []Token
}

// Site is a place with stations.
type Site struct {
	ID, Name, Address   string
	Latitude, Longitude float64
	TimeZone            string // IANA name
	OpeningHours        string // as OpenStreetMap writes them
	GridLimitW          float64
	FreeVend            bool // anybody may charge
	Use                 Use
	Popular             float64 // factor on the arrivals of its use; 0 is 1
	// DarkFor is how long before the start the site lost its network. It does
	// not come back by itself.
	DarkFor time.Duration
}

// Spec is one station of a Plan.
type Spec struct {
	ID           string // identity in the URL
	Label        string
	Site         string // Site.ID
	Model        Model
	Version      Version // zero: the model's
	Serial       string
	PublicIDs    []string          // per EVSE
	Password     string            // Basic auth; empty: Options.Password
	Config       map[string]string // differs from the factory configuration
	Quirks       Quirks            // beyond the model's
	Habit        Habit             // with passwords and certificates
	Modem        string            // ICCID, empty for wired stations
	Commissioned time.Time
	Profile      string // a default charging profile the operator installed, as 1.6 writes it

	// How the station is found at the start.
	StartsOffline bool // not seen for a while, comes back later
	StartsFaulted bool
	Worn          *Worn
	Flaps         bool // a modem at the edge of its cell, for some days

	// Factory is how it takes settings, where nobody has set it; nil: as told.
	Factory *Factory
}

// Worn is a port that delivers far less than it should, and did so for some
// time before the start: a power module died and nobody noticed.
type Worn struct {
	EVSE int
	MaxW float64
	For  time.Duration
}

// Token is a card, app or contract that drivers use.
type Token struct {
	ID   string
	Type string // ISO14443, eMAID, Central...
}

// Protocol is the WebSocket subprotocol the station speaks.
func (s *Spec) Protocol() string { return s.version().Subprotocol() }

// version resolves what the station speaks.
func (s *Spec) version() Version {
	if s.Version != 0 {
		return s.Version
	}
	if s.Model.Version != 0 {
		return s.Model.Version
	}
	return V16
}

// Park returns n stations of one version with a mix of hardware, for a central
// system that has no plan of its own. Identities are PREFIX0001 and so on.
func Park(n int, v Version, prefix string, seed uint64) Plan {
	if prefix == "" {
		prefix = "SIM-"
	}
	models := Hardware()
	r := newRand(seed, "park", "hardware")
	uses := []Use{Motorway, City, Office, Retail, Hotel, Depot}
	p := Plan{Tokens: Tokens(seed, 200)}
	for _, u := range uses {
		p.Sites = append(p.Sites, Site{ID: string(u), Name: string(u), TimeZone: "Europe/Berlin", Use: u})
	}
	width := max(4, len(fmt.Sprint(n)))
	for i := range n {
		m := pick(r, models)
		p.Stations = append(p.Stations, Spec{
			ID:      fmt.Sprintf("%s%0*d", prefix, width, i+1),
			Site:    string(pick(r, uses)),
			Model:   m,
			Version: v,
			Serial:  serialOf(m.Vendor, i+1),
		})
	}
	return p
}

// Tokens returns the drivers' cards of a seed: RFID cards with some contract
// ids of roaming partners among them.
func Tokens(seed uint64, n int) []Token {
	r := newRand(seed, "tokens", "ids")
	list := make([]Token, n)
	for i := range list {
		if r.IntN(5) == 0 {
			list[i] = Token{fmt.Sprintf("DE-CWD-C%08d-%d", r.IntN(100_000_000), r.IntN(10)), "eMAID"}
		} else {
			list[i] = Token{fmt.Sprintf("04%012X", r.Uint64()&0xffffffffffff), "ISO14443"}
		}
	}
	return list
}

// serialOf makes a serial number in the maker's manner.
func serialOf(vendor string, n int) string {
	switch vendor {
	case "ABB":
		return fmt.Sprintf("TACW22-4-%04d-T%d", 1022+n%40, 10_000+n)
	case "Alpitronic":
		return fmt.Sprintf("%d", 52_310_000+n)
	case "KEBA AG":
		return fmt.Sprintf("%d", 18_740_000+n)
	case "Alfen BV":
		return fmt.Sprintf("ACE0%06d", 210_000+n)
	}
	head := strings.ToUpper(vendor)
	if len(head) > 3 {
		head = head[:3]
	}
	return fmt.Sprintf("%s%07d", head, 4_100_000+n)
}
