package sim

const maxLocalList = 1000

// localList is the station's own authorisation list.
type localList struct {
	version int
	entries map[string]bool // token to accepted; nil until the first list
}

// update applies SendLocalList. An entry without information removes the
// token.
func (l *localList) update(full bool, version int, add map[string]bool, remove []string) string {
	if !full && version <= l.version {
		return "VersionMismatch"
	}
	entries := make(map[string]bool)
	if !full {
		for k, v := range l.entries {
			entries[k] = v
		}
	}
	for k, v := range add {
		entries[k] = v
	}
	for _, k := range remove {
		delete(entries, k)
	}
	if len(entries) > maxLocalList {
		return "Failed"
	}
	l.version, l.entries = version, entries
	return "Accepted"
}
