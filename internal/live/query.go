package live

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chargewatch/chargewatch/internal/incident"
)

// Incident returns one as it stands.
func (l *Live) Incident(ctx context.Context, id string) (*incident.Incident, error) {
	var data string
	err := l.o.DB.Reader().QueryRowContext(ctx, `SELECT data FROM incidents WHERE id = ?`, id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("incident %q: %w", id, incident.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read incident %q: %w", id, err)
	}
	return decode(data)
}

func decode(data string) (*incident.Incident, error) {
	in := &incident.Incident{}
	if err := json.Unmarshal([]byte(data), in); err != nil {
		return nil, fmt.Errorf("decode an incident: %w", err)
	}
	return in, nil
}

// discreet is the condition of an incident that everybody may see, or that is at one of
// some sites.
func discreet(plain string, sites []string) (where string, args []any) {
	if len(sites) == 0 {
		return plain, nil
	}
	for _, id := range sites {
		args = append(args, id)
	}
	return `(` + plain + ` OR site IN (?` + strings.Repeat(",?", len(sites)-1) + `))`, args
}

// Incidents returns incidents, the newest first, and what to give as Before for
// the next page, empty at the end.
func (l *Live) Incidents(ctx context.Context, q incident.Query) ([]*incident.Incident, string, error) {
	var where []string
	var args []any
	in := func(column string, values []string) {
		where = append(where, column+" IN (?"+strings.Repeat(",?", len(values)-1)+")")
		for _, v := range values {
			args = append(args, v)
		}
	}
	for column, values := range map[string][]string{"state": q.States, "severity": q.Severities, "kind": q.Kinds} {
		if len(values) > 0 {
			in(column, values)
		}
	}
	if q.Sites != nil {
		if len(q.Sites) == 0 {
			return nil, "", nil
		}
		in("site", q.Sites)
	}
	if q.Discreet != nil {
		shown, of := discreet(`kind <> '`+incident.CodeDuress+`' AND instr(data, '"code":"`+incident.CodeDuress+`"') = 0`, q.Discreet)
		where, args = append(where, shown), append(args, of...)
	}
	if q.Subject != "" {
		where = append(where, `EXISTS (SELECT 1 FROM json_each(data, '$.subjects') WHERE value = ? OR value LIKE ? ESCAPE '\')`)
		args = append(args, q.Subject, escapeLike(q.Subject)+"/%")
	}
	if q.NotProven {
		where = append(where, `id IN (SELECT id FROM incident_measures WHERE not_proven = 1)`)
	}
	if !q.From.IsZero() {
		where = append(where, `(closed_at = 0 OR closed_at >= ?)`)
		args = append(args, q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		where = append(where, `opened_at < ?`)
		args = append(args, q.To.UnixMicro())
	}
	switch {
	case q.Parent != "":
		where, args = append(where, `parent = ?`), append(args, q.Parent)
	case !q.Children:
		where = append(where, `parent IS NULL`)
	}
	if q.Before != "" {
		where = append(where, `(opened_at, id) < (SELECT opened_at, id FROM incidents WHERE id = ?)`)
		args = append(args, q.Before)
	}
	text := `SELECT data FROM incidents`
	if len(where) > 0 {
		text += ` WHERE ` + strings.Join(where, ` AND `)
	}
	rows, err := l.o.DB.Reader().QueryContext(ctx, text+` ORDER BY opened_at DESC, id DESC LIMIT ?`, append(args, q.Limit+1)...)
	if err != nil {
		return nil, "", fmt.Errorf("list incidents: %w", err)
	}
	defer rows.Close()
	var out []*incident.Incident
	for rows.Next() {
		var data string
		if err := rows.Scan(&data); err != nil {
			return nil, "", fmt.Errorf("read an incident: %w", err)
		}
		one, err := decode(data)
		if err != nil {
			return nil, "", err
		}
		out = append(out, one)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("list incidents: %w", err)
	}
	if len(out) > q.Limit {
		out = out[:q.Limit]
		return out, out[q.Limit-1].ID, nil
	}
	return out, "", nil
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// Log returns what happened to an incident, the newest first.
func (l *Live) Log(ctx context.Context, id string, limit int) ([]incident.Logged, error) {
	rows, err := l.o.DB.Reader().QueryContext(ctx, `SELECT data FROM incident_log WHERE incident = ? ORDER BY seq DESC LIMIT ?`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("read what happened to an incident: %w", err)
	}
	defer rows.Close()
	var out []incident.Logged
	for rows.Next() {
		var data string
		var g incident.Logged
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("read what happened to an incident: %w", err)
		}
		if err := json.Unmarshal([]byte(data), &g); err != nil {
			return nil, fmt.Errorf("decode what happened to an incident: %w", err)
		}
		out = append(out, g)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read what happened to an incident: %w", err)
	}
	return out, nil
}
