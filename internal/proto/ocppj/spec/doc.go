// Package spec holds what the specifications of OCPP 1.6, 2.0.1 and 2.1 say a
// message must look like, and checks messages against it.
//
// A Table knows for every action who may send it and, for request and response,
// each field with its type, length, range, list of words and number of elements.
// The check is complete and says every fault with its place. What a fault means
// is the caller's business: what we send must have none; what a station sends is
// read nevertheless and the faults are counted as quirks of its model.
//
// The facts are written in a notation of one line for each message (see
// notation.go) and read when a version is first asked for: half a millisecond
// that a process with no 2.1 station does not spend, and nothing global that two
// servers in one process would share.
package spec

//go:generate go run gen/main.go

import (
	"slices"
	"sync"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// Direction says who sends a request.
type Direction uint8

// The directions. DataTransfer goes both ways.
const (
	FromStation Direction = 1 << iota
	ToStation
)

// Table is the knowledge of all versions. It is safe for concurrent use.
type Table struct {
	v16, v201, v21 func() map[string]*message
}

// New returns a table; it is cheap until the table is asked.
func New() *Table {
	read := func(text string) func() map[string]*message {
		return sync.OnceValue(func() map[string]*message { return parseTable(text) })
	}
	return &Table{v16: read(table16), v201: read(table201), v21: read(table21)}
}

// message is what is known of one action.
type message struct {
	name     string
	from     Direction
	request  *shape
	response *shape // nothing for a SEND
}

func (t *Table) messages(v ocppj.Version) map[string]*message {
	switch v {
	case ocppj.V16:
		return t.v16()
	case ocppj.V201:
		return t.v201()
	case ocppj.V21:
		return t.v21()
	default:
		return nil
	}
}

// Known says whether the version has the action.
func (t *Table) Known(v ocppj.Version, action string) bool {
	return t.messages(v)[action] != nil
}

// Sent says whether the version lets that side send the action.
func (t *Table) Sent(v ocppj.Version, action string, d Direction) bool {
	m := t.messages(v)[action]
	return m != nil && m.from&d != 0
}

// FromStation says whether a station may send the action.
func (t *Table) FromStation(v ocppj.Version, action string) bool {
	return t.Sent(v, action, FromStation)
}

// ToStation says whether the action may be sent to a station.
func (t *Table) ToStation(v ocppj.Version, action string) bool {
	return t.Sent(v, action, ToStation)
}

// Answered says whether the action is a CALL, not a SEND that gets no answer.
func (t *Table) Answered(v ocppj.Version, action string) bool {
	m := t.messages(v)[action]
	return m != nil && m.response != nil
}

// Actions lists the actions that side may send, sorted.
func (t *Table) Actions(v ocppj.Version, d Direction) []string {
	var all []string
	for name, m := range t.messages(v) {
		if m.from&d != 0 {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
