package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Bounds of routing.
const (
	maxRoutes = 200
	maxMatch  = 500
)

// Routing says who hears of what. Routes are tried in order; the first that
// matches ends the search unless it says to continue.
type Routing struct {
	LinkBase string  `json:"linkBase" required:"false" maxLength:"300" doc:"where links in messages lead, such as https://watch.example.org; empty: no links"`
	Routes   []Route `json:"routes" maxItems:"200"`
}

// Route leads what matches to channels and to an escalation. The words are
// those of Alertmanager.
type Route struct {
	Name                 string   `json:"name" minLength:"1" maxLength:"64"`
	Match                Match    `json:"match" required:"false"`
	Channels             []string `json:"channels" required:"false" maxItems:"50"`
	Escalation           string   `json:"escalation" required:"false" maxLength:"64" doc:"id; empty: none"`
	Continue             bool     `json:"continue" required:"false" doc:"try the routes after it too"`
	WithoutDuress        bool     `json:"withoutDuress" required:"false" doc:"calls of somebody who is threatened go past it: for channels that people at the site read"`
	GroupBy              []string `json:"groupBy" required:"false" maxItems:"10" doc:"site, kind, severity, station or the name of a label; none: each incident by itself"`
	GroupWaitSeconds     int      `json:"groupWaitSeconds" required:"false" minimum:"0" maximum:"3600" doc:"how long the first message of a group waits for others"`
	GroupIntervalSeconds int      `json:"groupIntervalSeconds" required:"false" minimum:"0" maximum:"86400" doc:"at least so long between two messages of a group"`
	RepeatSeconds        int      `json:"repeatSeconds" required:"false" minimum:"0" maximum:"604800" doc:"told again after so long without an acknowledgement; 0: never"`
	Quiet                []Hours  `json:"quiet" required:"false" maxItems:"20" doc:"held until these hours end; S1 always passes"`
}

// Match selects incidents; what is empty matches all.
type Match struct {
	Severities []string          `json:"severities" required:"false" maxItems:"4"`
	Kinds      []string          `json:"kinds" required:"false" maxItems:"500" doc:"a * at the end matches what begins so"`
	Sites      []string          `json:"sites" required:"false" maxItems:"500"`
	Stations   []string          `json:"stations" required:"false" maxItems:"500"`
	Labels     map[string]string `json:"labels" required:"false" doc:"all of them"`
}

// QuietUntil is when a route may speak again; zero: now.
func (r *Route) QuietUntil(t time.Time) time.Time {
	var until time.Time
	for range 8 { // one quiet time may follow another
		next := t
		for i := range r.Quiet {
			if end := r.Quiet[i].Until(t); end.After(next) {
				next = end
			}
		}
		if !next.After(t) {
			break
		}
		t, until = next, next
	}
	return until
}

