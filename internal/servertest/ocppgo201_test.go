package servertest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/availability"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/diagnostics"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/firmware"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/provisioning"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/reservation"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/security"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/transactions"
	"github.com/lorenzodonini/ocpp-go/ocpp2.0.1/types"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/journal"
	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/source/station"
)

func TestAnOCPPGoChargingStationOf201(t *testing.T) {
	s := servertest.Start(t)
	s.Enrol(t, "GO201")
	s.Credential(t, "CARD-1")
	cs, disconnect := connect201(t, s, "GO201", &station201{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	boot, err := cs.BootNotification(provisioning.BootReasonPowerUp, "Model X", "Vendor Y", func(r *provisioning.BootNotificationRequest) {
		r.ChargingStation.SerialNumber, r.ChargingStation.FirmwareVersion = "SN-1", "1.2.3"
	})
	must(err)
	if boot.Status != provisioning.RegistrationStatusAccepted || boot.Interval != 300 || time.Since(boot.CurrentTime.Time).Abs() > time.Minute {
		t.Errorf("boot: %+v", boot)
	}
	if st := s.Station(t, "GO201"); !st.Online || st.Protocol != "ocpp2.0.1" || st.Vendor != "Vendor Y" || st.Serial != "SN-1" || st.Firmware != "1.2.3" {
		t.Errorf("after the boot: %+v", st)
	}
	_, err = cs.StatusNotification(at201(time.Now()), availability.ConnectorStatusAvailable, 1, 1)
	must(err)
	auth, err := cs.Authorize("CARD-1", types.IdTokenTypeISO14443)
	must(err)
	if auth.IdTokenInfo.Status != types.AuthorizationStatusAccepted {
		t.Errorf("a known card: %+v", auth.IdTokenInfo)
	}
	stranger, err := cs.Authorize("CARD-2", types.IdTokenTypeISO14443)
	must(err)
	if got := stranger.IdTokenInfo.Status; got == types.AuthorizationStatusAccepted {
		t.Errorf("an unknown card is %s", got)
	}

	began := time.Now().Truncate(time.Second)
	values := func(at time.Time, wh, w float64, context types.ReadingContext) types.MeterValue {
		return types.MeterValue{Timestamp: *at201(at), SampledValue: []types.SampledValue{
			{Value: wh, Context: context, Measurand: types.MeasurandEnergyActiveImportRegister, UnitOfMeasure: &types.UnitOfMeasure{Unit: "Wh"}},
			{Value: w, Context: context, Measurand: types.MeasurandPowerActiveImport, UnitOfMeasure: &types.UnitOfMeasure{Unit: "W", Multiplier: new(3)}},
			{Value: 55, Context: context, Measurand: types.MeasurandSoC, UnitOfMeasure: &types.UnitOfMeasure{Unit: "Percent"}},
		}}
	}
	info := func(state transactions.ChargingState) transactions.Transaction {
		return transactions.Transaction{TransactionID: "T-1", ChargingState: state}
	}
	first, err := cs.TransactionEvent(transactions.TransactionEventStarted, at201(began), transactions.TriggerReasonAuthorized, 0,
		info(transactions.ChargingStateEVConnected), func(r *transactions.TransactionEventRequest) {
			r.Evse = &types.EVSE{ID: 1, ConnectorID: new(1)}
			r.IDToken = &types.IdToken{IdToken: "CARD-1", Type: types.IdTokenTypeISO14443}
			r.MeterValue = []types.MeterValue{values(began, 1000, 0, types.ReadingContextTransactionBegin)}
		})
	must(err)
	if first.IDTokenInfo == nil || first.IDTokenInfo.Status != types.AuthorizationStatusAccepted {
		t.Errorf("start: %+v", first)
	}
	if v := s.Station(t, "GO201").EVSEs[0]; v.Status != fleet.Preparing || v.Session == nil || v.Session.TransactionID != "T-1" {
		t.Errorf("connected, no energy yet: %v, session %+v", v.Status, v.Session)
	}
	_, err = cs.TransactionEvent(transactions.TransactionEventUpdated, at201(began.Add(time.Second)), transactions.TriggerReasonMeterValuePeriodic, 1,
		info(transactions.ChargingStateCharging), func(r *transactions.TransactionEventRequest) {
			r.MeterValue = []types.MeterValue{values(began.Add(time.Second), 1500, 11.04, types.ReadingContextSamplePeriodic)}
		})
	must(err)
	v := s.Station(t, "GO201").EVSEs[0]
	if v.Status != fleet.Charging || v.Session == nil || v.Session.EnergyWh != 500 || v.Live.PowerW == nil || *v.Live.PowerW != 11040 || *v.Live.SoC != 55 {
		t.Errorf("while charging: %v %+v, session %+v", v.Status, v.Live, v.Session)
	}
	_, err = cs.TransactionEvent(transactions.TransactionEventUpdated, at201(began.Add(2*time.Second)), transactions.TriggerReasonChargingStateChanged, 2,
		info(transactions.ChargingStateSuspendedEVSE))
	must(err)
	if v := s.Station(t, "GO201").EVSEs[0]; v.Status != fleet.SuspendedEVSE {
		t.Errorf("suspended: %v", v.Status)
	}
	_, err = cs.TransactionEvent(transactions.TransactionEventEnded, at201(began.Add(3*time.Second)), transactions.TriggerReasonEVDeparted, 3,
		transactions.Transaction{TransactionID: "T-1", StoppedReason: transactions.ReasonEVDisconnected}, func(r *transactions.TransactionEventRequest) {
			r.MeterValue = []types.MeterValue{values(began.Add(3*time.Second), 3500, 0, types.ReadingContextTransactionEnd)}
		})
	must(err)
	sessions, _, err := s.Journal.Sessions(t.Context(), journal.SessionQuery{Station: "GO201"})
	must(err)
	if len(sessions) != 1 {
		t.Fatalf("sessions: %+v", sessions)
	}
	x := sessions[0]
	if x.EnergyWh != 2500 || x.State != fleet.SessionEnded || x.TransactionID != "T-1" || x.StopReason != "EVDisconnected" || x.TokenID == "" || len(x.Flags) != 0 {
		t.Errorf("session: %+v", x)
	}

	variable := func(component, variable, value string) diagnostics.EventData {
		return diagnostics.EventData{
			EventID: 1, Timestamp: at201(time.Now()), Trigger: diagnostics.EventTriggerDelta, ActualValue: value,
			EventNotificationType: diagnostics.EventHardWiredNotification,
			Component:             types.Component{Name: component, EVSE: &types.EVSE{ID: 1, ConnectorID: new(1)}},
			Variable:              types.Variable{Name: variable},
		}
	}
	_, err = cs.NotifyEvent(at201(time.Now()), 0, []diagnostics.EventData{variable("Connector", "AvailabilityState", "Unavailable")})
	must(err)
	if v := s.Station(t, "GO201").EVSEs[0]; v.Status != fleet.Unavailable {
		t.Errorf("NotifyEvent in place of a status: %v", v.Status)
	}
	_, err = cs.NotifyReport(17, at201(time.Now()), 0, func(r *provisioning.NotifyReportRequest) {
		power := provisioning.NewVariableCharacteristics(provisioning.TypeDecimal, true)
		power.Unit, power.MaxLimit = "W", new(150000.0)
		plug := provisioning.NewVariableCharacteristics(provisioning.TypeOptionList, false)
		r.ReportData = []provisioning.ReportData{
			{
				Component: types.Component{Name: "EVSE", EVSE: &types.EVSE{ID: 1}}, Variable: types.Variable{Name: "Power"},
				VariableAttribute: []provisioning.VariableAttribute{{Value: "0"}}, VariableCharacteristics: power,
			},
			{
				Component: types.Component{Name: "Connector", EVSE: &types.EVSE{ID: 1, ConnectorID: new(1)}}, Variable: types.Variable{Name: "ConnectorType"},
				VariableAttribute: []provisioning.VariableAttribute{{Value: "cCCS2"}}, VariableCharacteristics: plug,
			},
		}
	})
	must(err)
	if l := s.Station(t, "GO201").EVSEs[0].Layout; l == nil || l.RatedW != 150000 || l.Current != "DC" || len(l.Connectors) != 1 || l.Connectors[0].Type != "cCCS2" {
		t.Errorf("what the station is built of: %+v", l)
	}
	_, err = cs.SecurityEventNotification("TamperDetectionActivated", at201(time.Now()), func(*security.SecurityEventNotificationRequest) {})
	must(err)
	_, err = cs.MeterValues(1, []types.MeterValue{values(time.Now(), 3500, 0, types.ReadingContextSampleClock)})
	must(err)
	_, err = cs.FirmwareStatusNotification(firmware.FirmwareStatusDownloaded, func(r *firmware.FirmwareStatusNotificationRequest) { r.RequestID = new(3) })
	must(err)
	_, err = cs.LogStatusNotification(diagnostics.UploadLogStatusUploaded, 4)
	must(err)
	_, err = cs.ReservationStatusUpdate(5, reservation.ReservationUpdateStatusExpired)
	must(err)
	transfer, err := cs.DataTransfer("com.example")
	must(err)
	if transfer.Status != "UnknownVendorId" {
		t.Errorf("data of a vendor nobody knows: %+v", transfer)
	}
	signed, err := cs.SignCertificate("-----BEGIN CERTIFICATE REQUEST-----")
	must(err)
	if signed.Status != types.GenericStatusRejected {
		t.Errorf("a request to sign, and no authority to do it: %+v", signed)
	}
	beat, err := cs.Heartbeat()
	must(err)
	if time.Since(beat.CurrentTime.Time).Abs() > time.Minute {
		t.Errorf("heartbeat: %+v", beat)
	}
	for kind, want := range map[event.Kind]int{
		event.KindSecurity: 1, event.KindReport: 1, event.KindComponent: 1, event.KindFirmware: 1, event.KindLog: 1,
		event.KindReservation: 1, event.KindDataTransfer: 1, event.KindTransaction: 4, event.KindMeter: 1, event.KindAuthorize: 2,
		event.KindMessage: 1, event.KindStatus: 1, event.KindBoot: 1, event.KindConnected: 1,
	} {
		events, _, err := s.Journal.Events(t.Context(), journal.EventQuery{Subject: event.Station("GO201"), Kinds: []event.Kind{kind}})
		if err != nil || len(events) != want {
			t.Errorf("%d events of kind %s, want %d (%v)", len(events), kind, want, err)
		}
	}
	disconnect()
	servertest.Eventually(t, "offline", func() bool { return !s.Station(t, "GO201").Online })
}

func TestAnOCPPGoChargingStationOf201TakesCommands(t *testing.T) {
	s := servertest.Start(t)
	s.Enrol(t, "GO201")
	p := &station201{}
	cs, _ := connect201(t, s, "GO201", p)
	if _, err := cs.BootNotification(provisioning.BootReasonPowerUp, "Model X", "Vendor Y"); err != nil {
		t.Fatal(err)
	}
	accepted := `{"status":"Accepted"}`
	heartbeat := `"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}`
	tests := []struct{ action, payload, answer string }{
		{"RequestStartTransaction", `{"evseId":1,"remoteStartId":9,"idToken":{"idToken":"CARD-1","type":"ISO14443"}}`, accepted},
		{"RequestStopTransaction", `{"transactionId":"T-1"}`, `{"status":"Rejected"}`},
		{"UnlockConnector", `{"evseId":1,"connectorId":1}`, `{"status":"Unlocked"}`},
		{"TriggerMessage", `{"requestedMessage":"StatusNotification","evse":{"id":1,"connectorId":1}}`, accepted},
		{"ChangeAvailability", `{"operationalStatus":"Inoperative","evse":{"id":1}}`, accepted},
		{"ClearCache", `{}`, accepted},
		{"Reset", `{"type":"OnIdle","evseId":1}`, `{"status":"Scheduled","statusInfo":null}`}, // as the library writes it
		{"GetBaseReport", `{"requestId":1,"reportBase":"FullInventory"}`, accepted},
		{"GetReport", `{"requestId":2,"componentCriteria":["Problem"]}`, `{"status":"EmptyResultSet"}`},
		{"GetVariables", `{"getVariableData":[{` + heartbeat + `}]}`, `{"getVariableResult":[{"attributeStatus":"Accepted","attributeValue":"300",` + heartbeat + `}]}`},
		{"SetVariables", `{"setVariableData":[{"attributeValue":"600",` + heartbeat + `}]}`, `{"setVariableResult":[{"attributeStatus":"Accepted",` + heartbeat + `}]}`},
		{"GetLocalListVersion", `{}`, `{"versionNumber":7}`},
		{"SendLocalList", `{"versionNumber":8,"updateType":"Full","localAuthorizationList":[{"idToken":{"idToken":"CARD-1","type":"ISO14443"},"idTokenInfo":{"status":"Accepted"}}]}`, accepted},
		{"ReserveNow", `{"id":7,"expiryDateTime":"2030-01-02T03:04:05Z","idToken":{"idToken":"CARD-1","type":"ISO14443"},"evseId":1}`, accepted},
		{"CancelReservation", `{"reservationId":7}`, accepted},
		{"GetTransactionStatus", `{"transactionId":"T-1"}`, `{"messagesInQueue":false}`},
	}
	for i, tt := range tests {
		t.Run(tt.action, func(t *testing.T) {
			o := s.Endpoint.Send(t.Context(), "GO201", fmt.Sprintf("5f9c1c2e-0000-4000-8000-%012d", i), tt.action, []byte(tt.payload))
			if o.Status != station.Answered || !sameJSON(t, string(o.Response), tt.answer) {
				t.Errorf("answer: %+v (%s); want %s", o, o.Response, tt.answer)
			}
			if !p.read(t, tt.action, tt.payload) {
				t.Errorf("the station read %v; we sent %s", p.all(tt.action), tt.payload)
			}
		})
	}
}
