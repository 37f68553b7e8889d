package incident

import (
	"errors"
	"time"
)

// ErrNotFound is returned for an incident that never was.
var ErrNotFound = errors.New("no such incident")

// Query selects incidents that are kept. Zero fields select all.
type Query struct {
	States     []string
	Severities []string
	Kinds      []string
	Sites      []string // nil: all
	Discreet   []string // sites whose discreet ones are told too; nil: all
	Subject    string   // station/ID or station/ID/EVSE: those that name it or a part of it
	Parent     string   // those folded into it
	From, To   time.Time
	NotProven  bool // only those that recovered and that nobody has proven
	Children   bool // those folded into another too
	Before     string
	Limit      int
}
