package sim

import (
	"slices"
	"strings"
	"time"
)

const maxLocalList = 1000

// localList is the station's own authorisation list.
type localList struct {
	version int
	entries map[string]listEntry // by token in small letters; nil until the first list
}

// listEntry is what the list says of a token.
type listEntry struct {
	accepted bool
	until    time.Time // zero: for good
}

// update applies SendLocalList. An entry without information removes the
// token.
func (l *localList) update(full bool, version int, add map[string]listEntry, remove []string) string {
	if !full && version <= l.version {
		return "VersionMismatch"
	}
	entries := make(map[string]listEntry)
	if !full {
		for k, v := range l.entries {
			entries[k] = v
		}
	}
	for k, v := range add {
		entries[strings.ToLower(k)] = v
	}
	for _, k := range remove {
		delete(entries, strings.ToLower(k))
	}
	if len(entries) > maxLocalList {
		return "Failed"
	}
	l.version, l.entries = version, entries
	return "Accepted"
}

// servesAlone decides about a token while the central system is not heard: by the
// list, then as its settings say about cards that are not on it. Those it served
// before are in its cache.
func (st *station) servesAlone(token Token) bool {
	id := token.ID
	if st.version == V16 {
		id = token.tag()
	}
	if st.set.localList && st.set.offline {
		if e, ok := st.list.entries[strings.ToLower(id)]; ok {
			return e.accepted && (e.until.IsZero() || st.now.Before(e.until))
		}
	}
	return (st.set.cache && st.set.offline || st.set.offlineUnknown) && !slices.Contains(st.f.o.Plan.Strangers, token)
}
