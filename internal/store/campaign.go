package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Bounds of campaigns: those under way are refused beyond, those that are over give
// way to newer ones.
const (
	MaxCampaignStations = 20_000
	maxCampaignsOpen    = 20
	maxCampaignsKept    = 500
	maxCampaignRows     = 1_000_000 // stations of those that are over
	maxAuditedPlan      = 16 << 10
)

// CampaignState is whether work at many stations goes on.
type CampaignState string

// The states of a campaign.
const (
	CampaignRunning  CampaignState = "running"
	CampaignPaused   CampaignState = "paused"
	CampaignStopped  CampaignState = "stopped" // what had not begun was left
	CampaignFinished CampaignState = "finished"
)

// CampaignStage is how far a campaign is.
type CampaignStage string

// The stages of a campaign.
const (
	CampaignCanary CampaignStage = "canary" // a few go first
	CampaignSoak   CampaignStage = "soak"   // and are watched
	CampaignRest   CampaignStage = "rest"
)

// WorkState is what became of one station.
type WorkState string

// The states of a station in a campaign.
const (
	WorkPending WorkState = "pending"
	WorkWaiting WorkState = "waiting" // tried again later
	WorkWorking WorkState = "working"
	WorkDone    WorkState = "done"
	WorkFailed  WorkState = "failed"
	WorkSkipped WorkState = "skipped" // nothing was done there
	WorkUnknown WorkState = "unknown" // it was asked, and what it did nobody knows
)

// Campaign is work of one kind at many stations.
type Campaign struct {
	Seq       int64
	ID        string
	Kind      string
	Name      string
	By        Actor
	State     CampaignState
	Stage     CampaignStage
	MadeAt    time.Time
	SoakUntil time.Time
	EndedAt   time.Time
	Plan      json.RawMessage
	Sites     []string // of the stations that are worked on; empty stands for none
	LeftOut   json.RawMessage
	Why       json.RawMessage // it was stopped; nil: it was not
	Total     int
}

// Over reports whether nothing more will be begun.
func (c *Campaign) Over() bool { return c.State == CampaignStopped || c.State == CampaignFinished }

// CampaignStation is what became of one station.
type CampaignStation struct {
	Place    int
	Station  string
	Site     string
	Model    string // and firmware: when the campaign was started
	Firmware string
	Canary   bool
	Sound    bool // no fault when it was begun
	State    WorkState
	Code     string
	Text     string
	Attempts int
	Failures int
	BeganAt  time.Time
	At       time.Time
	RetryAt  time.Time
	Before   json.RawMessage
	After    json.RawMessage
	Command  string // by which it was asked, where its answer is not known
}

// CampaignCount is how many stations of a campaign came to the same.
type CampaignCount struct {
	State  WorkState
	Code   string
	Canary bool
	Count  int
}

const campaignColumns = `seq, id, kind, name, by, state, stage, made_at, soak_until, ended_at, plan, sites, left_out, why, total`

func scanCampaign(row interface{ Scan(...any) error }) (*Campaign, error) {
	c := &Campaign{}
	var made, soak, ended int64
	var plan, sites, left, why string
	if err := row.Scan(&c.Seq, &c.ID, &c.Kind, &c.Name, &c.By, &c.State, &c.Stage, &made, &soak, &ended, &plan, &sites, &left, &why, &c.Total); err != nil {
		return nil, err
	}
	c.MadeAt, c.SoakUntil, c.EndedAt = fromMillis(made), fromMillis(soak), fromMillis(ended)
	c.Plan, c.LeftOut = json.RawMessage(plan), json.RawMessage(left)
	if why != "" {
		c.Why = json.RawMessage(why)
	}
	return c, json.Unmarshal([]byte(sites), &c.Sites)
}

