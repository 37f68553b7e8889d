package health

import (
	"fmt"
	"strings"
	"testing"
)

func TestWear(t *testing.T) {
	begin := `
		12:00 A configured site=s dc=2
		12:00 A connected
		12:00 A boot
		12:00 A/1 status Available
	`
	var many strings.Builder
	for i := range 8 {
		fmt.Fprintf(&many, "13:%02d A/1 started tx=%d token=anna wh=0\n13:%02d:30 A/1 ended tx=%d wh=900 reason=Local\n", i, i, i, i)
	}
	stories(t, "D14", map[string]struct{ story, want string }{
		"a code of the ChargeX set": {begin + `
			13:00 A/1 status Faulted error=OtherError vendor=CX017 vendorId=https://chargex.inl.gov
			13:10 A/1 status Available`, `
			13:00:00 A/1 raised contactorWelded S1 safety
			13:10:00 A/1 cleared contactorWelded`},
		"the vendor's own words": {begin + `
			13:00 A/1 status Faulted error=PowerSwitchFailure info=DC_relay_stuck_closed`, `
			13:00:00 A/1 raised contactorWelded S1 safety`},
		"a contactor of OCPP 2.x": {begin + `
			13:00 A/1 component PowerContactor code=WELD_DC_P
			13:30 A/1 component PowerContactor value=false cleared=1`, `
			13:00:00 A/1 raised contactorWelded S1 safety
			13:30:00 A/1 cleared contactorWelded`},
		"a relay that reports something else": {begin + `
			13:00 A/1 status Faulted error=PowerSwitchFailure info=relay_driver_voltage_low`, ``},
		"a vehicle's contactor": {begin + `
			13:00 A/1 status Faulted error=OtherError vendor=CX016`, ``},
		"its rated life is nearly over": {begin + `
			12:30 self threshold D14@ value={"detector":"D14","values":{"ratedCycles":10}}` + "\n" + many.String(), `
			13:07:30 A/1 raised contactorWear S3`},
		"the station's own counter, and a new contactor": {begin + `
			13:00 A/1 component PowerContactor variable=Count value=79999
			14:00 A/1 component PowerContactor variable=Count value=80000
			15:00 A/1 component PowerContactor variable=Count value=2`, `
			14:00:00 A/1 raised contactorWear S3
			15:00:00 A/1 cleared contactorWear`},
		"a young contactor": {begin + many.String(), ``},
	})
}

func TestLockOrCable(t *testing.T) {
	begin := `
		00:00 A configured site=s dc=2
		00:00 A connected
		00:00 A boot
		00:00 A/1 status Available
	`
	var good strings.Builder
	for i := range 40 {
		good.WriteString(works(fmt.Sprintf("%02d:%02d", 1+i/20, i%20*3), "A/1", "x"))
	}
	ten := func(h int) (out string) {
		for i := range 10 {
			out += works(fmt.Sprintf("%02d:%02d", h, i*2), "A/1", "y")
		}
		return out
	}
	bad := func(at, token string) string { return try(at, "A/1", token, "lock") }
	stories(t, "D15", map[string]struct{ story, want string }{
		"three in a row of two drivers, then ten good ones": {begin +
			bad("13:00", "anna") + bad("13:05", "bert") + bad("13:10", "anna") + ten(14), `
			13:10:20 A/1 raised lockOrCable S3
			14:18:52 A/1 cleared lockOrCable`},
		"one driver with a bent inlet": {begin + bad("13:00", "anna") + bad("13:05", "anna") + bad("13:10", "anna") + bad("13:15", "anna"), ``},
		"too large a share": {begin + good.String() + bad("13:00", "anna") + works("13:05", "A/1", "x") + bad("13:10", "bert"), `
			13:10:20 A/1 raised lockOrCable S3`},
		"every other time": {begin +
			bad("13:00", "anna") + works("13:05", "A/1", "x") + bad("13:10", "bert") + works("13:15", "A/1", "x") + bad("13:20", "cleo"), `
			13:20:20 A/1 raised lockOrCable S3`},
		"one in forty":   {begin + good.String() + bad("13:00", "anna"), ``},
		"other failures": {begin + fails("13:00", "A/1", "anna") + fails("13:05", "A/1", "bert") + fails("13:10", "A/1", "cleo"), ``},
		"a plug that stays locked counts": {begin +
			bad("13:00", "anna") + bad("13:05", "anna") + `
			13:10 A command UnlockConnector id=u payload={"connectorId":1}
			13:10:05 A result answered id=u status=UnlockFailed`, `
			13:10:05 A/1 raised lockOrCable S3`},
	})
}
