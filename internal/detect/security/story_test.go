package security

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/detect"
	"github.com/chargewatch/chargewatch/internal/event"
)

// A story is read line by line: SECONDS SUBJECT WHAT [key=value ...]. Subjects are
// cameras (cam1, cam2), stations (A, B, C), ports (A/1), the site and self. There
// are a site "yard" with all of them and a camera "far" at another.
//
// Forgetful plays it with a restart from a checkpoint before each line: what a rule
// does not keep there, it has lost by then.
func story(t *testing.T, lines string, forgetful bool) []string {
	t.Helper()
	x := detect.New(Detectors())
	kept := make(map[string][]byte)
	start := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	var said []string
	seq := uint64(0)
	hear := func(found []detect.Finding) {
		for _, f := range found {
			said = append(said, fmt.Sprintf("%.0f %s %s %s %s", f.At.Sub(start).Seconds(), f.Subject, f.Code, f.State, f.Severity))
		}
	}
	tell := func(at time.Time, s event.Subject, b event.Body) {
		for due, ok := x.Due(); ok && !due.After(at); due, ok = x.Due() {
			hear(x.Fire())
		}
		if b == nil {
			return // only time passes
		}
		seq++
		hear(x.Apply(&event.Event{Seq: seq, Subject: s, At: at, ReceivedAt: at, RecordedAt: at, Body: b}))
	}
	for _, id := range []string{"A", "B", "C", "F"} {
		tell(start, event.Station(id), &event.StationConfigured{SiteID: map[bool]string{true: "other", false: "yard"}[id == "F"]})
		tell(start, event.Station(id), &event.Connected{ConnID: id})
		tell(start, event.Station(id), &event.Boot{Vendor: "V"})
		tell(start, event.Port(id, 1, 1), &event.Status{Status: "Available"})
	}
	for _, id := range []string{"cam1", "cam2"} {
		c := &event.CameraConfigured{SiteID: "yard"}
		if id == "cam1" {
			c.Zones = []event.CameraZone{
				{ID: "bay", Kind: event.ZoneWatch, Ports: []string{"station/A/1"}}, {ID: "entry", Kind: event.ZoneWatch, Doors: []string{"gate"}},
				{ID: "sky", Kind: event.ZoneIgnore, Ports: []string{"station/C/1"}},
			}
		}
		tell(start, event.Camera(id), c)
		tell(start, event.Camera(id), &event.CameraState{SiteID: "yard", State: event.CameraLive})
	}
	for _, id := range []string{"gate", "case"} {
		place := map[string]string{"gate": "gate", "case": "cabinet"}[id]
		tell(start, event.Door(id), &event.DoorConfigured{SiteID: "yard", Place: place, Controller: "ctl"})
		tell(start, event.Door(id), &event.DoorState{SiteID: "yard", State: event.DoorLocked})
	}
	tell(start, event.Controller("ctl"), &event.ControllerConfigured{SiteID: "yard", Driver: "uhppote"})
	tell(start, event.Camera("far"), &event.CameraConfigured{SiteID: "other", Label: "Far off", Zones: []event.CameraZone{{ID: "bay", Ports: []string{"station/F/1"}}}})
	tell(start, event.Self(), &event.Policy{Type: detect.PolicyPlace, ID: "yard", Value: []byte(`{"latitude":52.52,"longitude":13.4}`)})
	tell(start, event.Self(), &event.Policy{Type: detect.PolicyPlace, ID: "other", Value: []byte(`{"latitude":52.52,"longitude":14.14}`)}) // 50 km
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		var seconds float64
		if _, err := fmt.Sscan(words[0], &seconds); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		v := make(map[string]string)
		for _, w := range words[3:] {
			key, value, _ := strings.Cut(w, "=")
			v[key] = value
		}
		if forgetful {
			x = reopened(t, x, kept)
		}
		at := start.Add(time.Duration(seconds * float64(time.Second)))
		s, b := heard(t, words[1], words[2], v)
		tell(at, s, b)
	}
	return said
}