func (x *Routing) validate(channels, escalations map[string]bool) error {
	if x.LinkBase != "" {
		u, err := url.Parse(x.LinkBase)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return &InvalidError{"linkBase", "must be an address such as https://watch.example.org"}
		}
		x.LinkBase = strings.TrimRight(x.LinkBase, "/")
	}
	if len(x.Routes) > maxRoutes {
		return &InvalidError{"routes", fmt.Sprintf("at most %d", maxRoutes)}
	}
	names := make(map[string]bool)
	for i := range x.Routes {
		r, at := &x.Routes[i], fmt.Sprintf("routes[%d]", i)
		if r.Name = strings.TrimSpace(r.Name); r.Name == "" || len(r.Name) > 64 || !readable(r.Name, false) {
			return &InvalidError{at + ".name", "1 to 64 printable characters"}
		}
		if names[r.Name] {
			return &InvalidError{at + ".name", "used twice"}
		}
		names[r.Name] = true
		if err := r.Match.validate(at + ".match"); err != nil {
			return err
		}
		if err := checkChannels(channels, at+".channels", r.Channels); err != nil {
			return err
		}
		if r.Escalation != "" && !escalations[r.Escalation] {
			return &InvalidError{at + ".escalation", "no such escalation"}
		}
		if len(r.GroupBy) > 10 {
			return &InvalidError{at + ".groupBy", "at most 10"}
		}
		for k, n := range map[string]int{"groupWaitSeconds": r.GroupWaitSeconds, "groupIntervalSeconds": r.GroupIntervalSeconds, "repeatSeconds": r.RepeatSeconds} {
			if n < 0 || n > 7*86400 {
				return &InvalidError{at + "." + k, "must be 0 to 604800"}
			}
		}
		if r.RepeatSeconds > 0 && r.RepeatSeconds < 60 {
			return &InvalidError{at + ".repeatSeconds", "must be 0, or at least 60"}
		}
		if len(r.Quiet) > 20 {
			return &InvalidError{at + ".quiet", "at most 20"}
		}
		for k := range r.Quiet {
			if err := r.Quiet[k].validate(fmt.Sprintf("%s.quiet[%d]", at, k)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *Match) validate(field string) error {
	for i, s := range m.Severities {
		if !slices.Contains([]string{"S1", "S2", "S3", "S4"}, s) {
			return &InvalidError{fmt.Sprintf("%s.severities[%d]", field, i), "must be S1, S2, S3 or S4"}
		}
	}
	for name, list := range map[string][]string{"kinds": m.Kinds, "sites": m.Sites, "stations": m.Stations} {
		if len(list) > maxMatch {
			return &InvalidError{field + "." + name, fmt.Sprintf("at most %d", maxMatch)}
		}
		for i, text := range list {
			at := fmt.Sprintf("%s.%s[%d]", field, name, i)
			if text == "" || len(text) > 128 || !readable(text, false) {
				return &InvalidError{at, "1 to 128 printable characters"}
			}
			if name == "kinds" && strings.Contains(strings.TrimSuffix(text, "*"), "*") {
				return &InvalidError{at, "a * may stand at the end only"}
			}
		}
	}
	if len(m.Labels) > 20 {
		return &InvalidError{field + ".labels", "at most 20"}
	}
	for k, v := range m.Labels {
		if k == "" || len(k) > 64 || len(v) > 256 || !readable(k+v, false) {
			return &InvalidError{field + ".labels." + clip(k, 64), "a name of 1 to 64 and a value of at most 256 printable characters"}
		}
	}
	return nil
}

// routingName is where the routing stands among the settings.
const routingName = "notify.routing"

type rowQuerier interface {
	QueryRow(query string, args ...any) *sql.Row
}

func readRouting(q rowQuerier) (Routing, error) {
	x := Routing{Routes: []Route{}}
	var text string
	err := q.QueryRow(`SELECT value FROM settings WHERE name = ?`, routingName).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return x, nil
	}
	if err != nil {
		return x, fmt.Errorf("read routing: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		return x, fmt.Errorf("decode routing: %w", err)
	}
	return x, nil
}

// Routing returns who hears of what.
func (s *Store) Routing(_ context.Context) (Routing, error) { return readRouting(s.db.Reader()) }

// PutRouting replaces who hears of what.
func (s *Store) PutRouting(ctx context.Context, by Actor, x Routing) (*Routing, error) {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		channels, err := knownChannels(tx)
		if err != nil {
			return err
		}
		escalations, err := idsOf(tx, `SELECT id FROM escalations`)
		if err != nil {
			return err
		}
		if err := x.validate(channels, escalations); err != nil {
			return err
		}
		data, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("encode routing: %w", err)
		}
		if len(data) > 1<<20 {
			return &InvalidError{"routes", "too much in all"}
		}
		if _, err := tx.Exec(`INSERT INTO settings (name, value) VALUES (?,?) ON CONFLICT (name) DO UPDATE SET value=excluded.value`,
			routingName, string(data)); err != nil {
			return fmt.Errorf("write routing: %w", err)
		}
		return s.audit(tx, by, "routing.change", "setting/"+routingName, map[string]any{"routes": len(x.Routes)})
	})
	if err != nil {
		return nil, err
	}
	return &x, nil
}
