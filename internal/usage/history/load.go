package history

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/telemetry"
	"github.com/chargewatch/chargewatch/internal/usage/rollup"
)

// account is what one port of a unit is counted from.
type account struct {
	evse    int
	ratedW  float64
	current string
	tries   map[int64]*rollup.Tries // by day
	rollup.Track
}

// sources is everything a unit is counted from over some days.
type sources struct {
	site     string
	accounts map[int]*account
}

func (x *sources) of(evse int) *account {
	a := x.accounts[evse]
	if a == nil {
		a = &account{evse: evse}
		x.accounts[evse] = a
	}
	return a
}

// gather reads the sources of a unit for some days. Live sources are left out of
// days that retention has reached.
func (s *Store) gather(ctx context.Context, u unit, from, to int64, live bool) (*sources, error) {
	now := s.o.Now()
	x := &sources{site: u.owner, accounts: make(map[int]*account)}
	st, here := s.o.Journal.Snapshot().Station(u.station)
	if err := s.portsOf(ctx, x, u, here); err != nil {
		return nil, err
	}
	if u.owner == "" {
		if err := s.hear(ctx, x, u.station, from, to, now, live); err != nil {
			return nil, err
		}
	}
	if u.owner == "" || !here || st.SiteID != u.owner { // else it is counted as the station that we hear
		if err := s.recall(ctx, x, u, from, to); err != nil {
			return nil, err
		}
	}
	for _, a := range x.accounts {
		if a.Now.IsZero() {
			a.Now = now
		}
		a.RatedW = a.ratedW
		if err := s.measure(ctx, u.station, a); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// hear reads what a station itself told.
func (s *Store) hear(ctx context.Context, x *sources, id string, from, to int64, now time.Time, live bool) error {
	st, here := s.o.Journal.Snapshot().Station(id)
	if here {
		x.site = st.SiteID
		for i := range st.EVSEs {
			a := x.of(st.EVSEs[i].ID)
			if l := st.EVSEs[i].Layout; l != nil {
				a.ratedW, a.current = l.RatedW, l.Current
			}
		}
	} else {
		removed, err := s.removed(ctx)
		if err != nil {
			return err
		}
		if at, ok := removed[id]; ok {
			now = at
		}
	}
	if !live {
		return nil
	}
	begin, end := beginOf(from), beginOf(to)
	if end.After(now) {
		end = now
	}
	sessions, err := s.sessions(ctx, id, begin, end)
	if err != nil {
		return err
	}
	for _, o := range sessions {
		if o.EVSE <= 0 {
			continue
		}
		if !here && x.site == "" {
			x.site = o.SiteID
		}
		a := x.of(o.EVSE)
		a.Stays = append(a.Stays, stayOf(o))
		if o.StartedAt.Before(begin) {
			begin = o.StartedAt
		}
	}
	if kept := now.Add(-s.o.Journal.Kept().History + time.Hour); begin.Before(kept) {
		begin = kept
	}
	if !begin.Before(end) {
		return nil
	}
	links, err := s.o.Journal.States(ctx, journal.StateQuery{Station: id, From: begin, To: end})
	if err != nil {
		return fmt.Errorf("read connections: %w", err)
	}
	// A run at work is found by its last sign of life, which is some seconds old.
	observed, err := s.o.Journal.Observed(ctx, begin.Add(-time.Hour), end)
	if err != nil {
		return fmt.Errorf("read when we were up: %w", err)
	}
	away := gaps(observed, begin, end)
	for _, a := range x.accounts {
		a.Links, a.Away, a.Now = links, away, now
		if a.States, err = s.o.Journal.States(ctx, journal.StateQuery{Station: id, EVSE: a.evse, From: begin, To: end}); err != nil {
			return fmt.Errorf("read states: %w", err)
		}
	}
	return s.hearTries(ctx, x, id, beginOf(from), end, now)
}

func (s *Store) hearTries(ctx context.Context, x *sources, id string, from, to, now time.Time) error {
	if len(x.accounts) == 0 {
		return nil
	}
	first := slices.Min(slices.Collect(maps.Keys(x.accounts)))
	tries, err := s.tries(ctx, id, first, from, to, now)
	if err != nil {
		return err
	}
	for evse, days := range tries {
		if a, ok := x.accounts[evse]; ok {
			a.tries = days
		}
	}
	return nil
}

// portsOf adds ports that a unit had once, and where a removed station stood.
func (s *Store) portsOf(ctx context.Context, x *sources, u unit, here bool) error {
	rows, err := s.db.read.QueryContext(ctx, `SELECT evse, site, rated_w, current FROM port WHERE owner = ? AND station = ?`, u.owner, u.station)
	if err != nil {
		return fmt.Errorf("find ports: %w", err)
	}
	return each(rows, func() error {
		var evse int
		var site, current string
		var rated float64
		if err := rows.Scan(&evse, &site, &rated, &current); err != nil {
			return fmt.Errorf("find ports: %w", err)
		}
		a := x.of(evse)
		if u.owner == "" && !here { // nobody else knows it any more
			x.site, a.ratedW, a.current = site, rated, current
		}
		return nil
	})
}

// sessions lists a station's sessions that touch a time.
func (s *Store) sessions(ctx context.Context, station string, from, to time.Time) ([]*fleet.Session, error) {
	var out []*fleet.Session
	q := journal.SessionQuery{Station: station, From: from, To: to, Limit: journal.MaxLimit}
	for {
		page, next, err := s.o.Journal.Sessions(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("read sessions: %w", err)
		}
		out = append(out, page...)
		if q.Before = next; next == "" {
			return out, nil
		}
	}
}

func stayOf(o *fleet.Session) rollup.Stay {
	x := rollup.Stay{Session: rollup.Session{
		Station: o.Station, EVSE: o.EVSE, Start: o.StartedAt, End: o.EndedAt, EnergyWh: o.EnergyWh, PeakW: o.PeakPowerW,
		Token: anonymous(o.TokenID),
	}}
	if o.EnergyWh == 0 && o.MeterStartWh == nil && o.MeterStopWh == nil {
		x.EnergyWh = math.NaN()
	}
	if o.State == fleet.SessionActive {
		x.Open, x.End = true, time.Time{}
	}
	return x
}

// anonymous is a name for a token that stays the same and says nothing. What it
// is made from is no token either but our own word for one.
func anonymous(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("usage\x00" + token))
	return hex.EncodeToString(sum[:8])
}

func gaps(observed []journal.Interval, from, to time.Time) []rollup.Span {
	var out []rollup.Span
	for _, o := range observed {
		if o.From.After(from) {
			out = append(out, rollup.Span{From: from, To: o.From})
		}
		if o.To.After(from) {
			from = o.To
		}
	}
	if from.Before(to) {
		out = append(out, rollup.Span{From: from, To: to})
	}
	return out
}

const (
	curveStep = time.Minute
	// curveMost bounds the measured power of one session; longer ones are spread by
	// what their port said.
	curveMost = 45 * 24 * 60
	register  = "Energy.Active.Import.Register"
)

// measure reads the power that was measured in sessions we heard.
func (s *Store) measure(ctx context.Context, station string, a *account) error {
	if s.o.Curves == nil {
		return nil
	}
	minutes := make(map[int64]float64)
	for i := range a.Stays {
		x := &a.Stays[i]
		end := x.End
		if x.Open {
			end = a.Now
		}
		if x.Imported || !x.Start.Before(end) || end.Sub(x.Start) > curveMost*curveStep {
			continue
		}
		if err := s.power(ctx, telemetry.Port{Station: station, EVSE: a.evse}, x.Start, end, minutes); err != nil {
			return err
		}
	}
	if len(minutes) == 0 {
		return nil
	}
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for m := range maps.Keys(minutes) {
		first, last = min(first, m), max(last, m)
	}
	w := make([]float64, last-first+1)
	for i := range w {
		w[i] = math.NaN()
	}
	for m, v := range minutes {
		w[m-first] = v
	}
	a.Curve = rollup.Curve{From: time.Unix(first*60, 0).UTC(), Step: curveStep, W: w}
	return nil
}

// power reads the mean power of minutes: as it was measured, else from what the
// register counted between two readings.
func (s *Store) power(ctx context.Context, p telemetry.Port, from, to time.Time, into map[int64]float64) error {
	from = from.Truncate(curveStep)
	n := int((to.Sub(from) + curveStep - 1) / curveStep)
	flow, err := s.o.Curves.Flow(ctx, p, from, curveStep, n)
	if errors.Is(err, telemetry.ErrBeforeHorizon) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read power: %w", err)
	}
	first, found := from.Unix()/60, false
	for i, ms := range flow.Millis {
		if ms > 0 {
			into[first+int64(i)], found = flow.WattMillis[i]/float64(ms), true
		}
	}
	if found {
		return nil
	}
	readings, err := s.o.Curves.Range(ctx, telemetry.Query{Port: p, Measurand: register, From: from, To: to.Add(curveStep), Step: curveStep, Points: n + 2})
	if err != nil {
		return fmt.Errorf("read the register: %w", err)
	}
	scale := 1.0
	if readings.Unit == "kWh" {
		scale = 1000
	}
	for i := 1; i < len(readings.Points); i++ {
		a, b := &readings.Points[i-1], &readings.Points[i]
		wh := (b.Max - a.Max) * scale
		span := b.At.Sub(a.At)
		if wh < 0 || span <= 0 {
			continue
		}
		for at := a.At; at.Before(b.At); at = at.Add(curveStep) {
			into[at.Unix()/60] = wh / span.Hours()
		}
	}
	return nil
}