// reopened is an engine from the checkpoint of another; kept are the stations of the
// checkpoints before.
func reopened(t *testing.T, x *detect.Engine, kept map[string][]byte) *detect.Engine {
	t.Helper()
	meta, err := x.Checkpoint(func(id string, data []byte) error {
		if kept[id] = slices.Clone(data); data == nil {
			delete(kept, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(meta)
	if err != nil {
		t.Fatal(err)
	}
	var back detect.Meta
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	next := detect.New(Detectors())
	if err := next.Restore(back); err != nil {
		t.Fatal(err)
	}
	for _, data := range kept {
		if err := next.Load(data); err != nil {
			t.Fatal(err)
		}
	}
	return next
}

func heard(t *testing.T, who, what string, v map[string]string) (event.Subject, event.Body) {
	t.Helper()
	site := "yard"
	if who == "far" {
		site = "other"
	}
	var s event.Subject
	switch id, evse, ok := strings.Cut(who, "/"); {
	case who == "self":
		s = event.Self()
	case who == "site":
		s = event.Site("yard")
	case who == "gate", who == "case":
		s = event.Door(who)
	case who == "ctl":
		s = event.Controller(who)
	case strings.HasPrefix(who, "cam"), who == "far":
		s = event.Camera(who)
	case ok:
		n := 0
		_, _ = fmt.Sscan(evse, &n)
		s = event.Port(id, n, 1)
	default:
		s = event.Station(id)
	}
	scene := func(kind event.SceneKind, phase event.ScenePhase) *event.Scene {
		x := &event.Scene{ID: who + "/" + string(kind) + v["zone"], SiteID: site, What: kind, Phase: phase, Source: "picture", Zone: v["zone"], Armed: v["armed"] == "yes", Percent: 3}
		if v["ports"] != "" {
			x.Ports = strings.Split(v["ports"], ",")
		}
		if v["doors"] != "" {
			x.Doors = strings.Split(v["doors"], ",")
		}
		return x
	}
	switch what {
	case "shows": // labels: person=0.8,vehicle=0.7
		l := &event.Labels{SiteID: site, Source: event.LabelsOfVerifier, Armed: v["armed"] == "yes"}
		if v["by"] != "" {
			l.Source = event.LabelSource(v["by"])
		}
		for _, kind := range []event.SceneKind{event.ScenePerson, event.SceneVehicle, event.SceneAnimal, event.ScenePlate} {
			if v[string(kind)] != "" {
				x := event.Label{What: kind}
				_, _ = fmt.Sscan(v[string(kind)], &x.Score)
				_, _ = fmt.Sscan(v["number"], &x.Number)
				if kind == event.ScenePlate {
					x.Plate = v["says"]
				}
				l.Items = append(l.Items, x)
			}
		}
		return s, l
	case "offline":
		return s, &event.CameraState{SiteID: site, State: event.CameraOffline, Was: event.CameraLive, Reason: "noFrames"}
	case "live":
		return s, &event.CameraState{SiteID: site, State: event.CameraLive, Was: event.CameraOffline}
	case "notRecording":
		return s, &event.CameraState{SiteID: site, State: event.CameraNotRecording, Was: event.CameraLive}
	case "removed":
		return s, &event.CameraRemoved{}
	case "short":
		return s, &event.RecordingRetention{SiteID: site, Short: true, PromisedDays: 3, EffectiveDays: 1.4, LimitedBy: "disk", Cameras: 2}
	case "long":
		return s, &event.RecordingRetention{SiteID: site, PromisedDays: 3, EffectiveDays: 3}
	case "lostCopy":
		return s, &event.RecordingCopy{SiteID: site, Failed: true, Reason: "unreachable", Waiting: 2}
	case "copied":
		return s, &event.RecordingCopy{SiteID: site}
	case "begins":
		return s, scene(event.SceneKind(v["what"]), event.SceneStarted)
	case "ends":
		return s, scene(event.SceneKind(v["what"]), event.SceneEnded)
	case "seen":
		return s, scene(event.SceneKind(v["what"]), event.SceneSeen)
	case "armed":
		return s, &event.Arming{Armed: true}
	case "gone":
		return s, &event.Disconnected{ConnID: s.ID, Reason: "eof"}
	case "back":
		return s, &event.Connected{ConnID: s.ID}
	case "faulted":
		return s, &event.Status{Status: "Faulted", ErrorCode: v["code"]}
	case "plugged":
		return s, &event.Status{Status: "Preparing"}
	case "door":
		return s, &event.DoorState{SiteID: site, State: event.DoorCondition(v["is"])}
	case "lets", "refuses":
		return s, &event.Access{SiteID: site, Allowed: what == "lets", DecidedBy: "controller", Differs: v["differs"] == "yes", Why: "denied", TokenID: v["token"], Method: v["by"]}
	case "help":
		return s, &event.DoorAlarm{SiteID: site, Alarm: event.DoorAlarmKind(v["what"]), Active: v["over"] != "yes"}
	case "wrong":
		return s, &event.ControllerFault{SiteID: site, Fault: event.ControllerFaultKind(v["what"]), Active: v["over"] != "yes"}
	case "unlocks":
		return s, &event.DoorCommand{SiteID: site, Command: "unlock", Done: true, By: "u-1", Reason: "delivery"}
	case "works":
		return s, &event.Presence{Order: "wo", Station: v["at"], Present: v["over"] != "yes"}
	case "sensor":
		return s, &event.Component{Items: []event.ComponentEvent{{Component: v["of"], Variable: "Tripped", Value: "true", EVSE: 1}}}
	case "alarm":
		return s, &event.Security{Type: "TamperDetectionActivated"}
	case "started":
		return s, &event.ServerStarted{}
	case "charge":
		return s, &event.Transaction{Stage: event.TransactionStarted, TransactionID: v["id"], TokenID: v["token"]}
	case "simulated":
		return s, &event.StationConfigured{SiteID: v["site"], Simulated: true}
	case "card":
		return s, &event.Authorize{TokenID: v["token"], Status: v["is"]}
	case "free":
		return s, &event.Status{Status: "Available"}
	case "tells":
		return s, &event.Security{Type: v["what"]}
	case "doubt": // of the endpoint or the fleet
		return s, &event.Finding{Code: v["what"], Severity: event.S2}
	case "unplug":
		return s, &event.Transaction{Stage: event.TransactionEnded, TransactionID: v["id"]}
	case "time":
		return s, nil
	}
	t.Fatalf("what is %q?", what)
	return s, nil
}

// told is a story and what is to be found.
type told struct {
	story string
	want  []string
}

func stories(t *testing.T, all map[string]told) {
	t.Helper()
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			said := story(t, c.story, false)
			if !slices.Equal(said, c.want) {
				t.Errorf("it says\n\t%s\nand should\n\t%s", strings.Join(said, "\n\t"), strings.Join(c.want, "\n\t"))
			}
			if again := story(t, c.story, true); !slices.Equal(said, again) {
				t.Errorf("with restarts it says\n\t%s\nand without\n\t%s", strings.Join(again, "\n\t"), strings.Join(said, "\n\t"))
			}
		})
	}
}

func TestStories(t *testing.T) {
	const bay = " what=motion zone=bay ports=station/A/1"
	stories(t, map[string]told{
		"a camera is lost and comes back": {
			`100 cam1 offline
			 160 cam1 live`,
			[]string{"100 camera/cam1 cameraLost raised S3", "160 camera/cam1 cameraLost cleared S3"},
		},
		"a camera is lost while armed": {
			`50 site armed
			 100 cam1 offline`,
			[]string{"100 camera/cam1 cameraLost raised S2"},
		},
		"a site loses its power: that is no camera's fault": {
			`100 A gone
			 101 B gone
			 102 C gone
			 110 cam1 offline
			 111 cam2 offline
			 600 self time`,
			nil,
		},
		"one station is lost too, and is back before the camera": {
			`100 A gone
			 110 cam1 offline
			 150 A back
			 600 self time`,
			[]string{"170 camera/cam1 cameraLost raised S3"},
		},
		"the camera is back with its site": {
			`100 A gone
			 101 B gone
			 102 C gone
			 110 cam1 offline
			 150 A back
			 155 cam1 live
			 600 self time`,
			nil,
		},
		"nothing is recorded": {
			`100 cam1 notRecording
			 200 cam1 live`,
			[]string{"100 camera/cam1 cameraNotRecording raised S2", "200 camera/cam1 cameraNotRecording cleared S2"},
		},
		"a lost camera is removed": {
			`100 cam1 offline
			 110 cam1 removed`,
			[]string{"100 camera/cam1 cameraLost raised S3", "110 camera/cam1 cameraLost cleared S3"},
		},
		"pictures do not stay as long as promised, also over a restart": {
			`100 cam1 short
			 110 self started
			 120 cam1 short
			 900 cam1 long`,
			[]string{"100 camera/cam1 retentionShort raised S3", "900 camera/cam1 retentionShort cleared S3"},
		},
		"who spoke for the others is removed": {
			`100 cam1 short
			 110 cam1 removed
			 400 cam2 short`,
			[]string{"100 camera/cam1 retentionShort raised S3", "110 camera/cam1 retentionShort cleared S3", "400 camera/cam2 retentionShort raised S3"},
		},
		"copies do not arrive, and arrive again": {
			`100 cam1 lostCopy
			 110 cam2 copied
			 200 cam1 copied`,
			[]string{"100 camera/cam1 copyFailed raised S2", "200 camera/cam1 copyFailed cleared S2"},
		},
		"a camera is covered": {
			`100 cam1 begins what=covered
			 200 cam1 ends what=covered`,
			[]string{"100 camera/cam1 cameraTampered raised S2", "200 camera/cam1 cameraTampered cleared S2"},
		},
		"covered and turned while armed is one case": {
			`100 cam1 begins what=covered armed=yes
			 110 cam1 begins what=turned armed=yes
			 120 cam1 ends what=covered
			 130 cam1 ends what=turned`,
			[]string{"100 camera/cam1 cameraTampered raised S1", "130 camera/cam1 cameraTampered cleared S1"},
		},
		"the camera itself says tampering and not until when": {
			`100 cam1 seen what=tamper`,
			[]string{"100 camera/cam1 cameraTampered  S2"},
		},
		"motion while armed, in two zones at once": {
			`100 cam1 begins what=motion zone=a armed=yes
			 102 cam1 begins what=motion zone=b armed=yes
			 110 cam1 ends what=motion zone=a
			 120 cam1 ends what=motion zone=b`,
			[]string{"100 camera/cam1 motionArmed raised S3", "120 camera/cam1 motionArmed cleared S3"},
		},
		"motion while nobody minds": {
			`100 cam1 begins what=motion zone=a
			 110 cam1 ends what=motion zone=a`,
			nil,
		},
		"an animal while armed": {
			`100 cam1 begins what=animal armed=yes
			 110 cam1 ends what=animal`,
			nil,
		},
		"a person while armed, by a label that comes at once": {
			`100 cam1 begins what=motion armed=yes
			 101 cam1 shows person=0.8 armed=yes
			 120 cam1 ends what=motion`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S2", "120 camera/cam1 motionArmed cleared S2"},
		},
		"a person at a door while armed": {
			`100 cam1 begins what=motion doors=gate armed=yes
			 101 cam1 shows person=0.8 armed=yes
			 110 cam1 ends what=motion`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S1", "110 camera/cam1 motionArmed cleared S1"},
		},
		"a person stays at a port while armed and charges nothing": {
			`100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows person=0.8 armed=yes
			 130 cam1 ends` + bay + `
			 150 self time`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "120 camera/cam1 loitering raised S2", "130 camera/cam1 motionArmed cleared S3", "130 camera/cam1 loitering cleared S2"},
		},
		"whoever came with a vehicle may take longer": {
			`98 cam1 shows vehicle=0.9 armed=yes
			 100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows person=0.8 armed=yes
			 130 self time
			 230 cam1 ends` + bay,
			[]string{"101 camera/cam1 motionArmed raised S3", "120 camera/cam1 loitering raised S3", "220 camera/cam1 loitering updated S2", "230 camera/cam1 motionArmed cleared S3", "230 camera/cam1 loitering cleared S2"},
		},
		"a person at a port while armed": {
			`100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows person=0.8 armed=yes
			 110 cam1 ends` + bay,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "110 camera/cam1 motionArmed cleared S3"},
		},
		"a label that is not sure": {
			`100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows person=0.4 armed=yes
			 102 cam1 shows animal=0.4 armed=yes
			 110 cam1 ends` + bay,
			[]string{"100 camera/cam1 motionArmed raised S3", "110 camera/cam1 motionArmed cleared S3"},
		},
		"an animal alone": {
			`100 cam1 begins what=motion armed=yes
			 101 cam1 shows animal=0.9 armed=yes
			 120 cam1 ends what=motion`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "120 camera/cam1 motionArmed cleared S3"},
		},
		"where labels come they are waited for": {
			`10 cam1 shows vehicle=0.9
			 100 cam1 begins what=motion armed=yes
			 102 cam1 shows vehicle=0.9 armed=yes
			 120 cam1 ends what=motion`,
			[]string{"102 camera/cam1 motionArmed raised S3", "120 camera/cam1 motionArmed cleared S3"},
		},
		"those of the camera itself are not waited for": {
			`10 cam1 shows vehicle=0.9 by=camera
			 100 cam1 begins what=motion armed=yes
			 101 cam1 shows person=0.9 by=camera armed=yes
			 120 cam1 ends what=motion`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S2", "120 camera/cam1 motionArmed cleared S2"},
		},
		"but not for long": {
			`10 cam1 shows
			 100 cam1 begins what=motion armed=yes
			 120 cam1 ends what=motion`,
			[]string{"103 camera/cam1 motionArmed raised S3", "120 camera/cam1 motionArmed cleared S3"},
		},
		"and what is over sooner is told all the same": {
			`10 cam1 shows
			 100 cam1 begins what=motion armed=yes
			 101 cam1 ends what=motion
			 120 self time`,
			[]string{"103 camera/cam1 motionArmed raised S3", "103 camera/cam1 motionArmed cleared S3"},
		},
		"a source of labels that fell silent is waited for no longer": {
			`10 cam1 shows
			 4000 cam1 begins what=motion armed=yes
			 4010 cam1 ends what=motion`,
			[]string{"4000 camera/cam1 motionArmed raised S3", "4010 camera/cam1 motionArmed cleared S3"},
		},
		"a person first and his van then": {
			`100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows person=0.8 armed=yes
			 103 cam1 shows vehicle=0.9 armed=yes
			 110 cam1 ends` + bay,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "110 camera/cam1 motionArmed cleared S3"},
		},
		"a van first and a person then": {
			`100 cam1 begins armed=yes` + bay + `
			 101 cam1 shows vehicle=0.8 armed=yes
			 103 cam1 shows vehicle=0.8 person=0.7 armed=yes
			 110 cam1 ends` + bay,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "103 camera/cam1 motionArmed updated S3", "110 camera/cam1 motionArmed cleared S3"},
		},
		"a van stands there and something else begins to move": {
			`100 cam1 begins what=motion zone=a armed=yes
			 101 cam1 shows vehicle=0.8 armed=yes
			 110 cam1 begins what=motion zone=b armed=yes
			 119 cam1 ends what=motion zone=a
			 120 cam1 ends what=motion zone=b`,
			[]string{"100 camera/cam1 motionArmed raised S3", "101 camera/cam1 motionArmed updated S3", "120 camera/cam1 motionArmed cleared S3"},
		},
		"a person is labelled where nothing moves": {
			`100 cam1 shows person=0.8 armed=yes`,
			[]string{"100 camera/cam1 motionArmed  S2"},
		},
		"and while nobody minds": {
			`100 cam1 shows person=0.8`,
			nil,
		},
		"a restart ends what moves": {
			`100 cam1 begins what=motion armed=yes
			 110 self started
			 120 cam1 ends what=motion`,
			[]string{"100 camera/cam1 motionArmed raised S3", "110 camera/cam1 motionArmed cleared S3"},
		},
		"somebody loiters at a port": {
			`100 cam1 begins` + bay + `
			 200 cam1 ends` + bay,
			[]string{"160 camera/cam1 loitering raised S3", "200 camera/cam1 loitering cleared S3"},
		},
		"and while armed": {
			`100 cam1 begins armed=yes` + bay + `
			 130 cam1 ends` + bay,
			[]string{"100 camera/cam1 motionArmed raised S3", "120 camera/cam1 loitering raised S3", "130 camera/cam1 motionArmed cleared S3", "130 camera/cam1 loitering cleared S3"},
		},
		"somebody who stands still for a while in between": {
			`100 cam1 begins` + bay + `
			 130 cam1 ends` + bay + `
			 140 cam1 begins` + bay + `
			 170 cam1 ends` + bay,
			[]string{"160 camera/cam1 loitering raised S3", "170 camera/cam1 loitering cleared S3"},
		},
		"somebody who comes again after a while": {
			`100 cam1 begins` + bay + `
			 130 cam1 ends` + bay + `
			 150 cam1 begins` + bay + `
			 200 cam1 ends` + bay + `
			 400 self time`,
			nil,
		},
		"somebody cleans, with pauses": { // the rule knows no people
			`100 cam1 begins` + bay + `
			 150 cam1 ends` + bay + `
			 155 cam1 begins` + bay + `
			 220 cam1 ends` + bay + `
			 400 self time`,
			[]string{"160 camera/cam1 loitering raised S3", "220 camera/cam1 loitering cleared S3"},
		},
		"a driver who has plugged in and reads the terms": {
			`100 cam1 begins` + bay + `
			 130 A/1 plugged
			 390 A/1 charge id=1
			 400 cam1 ends` + bay,
			nil,
		},
		"somebody who plugged in and never charges": {
			`100 cam1 begins` + bay + `
			 130 A/1 plugged
			 600 cam1 ends` + bay,
			[]string{"460 camera/cam1 loitering raised S3", "600 camera/cam1 loitering cleared S3"},
		},
		"a driver who sits in the car and reads": {
			`100 cam1 begins` + bay + `
			 125 cam1 ends` + bay + `
			 300 cam1 begins` + bay + `
			 304 cam1 ends` + bay + `
			 600 self time`,
			nil,
		},
		"somebody passes by": {
			`100 cam1 begins` + bay + `
			 150 cam1 ends` + bay + `
			 400 self time`,
			nil,
		},
		"a driver charges": {
			`100 cam1 begins` + bay + `
			 140 A/1 charge id=1
			 400 cam1 ends` + bay,
			nil,
		},
		"a driver who had to read the screen first": {
			`100 cam1 begins` + bay + `
			 190 A/1 charge id=1
			 400 cam1 ends` + bay,
			[]string{"160 camera/cam1 loitering raised S3", "190 camera/cam1 loitering cleared S3"},
		},
		"a driver packs up": {
			`10 A/1 charge id=1
			 90 A/1 unplug id=1
			 100 cam1 begins` + bay + `
			 220 cam1 ends` + bay + `
			 600 self time`,
			nil,
		},
		"motion in a zone without a port": {
			`100 cam1 begins what=motion zone=drive
			 400 cam1 ends what=motion zone=drive`,
			nil,
		},
		"two stations with a weak line, back at once": {
			`100 cam1 begins what=motion
			 130 A gone
			 131 B gone
			 132 A back
			 300 self time`,
			nil,
		},
	})
}

