package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// Token is an OCPP idToken: what events call it and what was shown. Value is
// empty once it was erased.
type Token struct {
	ID    string
	Type  string // OCPP 2.x IdTokenEnumType; empty when only 1.6 showed it
	Value string
}

// MaxTokenLength is what we keep of a token value; OCPP 2.1 allows 255.
const MaxTokenLength = 255

// OverflowToken stands for any unknown token once the table is full: someone
// shows endless new ones, and they are refused without being kept.
const OverflowToken = "t-overflow"

func (s *Store) countTokens(ctx context.Context) error {
	return s.query(ctx, "tokens", `SELECT count(*) FROM tokens`, nil, func(r *sql.Rows) error {
		var n int64
		err := r.Scan(&n)
		s.tokenCount.Store(n)
		return err
	})
}

// Intern returns the opaque id of a token, new at first sight and then on disk
// before Intern returns. Values compare without regard to case, as OCPP asks. A
// token without type (OCPP 1.6) is any token of that value; one of unknown type
// takes the first type it is shown with.
func (s *Store) Intern(ctx context.Context, typ, value string) (string, error) {
	if value == "" {
		return "", nil
	}
	if id, ok := s.pinShown(typ, value); ok {
		return id, nil
	}
	t := Token{Type: typ, Value: clip(value, MaxTokenLength)}
	if id, ok := s.tokens.byValue(t); ok {
		return id, nil
	}
	return s.intern.do(ctx, t, s.internAll)
}

