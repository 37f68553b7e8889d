package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
)

// MinTail is how many characters of a token's end must be known to look for it.
const MinTail = 4

// tailLength is how many characters of the end the index holds.
const tailLength = 8

// TokensByTail returns tokens whose value ends with a text, at most limit, those
// with the whole value first.
func (s *Store) TokensByTail(ctx context.Context, tail string, limit int) ([]Token, error) {
	folded := strings.ToLower(tail)
	back := []rune(folded)
	if len(back) < MinTail || len(tail) > MaxTokenLength {
		return nil, nil
	}
	slices.Reverse(back)
	from := string(back[:min(len(back), tailLength)])
	var whole, rest []Token
	// Among tokens with the same last characters a longer end is looked for in
	// what the index gave, which is bounded.
	err := s.query(ctx, "tokens", `SELECT id, type, value, folded FROM tokens INDEXED BY tokens_tail
		WHERE folded IS NOT NULL AND tail >= ? AND tail < ? LIMIT ?`,
		[]any{from, from + "\U0010FFFF", max(limit, 200)}, func(r *sql.Rows) error {
			var t Token
			var have string
			if err := r.Scan(&t.ID, &t.Type, &t.Value, &have); err != nil {
				return err
			}
			switch {
			case have == folded:
				whole = append(whole, t)
			case strings.HasSuffix(have, folded):
				rest = append(rest, t)
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	all := append(whole, rest...)
	return all[:min(len(all), limit)], nil
}
