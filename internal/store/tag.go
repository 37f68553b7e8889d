package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of tags: what people call some of the stations.
const (
	MaxTags      = 20 // of one station
	MaxTagLength = 32 // characters
	MaxTagged    = 1000
)

// HasTag reports whether people call the station so; case does not count.
func (e *Enrolment) HasTag(tag string) bool {
	return slices.ContainsFunc(e.Tags, func(t string) bool { return strings.EqualFold(t, tag) })
}

// cleanTags trims a list, leaves out repetitions and sorts it.
func cleanTags(field string, list []string) ([]string, error) {
	var out []string
	for i, tag := range list {
		tag = strings.TrimSpace(tag)
		if n := utf8.RuneCountInString(tag); n == 0 || n > MaxTagLength || !readable(tag, false) || strings.Contains(tag, ",") {
			return nil, &InvalidError{fmt.Sprintf("%s[%d]", field, i), fmt.Sprintf("1 to %d printable characters without a comma", MaxTagLength)}
		}
		if !slices.ContainsFunc(out, func(t string) bool { return strings.EqualFold(t, tag) }) {
			out = append(out, tag)
		}
	}
	if len(out) > MaxTags {
		return nil, &InvalidError{field, fmt.Sprintf("at most %d", MaxTags)}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return out, nil
}

func encodeTags(list []string) (string, error) {
	if len(list) == 0 {
		return "", nil
	}
	data, err := json.Marshal(list)
	if err != nil {
		return "", fmt.Errorf("encode tags: %w", err)
	}
	return string(data), nil
}

// TagStations adds tags to stations and takes others from them, all or none.
// It returns those it changed, as they were, so that it can be undone.
func (s *Store) TagStations(ctx context.Context, by Actor, ids, add, remove []string) (before map[string][]string, err error) {
	if len(ids) == 0 || len(ids) > MaxTagged {
		return nil, &InvalidError{"stations", fmt.Sprintf("1 to %d", MaxTagged)}
	}
	if add, err = cleanTags("add", add); err != nil {
		return nil, err
	}
	if remove, err = cleanTags("remove", remove); err != nil {
		return nil, err
	}
	defer s.lockAll(ids)()
	before = make(map[string][]string)
	next := make(map[string]*Enrolment)
	for _, id := range ids {
		old, ok := s.stations.get(id)
		if !ok {
			return nil, fmt.Errorf("station %s: %w", id, ErrNotFound)
		}
		kept := slices.DeleteFunc(slices.Clone(old.Tags), func(t string) bool {
			return slices.ContainsFunc(remove, func(r string) bool { return strings.EqualFold(r, t) })
		})
		tags, err := cleanTags("add", append(kept, add...))
		if err != nil {
			return nil, err
		}
		if slices.Equal(tags, old.Tags) {
			continue
		}
		e := *old
		e.Tags = tags
		before[id], next[id] = list(old.Tags), &e
	}
	if len(next) == 0 {
		return before, nil
	}
	err = s.db.Write(ctx, func(tx *sql.Tx) error {
		for id, e := range next {
			text, err := encodeTags(e.Tags)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(`UPDATE stations SET tags = ? WHERE id = ?`, text, id); err != nil {
				return fmt.Errorf("write tags: %w", err)
			}
		}
		return s.audit(tx, by, "station.tag", "stations", map[string]any{"stations": len(next), "add": add, "remove": remove})
	})
	if err != nil {
		return nil, err
	}
	for id, e := range next {
		s.stations.set(id, e)
	}
	return before, nil
}

func list(tags []string) []string {
	if tags == nil {
		return []string{}
	}
	return tags
}

// lockAll holds the locks of several entities, taken in one order.
func (s *Store) lockAll(ids []string) (unlock func()) {
	var wanted [len(s.entity)]bool
	for _, id := range ids {
		wanted[s.shard(id)] = true
	}
	for i := range wanted {
		if wanted[i] {
			s.entity[i].Lock()
		}
	}
	return func() {
		for i := range wanted {
			if wanted[i] {
				s.entity[i].Unlock()
			}
		}
	}
}