// CreateCampaign writes a campaign and its stations down, all or none.
func (s *Store) CreateCampaign(ctx context.Context, c Campaign, stations []CampaignStation) (*Campaign, error) {
	if len(stations) > MaxCampaignStations {
		return nil, &InvalidError{"cohort", fmt.Sprintf("at most %d stations", MaxCampaignStations)}
	}
	sites, err := json.Marshal(c.Sites)
	if err != nil {
		return nil, fmt.Errorf("name sites: %w", err)
	}
	c.ID, c.State, c.Total = newID("c-"), CampaignRunning, len(stations)
	c.MadeAt = fromMillis(millis(c.MadeAt))
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		if err := roomForCampaign(tx); err != nil {
			return err
		}
		done, err := tx.Exec(`INSERT INTO campaigns (id, kind, name, by, state, stage, made_at, plan, sites, left_out, total) VALUES (?,?,?,?,?,?,?,?,?,?,?)`,
			c.ID, c.Kind, c.Name, string(c.By), string(c.State), string(c.Stage), millis(c.MadeAt), string(c.Plan), string(sites), string(c.LeftOut), c.Total)
		if err != nil {
			return fmt.Errorf("write campaign: %w", err)
		}
		if c.Seq, err = done.LastInsertId(); err != nil {
			return fmt.Errorf("write campaign: %w", err)
		}
		one, err := tx.Prepare(`INSERT INTO campaign_stations (campaign, place, station, site, model, firmware, state, code, at) VALUES (?,?,?,?,?,?,?,?,?)`)
		if err != nil {
			return fmt.Errorf("write campaign: %w", err)
		}
		defer one.Close()
		for i := range stations {
			x := &stations[i]
			if _, err := one.Exec(c.Seq, x.Place, x.Station, x.Site, x.Model, x.Firmware, string(x.State), x.Code, millis(c.MadeAt)); err != nil {
				return fmt.Errorf("write a station of a campaign: %w", err)
			}
		}
		detail := map[string]any{"kind": c.Kind, "name": c.Name, "stations": c.Total}
		if len(c.Plan) <= maxAuditedPlan { // one that names thousands of stations stands in its row alone
			detail["plan"] = c.Plan
		}
		return s.audit(tx, c.By, "campaign.start", "campaign/"+c.ID, detail)
	})
	if err != nil {
		return nil, err
	}
	return &c, nil
}

func roomForCampaign(tx *sql.Tx) error {
	var open int
	if err := tx.QueryRow(`SELECT count(*) FROM campaigns WHERE state IN ('running', 'paused')`).Scan(&open); err != nil {
		return fmt.Errorf("count campaigns: %w", err)
	}
	if open >= maxCampaignsOpen {
		return &InUseError{fmt.Sprintf("%d campaigns are under way; stop one first", open)}
	}
	if _, err := tx.Exec(`DELETE FROM campaigns WHERE seq IN (SELECT seq FROM campaigns WHERE state NOT IN ('running', 'paused') ORDER BY seq DESC LIMIT -1 OFFSET ?)`, maxCampaignsKept-1); err != nil {
		return fmt.Errorf("make room for a campaign: %w", err)
	}
	if _, err := tx.Exec(`DELETE FROM campaigns WHERE seq IN (SELECT seq FROM (SELECT seq, sum(total) OVER (ORDER BY seq DESC) AS kept FROM campaigns
		WHERE state NOT IN ('running', 'paused')) WHERE kept > ?)`, maxCampaignRows); err != nil {
		return fmt.Errorf("make room for a campaign: %w", err)
	}
	return nil
}

// Campaigns lists campaigns before a sequence number (zero: the newest), newest first.
func (s *Store) Campaigns(ctx context.Context, before int64, limit int) ([]*Campaign, error) {
	return s.campaigns(ctx, `WHERE ?1 = 0 OR seq < ?1 ORDER BY seq DESC LIMIT ?2`, before, limit)
}

// OpenCampaigns are those that are not over, oldest first.
func (s *Store) OpenCampaigns(ctx context.Context) ([]*Campaign, error) {
	return s.campaigns(ctx, `WHERE state IN ('running', 'paused') ORDER BY seq`)
}

func (s *Store) campaigns(ctx context.Context, rest string, args ...any) ([]*Campaign, error) {
	var out []*Campaign
	err := s.query(ctx, "campaigns", `SELECT `+campaignColumns+` FROM campaigns `+rest, args, func(r *sql.Rows) error {
		c, err := scanCampaign(r)
		out = append(out, c)
		return err
	})
	return out, err
}

// Campaign returns one.
func (s *Store) Campaign(ctx context.Context, id string) (*Campaign, error) {
	c, err := scanCampaign(s.db.Reader().QueryRowContext(ctx, `SELECT `+campaignColumns+` FROM campaigns WHERE id = ?`, id))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, fmt.Errorf("campaign: %w", ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("read campaign: %w", err)
	}
	return c, nil
}

// CampaignCounts counts what became of the stations of a campaign.
func (s *Store) CampaignCounts(ctx context.Context, seq int64) ([]CampaignCount, error) {
	var out []CampaignCount
	err := s.query(ctx, "stations of a campaign", `SELECT state, code, canary, count(*) FROM campaign_stations WHERE campaign = ? GROUP BY 1, 2, 3`, []any{seq}, func(r *sql.Rows) error {
		var x CampaignCount
		err := r.Scan(&x.State, &x.Code, &x.Canary, &x.Count)
		out = append(out, x)
		return err
	})
	return out, err
}

