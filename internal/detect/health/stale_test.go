package health

import "testing"

func TestStaleStatus(t *testing.T) {
	ask := `1/00:48:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
		`
	stories(t, "D02", map[string]struct{ story, want string }{
		"asked twice, silent twice, and then it speaks": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:49:00 A result timeout id=last
			1/00:50:00 A result timeout id=last
			1/01:10 A/1 status Available`, ask + `
			1/00:49:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
			1/00:50:00 A raised staleStatus S2
			1/01:10:00 A cleared staleStatus`},
		"it accepts and says nothing": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:48:05 A result answered status=Accepted id=last
			1/00:49:10 A result answered status=Accepted id=last
			1/00:52 A wait`, ask + `
			1/00:49:05 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
			1/00:50:10 A raised staleStatus S2`},
		"it answers": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:48:05 A result answered status=Accepted id=last
			1/00:48:06 A/1 status Available
			1/06:00 A wait`, ask},
		"the second request is answered": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:49 A result timeout id=last
			1/00:49:10 A/1 status Available
			1/06:00 A wait`, ask + `
			1/00:49:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}`},
		"a station that knows no such request is asked once": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:48:05 A result error code=NotImplemented id=last
			4/00:00 A wait`, ask},
		"we stopped before the answer came": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			1/00:48:30 self started-server alive=1/00:48:20
			1/00:48:31 A result timeout id=last
			1/00:48:40 A connected
			1/00:48:41 A/1 status Available
			1/01:00 A wait`, ask},
		"an offline station is not asked": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A/1 status Available
			12:10 A disconnected
			2/00:30 A wait`, ``},
		"a charging port speaks through its meter": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A/1 status Charging
			12:00 A/1 started tx=1 token=anna wh=0
			1/00:10 A/1 meter tx=1 E=9000
			1/01:00 A wait`, ``},
	})
}