// internAll looks up or creates tokens in one transaction.
func (s *Store) internAll(ctx context.Context, wanted []Token) ([]string, error) {
	ids := make([]string, len(wanted))
	found := make([]Token, len(wanted))
	added := int64(0)
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		added = 0
		for i, t := range wanted {
			folded := strings.ToLower(t.Value)
			x := &found[i]
			err := tx.QueryRow(`SELECT id, type, value FROM tokens WHERE folded = ?1 AND (?2 = '' OR type = ?2 OR type = '')
				ORDER BY type = ?2 DESC, first_seen, id LIMIT 1`, folded, t.Type).Scan(&x.ID, &x.Type, &x.Value)
			switch {
			case errors.Is(err, sql.ErrNoRows) && s.tokenCount.Load()+added >= s.maxTokens:
				*x, err = Token{ID: OverflowToken}, nil
			case errors.Is(err, sql.ErrNoRows):
				added++
				*x = Token{ID: newID("t-"), Type: t.Type, Value: t.Value}
				_, err = tx.Exec(`INSERT INTO tokens (id, type, value, folded, first_seen) VALUES (?,?,?,?,?)`,
					x.ID, t.Type, t.Value, folded, millis(s.now()))
			case err == nil && x.Type == "" && t.Type != "":
				x.Type = t.Type
				_, err = tx.Exec(`UPDATE tokens SET type = ? WHERE id = ?`, t.Type, x.ID)
			}
			if err != nil {
				return fmt.Errorf("intern token: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.tokenCount.Add(added)
	for i, t := range wanted {
		if ids[i] = found[i].ID; ids[i] == OverflowToken {
			continue
		}
		s.tokens.put(found[i], t.Type)
	}
	return ids, nil
}

// Tokens returns what stands behind opaque ids; unknown and erased ones are
// left out.
func (s *Store) Tokens(ctx context.Context, ids ...string) (map[string]Token, error) {
	out := make(map[string]Token, len(ids))
	var missing []any
	for _, id := range ids {
		if t, ok := s.tokens.byID(id); ok {
			out[id] = t
		} else if id != "" {
			missing = append(missing, id)
		}
	}
	for len(missing) > 0 {
		n := min(len(missing), 500)
		err := s.query(ctx, "tokens", `SELECT id, type, value FROM tokens WHERE value IS NOT NULL AND id IN (?`+
			strings.Repeat(",?", n-1)+`)`, missing[:n], func(r *sql.Rows) error {
			var t Token
			err := r.Scan(&t.ID, &t.Type, &t.Value)
			out[t.ID] = t
			return err
		})
		if err != nil {
			return nil, err
		}
		missing = missing[n:]
	}
	return out, nil
}

// FindToken returns the id of a token that was seen before.
func (s *Store) FindToken(ctx context.Context, value string) (id string, ok bool, err error) {
	err = s.query(ctx, "token", `SELECT id FROM tokens WHERE folded = ? ORDER BY first_seen, id LIMIT 1`,
		[]any{strings.ToLower(value)}, func(r *sql.Rows) error {
			ok = true
			return r.Scan(&id)
		})
	return id, ok, err
}

// EraseToken forgets a token's value and its credential. Events keep the id,
// which then leads nowhere; the same card shown again gets another.
func (s *Store) EraseToken(ctx context.Context, by Actor, id string) error {
	err := s.db.Write(ctx, func(tx *sql.Tx) error {
		res, err := tx.Exec(`UPDATE tokens SET value = NULL, folded = NULL WHERE id = ?`, id)
		if err != nil {
			return fmt.Errorf("erase token: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fmt.Errorf("token %s: %w", id, ErrNotFound))
		}
		for _, text := range []string{
			`DELETE FROM credentials WHERE token_id = ?`,
			`UPDATE local_lists SET stale = 1 WHERE station IN (SELECT station FROM local_list_entries WHERE token_id = ?)`, `DELETE FROM local_list_entries WHERE token_id = ?`,
		} {
			if _, err := tx.Exec(text, id); err != nil {
				return fmt.Errorf("erase token: %w", err)
			}
		}
		return s.audit(tx, by, "token.erase", "idToken/"+id, nil)
	})
	if err == nil {
		s.tokens.drop(id)
		s.credentials.drop(id)
		s.forgetPIN(id)
	}
	return err
}

// tokenCache keeps the tokens met lately, both ways. A full cache drops its
// older half: two generations, the older of which refills the newer.
type tokenCache struct {
	mu    sync.Mutex
	limit int
	young tokenGeneration
	old   tokenGeneration
}

type tokenGeneration struct {
	ids    map[string]Token
	values map[tokenKey]string
}

type tokenKey struct{ folded, typ string }

func newTokenCache(limit int) *tokenCache {
	return &tokenCache{limit: limit, young: newTokenGeneration(), old: newTokenGeneration()}
}

func newTokenGeneration() tokenGeneration {
	return tokenGeneration{ids: make(map[string]Token), values: make(map[tokenKey]string)}
}

func (c *tokenCache) byValue(t Token) (string, bool) {
	key := tokenKey{strings.ToLower(t.Value), t.Type}
	c.mu.Lock()
	defer c.mu.Unlock()
	if id, ok := c.young.values[key]; ok {
		return id, true
	}
	id, ok := c.old.values[key]
	if ok {
		t := c.old.ids[id]
		c.insert(t, key)
	}
	return id, ok
}

func (c *tokenCache) byID(id string) (Token, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.young.ids[id]; ok {
		return t, true
	}
	t, ok := c.old.ids[id]
	return t, ok
}

// put remembers a token under the type it was asked for with.
func (c *tokenCache) put(t Token, typ string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(t, tokenKey{strings.ToLower(t.Value), typ})
}

func (c *tokenCache) insert(t Token, key tokenKey) {
	if len(c.young.values) >= c.limit/2 {
		c.old, c.young = c.young, newTokenGeneration()
	}
	c.young.ids[t.ID] = t
	c.young.values[key] = t.ID
}

func (c *tokenCache) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range []tokenGeneration{c.young, c.old} {
		delete(g.ids, id)
		for key, have := range g.values {
			if have == id {
				delete(g.values, key)
			}
		}
	}
}

// internQueue joins lookups that wait at the same time into one transaction:
// the first to come does the work of all.
type internQueue struct {
	mu      sync.Mutex
	busy    bool
	waiting []*internCall
}

type internCall struct {
	token Token
	id    string
	err   error
	done  chan struct{}
}

func (q *internQueue) do(ctx context.Context, t Token, work func(context.Context, []Token) ([]string, error)) (string, error) {
	call := &internCall{token: t, done: make(chan struct{})}
	q.mu.Lock()
	q.waiting = append(q.waiting, call)
	lead := !q.busy
	q.busy = true
	q.mu.Unlock()
	if lead {
		q.lead(context.WithoutCancel(ctx), work)
	}
	select {
	case <-call.done:
		return call.id, call.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

func (q *internQueue) lead(ctx context.Context, work func(context.Context, []Token) ([]string, error)) {
	for {
		q.mu.Lock()
		calls := q.waiting
		if len(calls) > 512 {
			calls = calls[:512]
		}
		q.waiting = q.waiting[len(calls):]
		if len(calls) == 0 {
			q.busy, q.waiting = false, nil
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		tokens := make([]Token, len(calls))
		for i, c := range calls {
			tokens[i] = c.token
		}
		ids, err := work(ctx, tokens)
		for i, c := range calls {
			if c.err = err; err == nil {
				c.id = ids[i]
			}
			close(c.done)
		}
	}
}