func TestEveryThresholdHasADefaultAndWords(t *testing.T) {
	for _, d := range Detectors() {
		for _, p := range d.Params {
			if p.Name == "" || p.Doc == "" {
				t.Errorf("%s: %+v", d.ID, p)
			}
		}
		waits := slices.ContainsFunc(waiting(), func(w detect.Detector) bool { return w.ID == d.ID })
		if waits == (d.On != nil) || d.Code == "" || len(d.Needs)+len(d.Any) == 0 {
			t.Errorf("%s is not whole", d.ID)
		}
	}
}

// TestWhatIsKnownSurvivesARestart goes on from a checkpoint in the middle.
func TestWhatIsKnownSurvivesARestart(t *testing.T) {
	start := time.Date(2026, 11, 2, 2, 0, 0, 0, time.UTC)
	x := detect.New(Detectors())
	tell := func(seq uint64, after time.Duration, b event.Body) []detect.Finding {
		at := start.Add(after)
		return x.Apply(&event.Event{Seq: seq, Subject: event.Camera("gate"), At: at, ReceivedAt: at, RecordedAt: at, Body: b})
	}
	tell(1, 0, &event.CameraConfigured{SiteID: "yard", Label: "Gate"})
	tell(2, time.Second, &event.Scene{ID: "1", SiteID: "yard", What: event.SceneMotion, Phase: event.SceneStarted, Armed: true, Ports: []string{"station/A/1"}})
	saved := make(map[string][]byte)
	meta, err := x.Checkpoint(func(id string, data []byte) error { saved[id] = slices.Clone(data); return nil })
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(meta)
	if err != nil {
		t.Fatal(err)
	}
	x = detect.New(Detectors())
	var back detect.Meta
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if err := x.Restore(back); err != nil {
		t.Fatal(err)
	}
	for _, data := range saved {
		if err := x.Load(data); err != nil {
			t.Fatal(err)
		}
	}
	if !x.Network.Armed("yard") || x.Network.Len() != 0 || x.Network.Camera("gate").Label != "Gate" {
		t.Errorf("it forgot: armed %v, %d stations, %+v", x.Network.Armed("yard"), x.Network.Len(), x.Network.Camera("gate"))
	}
	due, ok := x.Due()
	if !ok || !due.Equal(start.Add(21*time.Second)) {
		t.Fatalf("it waits until %v", due)
	}
	if f := x.Fire(); len(f) != 1 || f[0].Code != "loitering" || f[0].Subject != event.Camera("gate") {
		t.Errorf("it says %+v", f)
	}
	if f := tell(3, 30*time.Second, &event.Scene{ID: "1", SiteID: "yard", What: event.SceneMotion, Phase: event.SceneEnded}); len(f) != 2 {
		t.Errorf("the end says %+v", f)
	}
}