// CampaignStationQuery selects stations of a campaign, in the order of work.
type CampaignStationQuery struct {
	State WorkState // empty: all
	Code  string
	Text  string // part of the id
	After int    // place; -1: from the first
	Limit int
}

// CampaignStations lists what became of the stations of a campaign.
func (s *Store) CampaignStations(ctx context.Context, seq int64, q CampaignStationQuery) ([]CampaignStation, error) {
	var out []CampaignStation
	err := s.query(ctx, "stations of a campaign", `SELECT place, station, site, model, firmware, canary, sound, state, code, text, attempts, failures, began_at, at, retry_at, before, after
		FROM campaign_stations WHERE campaign = ?1 AND place > ?2 AND (?3 = '' OR state = ?3) AND (?4 = '' OR code = ?4) AND (?5 = '' OR instr(lower(station), lower(?5)) > 0)
		ORDER BY place LIMIT ?6`, []any{seq, q.After, string(q.State), q.Code, q.Text, q.Limit}, func(r *sql.Rows) error {
		x, err := scanCampaignStation(r)
		out = append(out, x)
		return err
	})
	return out, err
}

func scanCampaignStation(r *sql.Rows) (CampaignStation, error) {
	var x CampaignStation
	var began, at, retry int64
	var before, after string
	err := r.Scan(&x.Place, &x.Station, &x.Site, &x.Model, &x.Firmware, &x.Canary, &x.Sound, &x.State, &x.Code, &x.Text, &x.Attempts, &x.Failures, &began, &at, &retry, &before, &after)
	x.BeganAt, x.At, x.RetryAt = fromMillis(began), fromMillis(at), fromMillis(retry)
	if before != "" {
		x.Before = json.RawMessage(before)
	}
	if after != "" {
		x.After = json.RawMessage(after)
	}
	return x, err
}

// SettleCampaigns says what became of stations that were worked on when the server
// stopped: those of kinds that may be asked twice are asked again, of others nobody
// knows.
func (s *Store) SettleCampaigns(ctx context.Context, now time.Time, again []string) error {
	kinds, err := json.Marshal(again)
	if err != nil {
		return fmt.Errorf("name kinds: %w", err)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE campaign_stations SET state = 'waiting', code = 'restart', retry_at = ?1, at = ?1 WHERE campaign IN
			(SELECT seq FROM campaigns WHERE state IN ('running', 'paused') AND kind IN (SELECT value FROM json_each(?2))) AND state = 'working'`, millis(now), string(kinds)); err != nil {
			return fmt.Errorf("settle campaigns: %w", err)
		}
		if _, err := tx.Exec(`UPDATE campaign_stations SET state = 'unknown', code = 'restart', text = 'The server stopped before the answer came.', at = ?
			WHERE campaign IN (SELECT seq FROM campaigns) AND state = 'working'`, millis(now)); err != nil {
			return fmt.Errorf("settle campaigns: %w", err)
		}
		if _, err := tx.Exec(`UPDATE campaign_stations SET state = 'skipped', code = 'stopped', at = ?, retry_at = 0 WHERE campaign IN
			(SELECT seq FROM campaigns WHERE state IN ('stopped', 'finished')) AND state IN ('pending', 'waiting')`, millis(now)); err != nil {
			return fmt.Errorf("settle campaigns: %w", err)
		}
		return nil
	})
}

// BeginCampaignStation notes that a station is about to be asked. It reports false if
// that is not to be any more.
func (s *Store) BeginCampaignStation(ctx context.Context, seq int64, x CampaignStation) (bool, error) {
	var n int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(`UPDATE campaign_stations SET state = 'working', code = '', text = '', canary = ?3, sound = ?4, attempts = ?5, began_at = ?6, at = ?6, retry_at = 0
			WHERE campaign = ?1 AND place = ?2 AND state IN ('pending', 'waiting') AND EXISTS (SELECT 1 FROM campaigns WHERE seq = ?1 AND state = 'running')`,
			seq, x.Place, x.Canary, x.Sound, x.Attempts, millis(x.At))
		if err == nil {
			n, err = done.RowsAffected()
		}
		if err != nil {
			return fmt.Errorf("begin at a station: %w", err)
		}
		return nil
	})
	return n > 0, err
}

// EndCampaignStation keeps what became of a station that was asked.
func (s *Store) EndCampaignStation(ctx context.Context, seq int64, x CampaignStation) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE campaign_stations SET state = ?3, code = ?4, text = ?5, canary = ?6, failures = ?7, at = ?8, retry_at = ?9, before = ?10, after = ?11, command = ?12
			WHERE campaign = ?1 AND place = ?2 AND state = 'working'`,
			seq, x.Place, string(x.State), x.Code, x.Text, x.Canary, x.Failures, millis(x.At), millis(x.RetryAt), string(x.Before), string(x.After), x.Command); err != nil {
			return fmt.Errorf("end at a station: %w", err)
		}
		return nil
	})
}

