package health

import (
	"fmt"
	"strings"
	"testing"
)

// fails is a try of a driver that fails at a port for a reason of the charger.
func fails(at, port, token string) string {
	return try(at, port, token, "fault")
}

// works is a try of ten minutes that moves 5 kWh.
func works(at, port, token string) string { return try(at, port, token, "") }

// try writes a try that begins at HH:MM (or DAY/HH:MM).
func try(at, port, token, how string) string {
	station, _, _ := strings.Cut(port, "/")
	tx := strings.NewReplacer(":", "", "/", "").Replace(at + port)
	var b strings.Builder
	say := func(second string, format string, args ...any) {
		fmt.Fprintf(&b, "%s:%s "+format+"\n", append([]any{at, second}, args...)...)
	}
	say("00", "%s status Preparing", port)
	if token != "" {
		say("05", "%s authorize Accepted token=%s", station, token)
	}
	switch how {
	case "fault":
		say("20", "%s status Faulted error=InternalError", port)
		say("40", "%s status Available", port)
	case "lock":
		say("20", "%s status Faulted error=ConnectorLockFailure", port)
		say("40", "%s status Available", port)
	case "nothing": // accepted and nothing starts
		say("50", "%s status Available", port)
	case "leave": // no card is read
		b.Reset()
		say("00", "%s status Preparing", port)
		say("50", "%s status Available", port)
	case "car":
		say("10", "%s started tx=%s token=%s wh=0", port, tx, token)
		say("20", "%s status SuspendedEV", port)
		say("40", "%s ended tx=%s wh=0 reason=EVDisconnected", port, tx)
		say("50", "%s status Available", port)
	case "":
		say("10", "%s started tx=%s token=%s wh=0", port, tx, token)
		say("12", "%s status Charging", port)
		say("14", "%s meter tx=%s E=0 P=20000", port, tx)
		say("50", "%s meter tx=%s E=5000 P=20000", port, tx)
		say("52", "%s ended tx=%s wh=5000 reason=Local", port, tx)
		say("55", "%s status Available", port)
	}
	return b.String()
}

func TestStartFailures(t *testing.T) {
	begin := `
		12:00 A configured site=s dc=2
		12:00 A connected
		12:00 A boot
		12:00 A/1 status Available
		12:00 A/2 status Available
	`
	// Every other try has failed all afternoon.
	var flaky strings.Builder
	for hour := 12; hour < 17; hour++ {
		for n := range 3 {
			flaky.WriteString(fails(fmt.Sprintf("%d:%d1", hour, 2*n), "A/1", "anna") + works(fmt.Sprintf("%d:%d1", hour, 2*n+1), "A/1", "bert"))
		}
	}
	stories(t, "D05", map[string]struct{ story, want string }{
		"two drivers fail, a third one charges": {
			begin + fails("13:00", "A/1", "anna") + fails("13:10", "A/1", "bert") + works("14:00", "A/1", "cleo"), `
			13:10:20 A/1 raised startFailures S3
			14:00:52 A/1 cleared startFailures`},
		"over, back the next day, and then five have to charge": {
			begin + fails("13:00", "A/1", "anna") + fails("13:10", "A/1", "bert") + works("14:00", "A/1", "cleo") +
				fails("1/13:00", "A/1", "anna") + fails("1/13:10", "A/1", "bert") + works("1/14:00", "A/1", "cleo") + works("1/14:10", "A/1", "cleo") +
				works("1/14:20", "A/1", "cleo") + works("1/14:30", "A/1", "cleo") + works("1/14:40", "A/1", "cleo"), `
			13:10:20 A/1 raised startFailures S3
			14:00:52 A/1 cleared startFailures
			1/13:10:20 A/1 raised startFailures S3
			1/14:40:52 A/1 cleared startFailures`},
		"nothing starts for two drivers": {
			begin + try("13:00", "A/1", "anna", "nothing") + try("13:10", "A/1", "bert", "nothing"), `
			13:10:50 A/1 raised startFailures S3`},
		"and for a third": {
			begin + try("13:00", "A/1", "anna", "nothing") + try("13:10", "A/1", "bert", "nothing") + try("13:20", "A/1", "cleo", "nothing"), `
			13:10:50 A/1 raised startFailures S3
			13:20:50 A/1 updated startFailures S2`},
		"three in a row where every other try fails anyway": {
			begin + flaky.String() + fails("18:00", "A/1", "anna") + fails("18:10", "A/1", "bert") + fails("18:20", "A/1", "cleo"), `
			18:10:20 A/1 raised startFailures S3`},
		"eight in a row there": {
			begin + flaky.String() + fails("18:00", "A/1", "anna") + fails("18:10", "A/1", "bert") + fails("18:20", "A/1", "cleo") + fails("18:30", "A/1", "dora") +
				fails("18:40", "A/1", "emil") + fails("18:50", "A/1", "fritz") + fails("19:00", "A/1", "gerd") + fails("19:10", "A/1", "hans"), `
			18:10:20 A/1 raised startFailures S3
			19:10:20 A/1 updated startFailures S2`},
		"one driver three times, then another": {
			begin + fails("13:00", "A/1", "anna") + fails("13:10", "A/1", "anna") + fails("13:20", "A/1", "anna") + fails("13:30", "A/1", "bert"), `
			13:20:20 A/1 raised startFailures S4
			13:30:20 A/1 updated startFailures S2`},
		"one that works between": {
			begin + fails("13:00", "A/1", "anna") + works("13:10", "A/1", "bert") + fails("13:30", "A/1", "cleo"), ``},
		"one at each port": {
			begin + fails("13:00", "A/1", "anna") + fails("13:10", "A/2", "bert"), ``},
		"cars that take nothing": {
			begin + try("13:00", "A/1", "anna", "car") + try("13:10", "A/1", "bert", "car") + try("13:20", "A/1", "cleo", "car"), ``},
		"people who leave without a card": {
			begin + try("13:00", "A/1", "", "leave") + try("13:10", "A/1", "", "leave") + try("14:20", "A/1", "", "leave"), ``},
		"four days between": {
			begin + fails("13:00", "A/1", "anna") + fails("4/13:10", "A/1", "bert"), ``},
		"told of the past": {begin + fails("13:00", "A/1", "anna") + `
			13:10 A/1 started tx=9 token=bert wh=0 told=15:00
			13:11 A/1 ended tx=9 wh=0 reason=PowerLoss told=15:00
			15:30 A wait`, ``},
	})
}

