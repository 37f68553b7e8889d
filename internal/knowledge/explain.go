package knowledge

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

//go:embed packs/*.json
var embedded embed.FS

// builtin lists the embedded packs in the order in which they are read: an entry
// may refer to those before it.
func builtin() []string {
	return []string{"ocpp16.json", "mrec.json", "ocpp2.json", "security.json", "detectors.json", "vendors.json"}
}

// File is a pack of the operator as its folder gave it.
type File struct {
	Name string
	Data []byte
	Err  error // it could not be read
}

// State is what became of a pack.
type State struct {
	Name       string
	Title      Text
	Version    string
	Layer      Layer
	Entries    int
	Unverified int
	Faults     Faults // not empty: it was refused, and nothing of it is used
}

// Knowledge answers what codes mean. It does not change.
type Knowledge struct {
	states []State
	keyed  map[string][]*Entry // by what a query has to hold
	loose  []*Entry            // those that only part of an info gives away
	byID   map[string]*Entry
}

// Open brings the embedded packs and those of the operator together. A pack of
// the operator with a fault is left out, see States; the error is about ours.
func Open(files ...File) (*Knowledge, error) {
	k := &Knowledge{keyed: make(map[string][]*Entry), byID: make(map[string]*Entry)}
	for _, name := range builtin() {
		data, err := embedded.ReadFile("packs/" + name)
		if err != nil {
			return nil, fmt.Errorf("reading the embedded pack %s: %w", name, err)
		}
		p, err := Parse(name, data)
		if err == nil {
			err = k.add(p)
		}
		if err != nil {
			return nil, fmt.Errorf("the embedded pack %s: %w", name, err)
		}
	}
	for _, f := range files {
		err := f.Err
		var p Pack
		if err == nil {
			if p, err = Parse(f.Name, f.Data); err == nil {
				p.Layer = LayerUser
				err = k.add(p)
			}
		}
		if err != nil {
			var faults Faults
			if !errors.As(err, &faults) {
				faults = Faults{{File: f.Name, Text: err.Error()}}
			}
			k.states = append(k.states, State{Name: f.Name, Layer: LayerUser, Faults: faults})
		}
	}
	return k, nil
}

// add takes a pack as a whole or not at all.
func (k *Knowledge) add(p Pack) error {
	state := State{Name: p.Name, Title: p.Title, Version: p.Version, Layer: p.Layer, Entries: len(p.Entries)}
	own := make(map[string]*Entry, len(p.Entries))
	var faults Faults
	for i := range p.Entries {
		e := &p.Entries[i]
		e.Pack, e.Layer = p.Name, p.Layer
		if e.like != "" {
			other := cmp.Or(own[e.like], k.byID[e.like])
			if other == nil {
				faults = append(faults, Fault{File: p.Name, Line: e.line, Entry: e.ID, Field: "like", Text: fmt.Sprintf("there is no entry %.100s before this one", e.like)})
				continue
			}
			e.inherit(other)
			if e.Safety && e.Reset == ResetYes {
				faults = append(faults, Fault{File: p.Name, Line: e.line, Entry: e.ID, Field: "reset", Text: "a danger is never reset away: no or never"})
			}
		}
		if !e.Verified {
			state.Unverified++
		}
		own[e.ID] = e
	}
	if len(faults) > 0 {
		return faults[:min(len(faults), maxFaults)]
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		if _, taken := k.byID[e.ID]; !taken { // the embedded ones keep their names
			k.byID[e.ID] = e
		}
		e.low = e.Match.lower()
		if key := e.low.key(); key != "" {
			k.keyed[key] = append(k.keyed[key], e)
		} else {
			k.loose = append(k.loose, e)
		}
	}
	k.states = append(k.states, state)
	return nil
}

// inherit takes from another entry what this one does not say. Where a statement
// is from and whether it was verified is its own.
func (e *Entry) inherit(other *Entry) {
	or := func(own *Text, theirs Text) {
		if *own == (Text{}) {
			*own = theirs
		}
	}
	or(&e.Title, other.Title)
	or(&e.Meaning, other.Meaning)
	e.Acts = cmp.Or(e.Acts, other.Acts)
	e.Severity = cmp.Or(e.Severity, other.Severity)
	e.Reset = cmp.Or(e.Reset, other.Reset)
	if !e.safetyGiven {
		e.Safety = other.Safety
	}
	if e.Remedy == (Remedy{}) {
		e.Remedy = other.Remedy
	}
	if e.Parts == nil {
		e.Parts = other.Parts
	}
	if e.Checks == nil {
		e.Checks = other.Checks
	}
}

// States tells what became of each pack, embedded ones first.
func (k *Knowledge) States() []State { return slices.Clone(k.states) }

// Entry returns an entry by its id; those of embedded packs come first.
func (k *Knowledge) Entry(id string) (Entry, bool) {
	e, ok := k.byID[id]
	if !ok {
		return Entry{}, false
	}
	return *e, true
}

// Explain returns the entry that says most about an error: a pack of the
// operator before one of a vendor, a vendor's before a public set, that before
// the protocol; among those of a layer the one that names more, then the more
// severe. A station may report several codes at once.
func (k *Knowledge) Explain(q Query) (Entry, bool) {
	a := ask(q)
	var best *Entry
	consider := func(list []*Entry) {
		for _, e := range list {
			if e.low.fits(a) && (best == nil || better(e, best)) {
				best = e
			}
		}
	}
	for _, key := range a.keys {
		consider(k.keyed[key])
	}
	if a.info != "" {
		consider(k.loose)
	}
	if best == nil {
		return Entry{}, false
	}
	return *best, true
}

func better(a, b *Entry) bool {
	return cmp.Or(
		cmp.Compare(b.Layer.rank(), a.Layer.rank()),
		cmp.Compare(b.Match.weight(), a.Match.weight()),
		strings.Compare(string(a.Severity), string(b.Severity)),
		strings.Compare(a.Pack, b.Pack),
		strings.Compare(a.ID, b.ID),
	) < 0
}
