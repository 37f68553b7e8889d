package event

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Subject names what an event is about. EVSE and Connector are zero where the
// event concerns the whole thing; in OCPP 1.6 connector 0 is the station.
type Subject struct {
	Type      SubjectType
	ID        string
	EVSE      int
	Connector int
}

// SubjectType is the closed set of things events are about.
type SubjectType string

// The things of a network.
const (
	ServerSubject  SubjectType = "server"
	StationSubject SubjectType = "station"
	SiteSubject    SubjectType = "site"
	CameraSubject  SubjectType = "camera"
	DoorSubject    SubjectType = "door"

	// ControllerSubject is what drives doors.
	ControllerSubject SubjectType = "controller"

	// OutputSubject is a siren, a light, a speaker or a relay.
	OutputSubject SubjectType = "output"

	IncidentSubject SubjectType = "incident"
)

// Station returns the subject of a whole station.
func Station(id string) Subject { return Subject{Type: StationSubject, ID: id} }

// Port returns the subject of a station's EVSE and, if not zero, connector.
func Port(id string, evse, connector int) Subject {
	return Subject{Type: StationSubject, ID: id, EVSE: evse, Connector: connector}
}

// Camera returns the subject of a camera.
func Camera(id string) Subject { return Subject{Type: CameraSubject, ID: id} }

// Door returns the subject of a door, gate, barrier or cabinet.
func Door(id string) Subject { return Subject{Type: DoorSubject, ID: id} }

// Controller returns the subject of a controller of doors.
func Controller(id string) Subject { return Subject{Type: ControllerSubject, ID: id} }

// Output returns the subject of a siren, a light, a speaker or a relay.
func Output(id string) Subject { return Subject{Type: OutputSubject, ID: id} }

// Site returns the subject of a site.
func Site(id string) Subject { return Subject{Type: SiteSubject, ID: id} }

// OfIncident returns the subject of an incident.
func OfIncident(id string) Subject { return Subject{Type: IncidentSubject, ID: id} }

// Self is the subject of our own start, stop and trouble.
func Self() Subject { return Subject{Type: ServerSubject, ID: "self"} }

// String renders the subject as the API shows it: station/ID/evse/connector.
func (s Subject) String() string {
	b := make([]byte, 0, len(s.Type)+len(s.ID)+8)
	b = append(b, s.Type...)
	b = append(b, '/')
	b = append(b, s.ID...)
	if s.EVSE != 0 || s.Connector != 0 {
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(s.EVSE), 10)
	}
	if s.Connector != 0 {
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(s.Connector), 10)
	}
	return string(b)
}

// ErrSubject is returned for text that names no subject.
var ErrSubject = errors.New("not a subject")

// ParseSubject reads what String wrote.
func ParseSubject(text string) (Subject, error) {
	kind, rest, ok := strings.Cut(text, "/")
	if !ok || kind == "" || rest == "" || rest[0] == '/' {
		return Subject{}, fmt.Errorf("%q: %w", text, ErrSubject)
	}
	s := Subject{Type: SubjectType(kind)}
	id, port, hasPort := strings.Cut(rest, "/")
	s.ID = id
	if !hasPort {
		return s, nil
	}
	evse, connector, hasConnector := strings.Cut(port, "/")
	var err error
	if s.EVSE, err = strconv.Atoi(evse); err != nil {
		return Subject{}, fmt.Errorf("%q: %w", text, ErrSubject)
	}
	if hasConnector {
		if s.Connector, err = strconv.Atoi(connector); err != nil {
			return Subject{}, fmt.Errorf("%q: %w", text, ErrSubject)
		}
	}
	return s, nil
}
