package health

import "testing"

func TestStaleStatus(t *testing.T) {
	ask := `16:48:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
		`
	stories(t, "D02", map[string]struct{ story, want string }{
		"asked twice, silent twice, and then it speaks": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:49:00 A result timeout id=last
			16:50:00 A result timeout id=last
			17:10 A/1 status Available`, ask + `
			16:49:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
			16:50:00 A raised staleStatus S2
			17:10:00 A cleared staleStatus`},
		"it accepts and says nothing": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:48:05 A result answered status=Accepted id=last
			16:49:10 A result answered status=Accepted id=last
			16:52 A wait`, ask + `
			16:49:05 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}
			16:50:10 A raised staleStatus S2`},
		"it answers": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:48:05 A result answered status=Accepted id=last
			16:48:06 A/1 status Available
			19:00 A wait`, ask},
		"it answers with the time since which the status holds": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:48:05 A result answered status=Accepted id=last
			12:00 A/1 status Available told=16:48:06
			19:00 A wait`, ask},
		"the second request is answered": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:49 A result timeout id=last
			16:49:10 A/1 status Available
			19:00 A wait`, ask + `
			16:49:00 A asks TriggerMessage {"requestedMessage":"StatusNotification","connectorId":1}`},
		"a station that knows no such request is asked once": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:48:05 A result error code=NotImplemented id=last
			4/00:00 A wait`, ask},
		"we stopped before the answer came": {`
			12:00 A configured ac=1
			12:00 A connected
			12:00 A boot
			12:00 A/1 status Available
			16:48:30 self started-server alive=16:48:20
			16:48:31 A result timeout id=last
			16:48:40 A connected
			16:48:41 A/1 status Available
			17:00 A wait`, ask},
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
			16:10 A/1 meter tx=1 E=9000
			17:00 A wait`, ``},
	})
}