func TestZeroEnergy(t *testing.T) {
	begin := `
		12:00 A configured site=s ac=2
		12:00 A connected
		12:00 A boot
	`
	session := func(at, token, wh, reason string, minutes int) string {
		h, m := 0, 0
		fmt.Sscanf(at, "%d:%d", &h, &m)
		end := h*60 + m + minutes
		return fmt.Sprintf("%s A/1 started tx=%s token=%s wh=0\n%02d:%02d A/1 ended tx=%s wh=%s reason=%s\n",
			at, strings.ReplaceAll(at, ":", ""), token, end/60, end%60, strings.ReplaceAll(at, ":", ""), wh, reason)
	}
	stories(t, "D07", map[string]struct{ story, want string }{
		"three empty ones of five, then two good ones": {begin +
			session("13:00", "anna", "0", "Other", 2) + session("13:10", "bert", "9000", "Local", 20) + session("13:40", "cleo", "20", "Other", 2) +
			session("13:50", "dora", "0", "Other", 3) + session("14:00", "emil", "9000", "Local", 20) + session("14:30", "fritz", "9000", "Local", 20), `
			13:53:00 A/1 raised zeroEnergy S3
			14:50:00 A/1 cleared zeroEnergy`},
		"three empty ones in a row": {begin +
			session("13:00", "anna", "0", "Other", 2) + session("13:10", "bert", "20", "Other", 2) + session("13:40", "cleo", "20", "Other", 2), `
			13:42:00 A/1 raised zeroEnergy S2`},
		"some charge, then nobody does": {begin +
			session("13:00", "anna", "0", "Other", 2) + session("13:10", "bert", "9000", "Local", 20) + session("13:40", "cleo", "20", "Other", 2) +
			session("13:50", "dora", "0", "Other", 3) + session("14:00", "emil", "0", "Other", 2), `
			13:53:00 A/1 raised zeroEnergy S3
			14:02:00 A/1 updated zeroEnergy S2`},
		"two of five": {begin +
			session("13:00", "anna", "0", "Other", 2) + session("13:10", "bert", "9000", "Local", 20) + session("13:40", "cleo", "0", "Other", 2), ``},
		"one driver only": {begin +
			session("13:00", "anna", "0", "Other", 2) + session("13:10", "anna", "0", "Other", 2) + session("13:20", "anna", "0", "Other", 2), `
			13:22:00 A/1 raised zeroEnergy S4`},
		"long ones are slow cars": {begin +
			session("13:00", "anna", "0", "Other", 20) + session("13:30", "bert", "0", "Other", 20) + session("14:00", "cleo", "0", "Other", 20), ``},
		"turned away after the start": {begin +
			session("13:00", "anna", "0", "DeAuthorized", 1) + session("13:10", "bert", "0", "DeAuthorized", 1) + session("13:20", "cleo", "0", "DeAuthorized", 1), ``},
		"changed their minds": {begin + `
			13:00 A/1 started tx=1 token=anna wh=0
			13:00:40 A/1 ended tx=1 wh=0 reason=Local
			13:10 A/1 started tx=2 token=bert wh=0
			13:10:40 A/1 ended tx=2 wh=0 reason=Local
			13:20 A/1 started tx=3 token=cleo wh=0
			13:20:40 A/1 ended tx=3 wh=0 reason=Local`, ``},
		"unplugged within two minutes": {begin +
			session("13:00", "anna", "0", "EVDisconnected", 2) + session("13:10", "bert", "0", "EVDisconnected", 2) + session("13:20", "cleo", "0", "EVDisconnected", 2), ``},
		"cars that wanted nothing": {begin +
			session("13:00", "anna", "0", "StoppedByEV", 2) + session("13:10", "bert", "0", "StoppedByEV", 2) + session("13:20", "cleo", "0", "StoppedByEV", 2), ``},
		"unplugged after four minutes in vain": {begin +
			session("13:00", "anna", "0", "EVDisconnected", 4) + session("13:10", "bert", "0", "EVDisconnected", 4) + session("13:20", "cleo", "0", "EVDisconnected", 4), `
			13:24:00 A/1 raised zeroEnergy S2`},
		"without a meter nothing is known": {begin + `
			13:00 A/1 started tx=1 token=anna
			13:01 A/1 ended tx=1 reason=Other
			13:10 A/1 started tx=2 token=bert
			13:11 A/1 ended tx=2 reason=Other
			13:20 A/1 started tx=3 token=cleo
			13:21 A/1 ended tx=3 reason=Other`, ``},
	})
}

