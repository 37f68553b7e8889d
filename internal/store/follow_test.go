package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/journal"
)

// follow runs the projection until the test ends.
func (b *bench) follow(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Follow(ctx, b.log) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func (b *bench) tell(t *testing.T, subject event.Subject, body event.Body) {
	t.Helper()
	now := time.Now().UTC()
	r, err := b.log.Append(t.Context(), &event.Event{Subject: subject, At: now, ReceivedAt: now, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	b.Followed(ctx, r.Seq)
	if ctx.Err() != nil {
		t.Fatal("the projection does not follow")
	}
}

// agree records a command and its answer.
func (b *bench) agree(t *testing.T, action, request, response string) {
	t.Helper()
	b.commands++
	id := fmt.Sprint("cmd-", b.commands)
	b.tell(t, event.Station("S1"), &event.Command{CommandID: id, Action: action, Payload: json.RawMessage(request), By: "u-1"})
	b.tell(t, event.Station("S1"), &event.CommandResult{CommandID: id, Status: "answered", Response: json.RawMessage(response)})
}

// stuttering is a journal that cannot commit for a while.
type stuttering struct {
	Log
	refusals int
}

func (l *stuttering) Project(ctx context.Context, name string, c journal.Cursor, write func(*sql.Tx) error) error {
	if l.refusals > 0 {
		l.refusals--
		return journal.ErrUnavailable
	}
	return l.Log.Project(ctx, name, c, write)
}

func TestAProjectionOutlivesAJournalThatCannotCommit(t *testing.T) {
	b := open(t)
	log := &stuttering{Log: b.log, refusals: 3}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Follow(ctx, log) }()
	b.agree(t, "SendLocalList", `{"listVersion":3,"updateType":"Full","localAuthorizationList":[]}`, `{"status":"Accepted"}`)
	if x, err := b.LocalList(t.Context(), "S1"); err != nil || x.Version != 3 {
		t.Errorf("%+v, %v", x, err)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) || log.refusals != 0 {
		t.Errorf("it ended with %v, %d refusals left", err, log.refusals)
	}
}

func TestLocalListsFollowWhatStationsAccept(t *testing.T) {
	b := open(t)
	b.follow(t)
	const ok = `{"status":"Accepted"}`
	b.agree(t, "SendLocalList", `{"listVersion":3,"updateType":"Full","localAuthorizationList":[
		{"idTag":"idToken:t-1","idTagInfo":{"status":"Accepted"}},{"idTag":"idToken:t-2","idTagInfo":{"status":"Blocked"}}]}`, ok)
	b.agree(t, "SendLocalList", `{"versionNumber":4,"updateType":"Differential","localAuthorizationList":[
		{"idToken":{"idToken":"idToken:t-2","type":"ISO14443"}},
		{"idToken":{"idToken":"idToken:t-3","type":"ISO14443"},"idTokenInfo":{"status":"Accepted"}}]}`, ok)
	b.agree(t, "SendLocalList", `{"listVersion":9,"updateType":"Full","localAuthorizationList":[]}`, `{"status":"VersionMismatch"}`)
	b.agree(t, "GetLocalListVersion", `{}`, `{"listVersion":4}`)
	l := must[*LocalList](t)(b.LocalList(t.Context(), "S1"))
	if l.Version != 4 || l.ReportedVersion == nil || *l.ReportedVersion != 4 || len(l.Entries) != 2 ||
		l.Entries[0].TokenID != "t-1" || l.Entries[1].TokenID != "t-3" {
		t.Errorf("got %+v", l)
	}
}

func TestReservationsFollowStations(t *testing.T) {
	b := open(t)
	b.now = time.Now()
	b.follow(t)
	reserve := func(id int, until time.Time, said string) {
		b.agree(t, "ReserveNow", fmt.Sprintf(`{"connectorId":1,"expiryDate":%q,"idTag":"idToken:t-1","reservationId":%d}`,
			until.Format(time.RFC3339), id), fmt.Sprintf(`{"status":%q}`, said))
	}
	soon, past := b.now.Add(time.Hour), b.now.Add(-time.Hour)
	reserve(1, soon, "Accepted")
	reserve(2, soon, "Occupied")
	reserve(3, past, "Accepted")
	reserve(4, soon, "Accepted")
	reserve(5, soon, "Accepted")
	reserve(6, soon, "Accepted")
	reserve(1, soon, "Occupied") // a refused change leaves what stands
	b.agree(t, "CancelReservation", `{"reservationId":4}`, `{"status":"Accepted"}`)
	b.agree(t, "CancelReservation", `{"reservationId":5}`, `{"status":"Rejected"}`)
	b.tell(t, event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionStarted, AssignID: true, ReservationID: new(5)})
	b.tell(t, event.Station("S1"), &event.Reservation{ReservationID: 6, Status: "Removed"})
	want := map[int]string{1: "Accepted", 2: "Occupied", 3: "Expired", 4: "Cancelled", 5: "Used", 6: "Cancelled"}
	for _, x := range must[[]Reservation](t)(b.Reservations(t.Context(), "S1", 0, 10)) {
		if want[x.ID] != x.Status || x.TokenID != "t-1" || x.EVSE != 1 {
			t.Errorf("%+v, want %s", x, want[x.ID])
		}
		delete(want, x.ID)
	}
	if len(want) > 0 {
		t.Errorf("missing %v", want)
	}
}

func TestChargingProfilesFollowStations(t *testing.T) {
	b := open(t)
	b.follow(t)
	const ok = `{"status":"Accepted"}`
	set16 := func(id, level int, purpose, extra, said string) {
		b.agree(t, "SetChargingProfile", fmt.Sprintf(`{"connectorId":1,"csChargingProfiles":{"chargingProfileId":%d,
			"stackLevel":%d,"chargingProfilePurpose":%q%s}}`, id, level, purpose, extra), said)
	}
	set16(1, 0, "TxDefaultProfile", "", ok)
	set16(2, 0, "TxDefaultProfile", "", ok) // takes the place of 1
	set16(3, 1, "TxDefaultProfile", "", `{"status":"Rejected"}`)
	set16(4, 5, "TxProfile", `,"transactionId":77`, ok)
	b.agree(t, "SetChargingProfile", `{"evseId":2,"chargingProfile":{"id":9,"stackLevel":0,"chargingProfilePurpose":"ChargingStationMaxProfile"}}`, ok)
	ids := func() (out []int) {
		for _, p := range must[[]ChargingProfile](t)(b.ChargingProfiles(t.Context(), "S1")) {
			out = append(out, p.ID)
		}
		return out
	}
	if got := fmt.Sprint(ids()); got != "[2 4 9]" {
		t.Fatal(got)
	}
	b.tell(t, event.Port("S1", 1, 1), &event.Transaction{Stage: event.TransactionEnded, TransactionID: "77"})
	if got := fmt.Sprint(ids()); got != "[2 9]" {
		t.Errorf("after the transaction: %s", got)
	}
	b.agree(t, "ClearChargingProfile", `{"chargingProfileCriteria":{"evseId":2}}`, ok)
	b.agree(t, "ClearChargingProfile", `{"id":2}`, `{"status":"Unknown"}`)
	if got := fmt.Sprint(ids()); got != "[2]" {
		t.Errorf("after a clear: %s", got)
	}
}

func TestSettingsFollowStations(t *testing.T) {
	b := open(t)
	b.follow(t)
	b.agree(t, "GetConfiguration", `{}`, `{"configurationKey":[{"key":"HeartbeatInterval","readonly":false,"value":"300"},
		{"key":"AuthorizationKey","readonly":false,"value":"secret"},{"key":"NumberOfConnectors","readonly":true,"value":"2"}]}`)
	b.agree(t, "ChangeConfiguration", `{"key":"HeartbeatInterval","value":"60"}`, `{"status":"Accepted"}`)
	b.agree(t, "ChangeConfiguration", `{"key":"NumberOfConnectors","value":"9"}`, `{"status":"Rejected"}`)
	b.agree(t, "SetVariables", `{"setVariableData":[{"attributeValue":"30","component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}},
		{"attributeValue":"x","component":{"name":"Bad"},"variable":{"name":"V"}}]}`,
		`{"setVariableResult":[{"attributeStatus":"Accepted","component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}},
		{"attributeStatus":"Rejected","component":{"name":"Bad"},"variable":{"name":"V"}}]}`)
	b.tell(t, event.Station("S1"), &event.Report{Type: "base", Data: json.RawMessage(`[{"component":{"name":"EVSE","evse":{"id":1}},
		"variable":{"name":"Power"},"variableAttribute":[{"value":"22000","mutability":"ReadOnly"},{"type":"MaxSet","value":"43000"}]}]`)})
	got := map[string]string{}
	for _, x := range must[[]Setting](t)(b.Settings(t.Context(), "S1")) {
		value := "-"
		if x.Value != nil {
			value = *x.Value
		}
		got[x.Component+"/"+x.Variable+"/"+x.Attribute] = value + " " + x.Mutability
	}
	want := map[string]string{
		"/HeartbeatInterval/Actual": "60 ReadWrite", "/AuthorizationKey/Actual": "- ReadWrite",
		"/NumberOfConnectors/Actual": "2 ReadOnly", "TxCtrlr/EVConnectionTimeOut/Actual": "30 ",
		"EVSE/Power/Actual": "22000 ReadOnly", "EVSE/Power/MaxSet": "43000 ReadWrite",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// What nobody can read must not stop the projection.
func TestOddAnswersChangeNothing(t *testing.T) {
	b := open(t)
	b.follow(t)
	for _, action := range []string{
		"SendLocalList", "GetLocalListVersion", "ReserveNow", "CancelReservation", "SetChargingProfile",
		"ClearChargingProfile", "GetConfiguration", "ChangeConfiguration", "GetVariables", "SetVariables",
	} {
		for _, text := range []string{`{}`, `[]`, `"x"`, `{"status":7}`, `{"status":"Accepted","configurationKey":7}`} {
			b.agree(t, action, text, text)
			b.agree(t, action, `{}`, `{"status":"Accepted"}`)
		}
	}
	if n := len(must[[]Setting](t)(b.Settings(t.Context(), "S1"))); n != 0 {
		t.Errorf("%d settings from nothing", n)
	}
}