// recall reads what imports tell of a unit.
func (s *Store) recall(ctx context.Context, x *sources, u unit, from, to int64) error {
	rows, err := s.o.DB.Reader().QueryContext(ctx, `SELECT evse_id, first_at, last_at, rated_w FROM past_evse WHERE site_id = ? AND station_id = ?
		ORDER BY evse_id, first_at`, x.site, u.station)
	if err != nil {
		return fmt.Errorf("find imported ports: %w", err)
	}
	var ports []int
	err = each(rows, func() error {
		var evse int
		var first, last int64
		var rated sql.NullFloat64
		if err := rows.Scan(&evse, &first, &last, &rated); err != nil {
			return err
		}
		a := x.of(evse)
		a.Covered = cover(a.Covered, time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC())
		if a.ratedW == 0 && rated.Valid {
			a.ratedW = rated.Float64
		}
		if !slices.Contains(ports, evse) {
			ports = append(ports, evse)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read imported ports: %w", err)
	}
	for _, evse := range ports {
		a := x.of(evse)
		if a.ratedW == 0 {
			if a.ratedW, err = s.usualPower(ctx, x.site, u.station, evse); err != nil {
				return err
			}
		}
		if err := s.recallStays(ctx, a, x.site, u.station, from, to); err != nil {
			return err
		}
	}
	return nil
}

// cover joins spans that touch; they come by their begin.
func cover(list []rollup.Span, from, to time.Time) []rollup.Span {
	if n := len(list); n > 0 && !from.After(list[n-1].To) {
		if to.After(list[n-1].To) {
			list[n-1].To = to
		}
		return list
	}
	return append(list, rollup.Span{From: from, To: to})
}

// longestPast is how long before a day an imported session that reaches into it
// may have begun.
const longestPast = 62

func (s *Store) recallStays(ctx context.Context, a *account, site, station string, from, to int64) error {
	rows, err := s.o.DB.Reader().QueryContext(ctx, `SELECT start_at, end_at, charging_end_at, energy_wh, peak_w, token_ref FROM past_session
		WHERE site_id = ? AND station_id = ? AND evse_id = ? AND start_at >= ? AND start_at < ? AND end_at >= ? ORDER BY start_at`,
		site, station, a.evse, beginOf(from-longestPast).UnixMilli(), beginOf(to).UnixMilli(), beginOf(from).UnixMilli())
	if err != nil {
		return fmt.Errorf("find imported sessions: %w", err)
	}
	err = each(rows, func() error {
		var start, end int64
		var charged sql.NullInt64
		var wh, peak sql.NullFloat64
		var token sql.NullString
		if err := rows.Scan(&start, &end, &charged, &wh, &peak, &token); err != nil {
			return err
		}
		x := rollup.Stay{Session: rollup.Session{
			Station: station, EVSE: a.evse, Start: time.UnixMilli(start).UTC(), End: time.UnixMilli(end).UTC(), EnergyWh: math.NaN(),
			PeakW: peak.Float64, Token: anonymous(token.String), Imported: true,
		}}
		if wh.Valid {
			x.EnergyWh = wh.Float64
		}
		if charged.Valid {
			x.ChargingEnd = time.UnixMilli(charged.Int64).UTC()
		}
		a.Stays = append(a.Stays, x)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read imported sessions: %w", err)
	}
	return nil
}

// usual are the powers that ports are built for, in watts.
func usual() []float64 {
	return []float64{3700, 7400, 11_000, 22_000, 50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 400_000}
}

// usualPower guesses what an imported port delivers: the next usual power above
// the mean of all but its slowest nine sessions in ten.
func (s *Store) usualPower(ctx context.Context, site, station string, evse int) (float64, error) {
	const tell = `FROM past_session WHERE site_id = ?1 AND station_id = ?2 AND evse_id = ?3 AND energy_wh > 0 AND end_at - start_at >= 600000`
	var w sql.NullFloat64
	err := s.o.DB.Reader().QueryRowContext(ctx, `SELECT energy_wh * 3600000.0 / (end_at - start_at) AS w `+tell+`
		ORDER BY w LIMIT 1 OFFSET (SELECT count(*) * 9 / 10 `+tell+`)`, site, station, evse).Scan(&w)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read how imported sessions charged: %w", err)
	}
	for _, p := range usual() {
		if w.Float64 <= p {
			return p, nil
		}
	}
	return w.Float64, nil
}