func TestNextDoor(t *testing.T) {
	begin := `
		12:00 A configured site=s dc=2
		12:00 B configured site=s dc=1
		12:00 C configured site=far dc=1
		12:00 A connected
		12:00 B connected
		12:00 C connected
		12:00 A boot
		12:00 A/1 status Available
	`
	charges := func(at, port, token string) string {
		day, rest, ok := strings.Cut(at, "/")
		if !ok {
			day, rest = "0", at
		}
		h, m := 0, 0
		fmt.Sscanf(rest, "%d:%d", &h, &m)
		tx := strings.NewReplacer(":", "", "/", "").Replace(at + port)
		later := func(n int) string { return fmt.Sprintf("%s/%02d:%02d", day, h+(m+n)/60, (m+n)%60) }
		return fmt.Sprintf("%s %s started tx=%s token=%s wh=0\n%s %s meter tx=%s E=0\n%s %s meter tx=%s E=4000\n%s %s ended tx=%s wh=9000 reason=Local\n%s %s status Available\n",
			at, port, tx, token, later(0), port, tx, later(2), port, tx, later(20), port, tx, later(21), port)
	}
	stories(t, "D27", map[string]struct{ story, want string }{
		"one visit, a second one, and a charge": {begin +
			fails("13:00", "A/1", "anna") + charges("13:05", "B/1", "anna") +
			fails("14:00", "A/1", "bert") + charges("14:10", "A/2", "bert") + charges("15:00", "A/1", "cleo"), `
			13:08:00 A/1 raised failedHereChargedNextDoor S3
			14:13:00 A/1 updated failedHereChargedNextDoor S2
			15:20:00 A/1 cleared failedHereChargedNextDoor`},
		"the second try here works":    {begin + fails("13:00", "A/1", "anna") + charges("13:05", "A/1", "anna"), ``},
		"twenty minutes later":         {begin + fails("13:00", "A/1", "anna") + charges("13:21", "B/1", "anna"), ``},
		"another driver":               {begin + fails("13:00", "A/1", "anna") + charges("13:05", "B/1", "bert"), ``},
		"another site":                 {begin + fails("13:00", "A/1", "anna") + charges("13:05", "C/1", "anna"), ``},
		"they fail next door too":      {begin + fails("13:00", "A/1", "anna") + fails("13:05", "A/2", "anna"), ``},
		"turned away here for a token": {begin + "13:00 A/1 status Preparing\n13:00:10 A authorize Invalid token=anna\n13:01 A/1 status Available\n" + charges("13:05", "B/1", "anna"), ``},
		"the cable first and then the card, as in OCPP 2.x": {begin + fails("13:00", "A/1", "anna") + `
			13:04:00 B/1 started tx=7 wh=0
			13:04:20 B/1 updated tx=7 token=anna
			13:06:00 B/1 updated tx=7 wh=3000
			13:20:00 B wait`, `
			13:07:20 A/1 raised failedHereChargedNextDoor S3`},
		"a cable that was plugged next door before": {begin + `
			12:50:00 B/1 started tx=7 wh=0
			` + fails("13:00", "A/1", "anna") + `
			13:00:40 B/1 updated tx=7 token=anna
			13:02:00 B/1 updated tx=7 wh=3000
			13:20:00 B wait`, ``},
		"they start there before they unplug here is seen": {begin + `
			13:00 A/1 status Preparing
			13:00:10 A authorize Accepted token=anna
			13:00:20 A/1 status Faulted error=InternalError
			13:04:00 B/1 started tx=7 token=anna wh=0
			13:06:00 B/1 updated tx=7 wh=3000
			13:20:00 B wait`, `
			13:07:00 A/1 raised failedHereChargedNextDoor S3`},
	})
}