// CorrectCampaignStation says what became of a station of which nobody knew, by the
// command that it answered late. It returns the campaign; zero: there is no such station.
func (s *Store) CorrectCampaignStation(ctx context.Context, command string, state WorkState, code, text string, now time.Time) (int64, error) {
	if command == "" {
		return 0, nil
	}
	var seq int64
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRow(`UPDATE campaign_stations SET state = ?2, code = ?3, text = ?4, at = ?5, command = ''
			WHERE command = ?1 AND state = 'unknown' RETURNING campaign`, command, string(state), code, text, millis(now)).Scan(&seq)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("correct a station of a campaign: %w", err)
		}
		return nil
	})
	return seq, err
}

// SetCampaignStations says of stations that are not worked on what they wait for, or
// that they are left.
func (s *Store) SetCampaignStations(ctx context.Context, seq int64, places []int, state WorkState, code string, now time.Time) error {
	list, err := json.Marshal(places)
	if err != nil {
		return fmt.Errorf("name stations: %w", err)
	}
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE campaign_stations SET state = ?3, code = ?4, at = ?5, retry_at = 0
			WHERE campaign = ?1 AND place IN (SELECT value FROM json_each(?2)) AND state IN ('pending', 'waiting')`,
			seq, string(list), string(state), code, millis(now)); err != nil {
			return fmt.Errorf("set stations of a campaign: %w", err)
		}
		return nil
	})
}

// StageCampaign says how far a campaign is.
func (s *Store) StageCampaign(ctx context.Context, seq int64, stage CampaignStage, soakUntil time.Time) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE campaigns SET stage = ?, soak_until = ? WHERE seq = ?`, string(stage), millis(soakUntil), seq); err != nil {
			return fmt.Errorf("stage a campaign: %w", err)
		}
		return nil
	})
}

// PauseCampaign has nothing more begun until it is resumed.
func (s *Store) PauseCampaign(ctx context.Context, by Actor, id string) error {
	return s.moveCampaign(ctx, by, id, "pause", nil, nil, `UPDATE campaigns SET state = 'paused' WHERE id = ? AND state = 'running'`, id)
}

// ResumeCampaign lets a paused campaign go on.
func (s *Store) ResumeCampaign(ctx context.Context, by Actor, id string) error {
	return s.moveCampaign(ctx, by, id, "resume", nil, nil, `UPDATE campaigns SET state = 'running' WHERE id = ? AND state = 'paused'`, id)
}

// StopCampaign ends a campaign: what was not begun is left.
func (s *Store) StopCampaign(ctx context.Context, by Actor, id string, why json.RawMessage, now time.Time) error {
	return s.moveCampaign(ctx, by, id, "stop", why, func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE campaign_stations SET state = 'skipped', code = 'stopped', at = ?, retry_at = 0
			WHERE campaign = (SELECT seq FROM campaigns WHERE id = ?) AND state IN ('pending', 'waiting')`, millis(now), id)
		return err
	}, `UPDATE campaigns SET state = 'stopped', ended_at = ?, why = ? WHERE id = ? AND state IN ('running', 'paused')`, millis(now), string(why), id)
}

// FinishCampaign says that all stations are accounted for.
func (s *Store) FinishCampaign(ctx context.Context, id string, now time.Time) error {
	return s.moveCampaign(ctx, System, id, "finish", nil, nil, `UPDATE campaigns SET state = 'finished', ended_at = ? WHERE id = ? AND state IN ('running', 'paused')`, millis(now), id)
}

// moveCampaign changes the state of a campaign; one in another state than is needed is
// ErrInUse.
func (s *Store) moveCampaign(ctx context.Context, by Actor, id, act string, detail any, also func(*sql.Tx) error, text string, args ...any) error {
	return s.db.Write(ctx, func(tx *sql.Tx) error {
		done, err := tx.Exec(text, args...)
		if err != nil {
			return fmt.Errorf("%s a campaign: %w", act, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			var there int
			if e := tx.QueryRow(`SELECT count(*) FROM campaigns WHERE id = ?`, id).Scan(&there); err == nil && e == nil && there == 0 {
				return fmt.Errorf("campaign %s: %w", id, ErrNotFound)
			}
			return errors.Join(err, fmt.Errorf("campaign %s: %w", id, ErrInUse))
		}
		if also != nil {
			if err := also(tx); err != nil {
				return fmt.Errorf("%s a campaign: %w", act, err)
			}
		}
		return s.audit(tx, by, "campaign."+act, "campaign/"+id, detail)
	})
}
