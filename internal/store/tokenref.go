package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// PutTokens puts the values of tokens in the place of references to them: the form in
// which a station reads a payload. One that was forgotten is an ErrNotFound.
func (s *Store) PutTokens(ctx context.Context, payload string) (string, error) {
	const mark = `"` + TokenRefPrefix
	if !strings.Contains(payload, mark) {
		return payload, nil
	}
	var ids []string
	for rest := payload; ; {
		_, after, found := strings.Cut(rest, mark)
		if !found {
			break
		}
		id, tail, _ := strings.Cut(after, `"`)
		ids, rest = append(ids, id), tail
	}
	values, err := s.Tokens(ctx, ids...)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	rest := payload
	for _, id := range ids {
		t, ok := values[id]
		if !ok || t.Value == "" {
			return "", fmt.Errorf("token %s: %w", id, ErrNotFound)
		}
		quoted, err := json.Marshal(t.Value)
		if err != nil {
			return "", fmt.Errorf("write token %s: %w", id, err)
		}
		before, after, _ := strings.Cut(rest, mark+id+`"`)
		out.WriteString(before)
		out.Write(quoted)
		rest = after
	}
	out.WriteString(rest)
	return out.String(), nil
}
