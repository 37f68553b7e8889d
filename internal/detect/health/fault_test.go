package health

import "testing"

func TestFault(t *testing.T) {
	at16 := `
		12:00 A configured site=s dc=2
		12:00 A connected
		12:00 A boot
		12:00 A/1 status Available
	`
	stories(t, "D03", map[string]struct{ story, want string }{
		"a fault that lasts": {at16 + `
			13:00 A/1 status Faulted error=ReaderFailure vendor=E42
			14:00 A/1 status Available`, `
			13:01:00 A/1 raised fault/ReaderFailure/E42 S3
			14:00:00 A/1 cleared fault/ReaderFailure/E42`},
		"a fault of 59 seconds": {at16 + `
			13:00 A/1 status Faulted error=ReaderFailure
			13:00:59 A/1 status Available
			14:00 A wait`, ``},
		"a danger is told at once": {at16 + `
			13:00 A/1 status Faulted error=GroundFailure
			13:00:10 A/1 status Available`, `
			13:00:00 A/1 raised fault/GroundFailure S1 safety
			13:00:10 A/1 cleared fault/GroundFailure`},
		"a danger in the vendor's words": {at16 + `
			13:00 A/1 status Faulted error=OtherError info=relay_welded`, `
			13:00:00 A/1 raised fault/OtherError S1 safety`},
		"a code of the ChargeX set": {at16 + `
			13:00 A/1 status Faulted error=OtherError vendor=CX026 vendorId=https://chargex.inl.gov`, `
			13:00:00 A/1 raised fault/OtherError/CX026 S1 safety`},
		"told again and again": {at16 + `
			13:00 A/1 status Faulted error=InternalError
			13:00:30 A/1 status Faulted error=InternalError
			13:05 A/1 status Faulted error=InternalError
			13:06 A/1 status Unavailable`, `
			13:01:00 A/1 raised fault/InternalError S3
			13:06:00 A/1 cleared fault/InternalError`},
		"another fault takes its place": {at16 + `
			13:00 A/1 status Faulted error=InternalError
			13:05 A/1 status Faulted error=PowerMeterFailure
			13:07 A wait`, `
			13:01:00 A/1 raised fault/InternalError S3
			13:05:00 A/1 cleared fault/InternalError
			13:06:00 A/1 raised fault/PowerMeterFailure S3`},
		"the whole station": {at16 + `
			13:00 A status Faulted error=InternalError
			13:02 A wait`, `
			13:01:00 A raised fault/InternalError S3`},
		"a warning of a port that works": {at16 + `
			13:00 A/1 status Charging error=WeakSignal
			13:02 A/1 status Charging`, `
			13:01:00 A/1 raised fault/WeakSignal S4
			13:02:00 A/1 cleared fault/WeakSignal`},
		"a vendor's code that means no error": {at16 + `
			13:00 A/1 status Available vendor=0x0000
			13:02 A wait`, ``},
		"a fault does not end by silence": {at16 + `
			13:00 A/1 status Faulted error=InternalError
			13:10 A disconnected
			15:10 A connected
			16:00 A wait`, `
			13:01:00 A/1 raised fault/InternalError S3`},
		"a fault of the past": {at16 + `
			13:00 A/1 status Faulted error=GroundFailure told=15:00
			14:00 A/1 status Available told=15:00:05
			15:10 A wait`, ``},
		"a fault of the past that has been overtaken": {at16 + `
			14:00 A/1 status Preparing
			13:00 A/1 status Faulted error=GroundFailure told=15:00
			15:10 A wait`, ``},
		"a fault that still stands and is told with the time it began": {at16 + `
			13:00 A/1 status Faulted error=GroundFailure told=15:00
			15:10 A wait`, `
			15:01:00 A/1 raised fault/GroundFailure S1 safety`},
		"a problem of OCPP 2.x, raised and cleared": {`
			12:00 A configured site=s dc=1
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:00 A/1 component CableBreakawaySensor code=B1
			13:30 A/1 component CableBreakawaySensor value=false cleared=1`, `
			13:01:00 A/1 raised fault/CableBreakawaySensor.Problem/B1 S3
			13:30:00 A/1 cleared fault/CableBreakawaySensor.Problem/B1`},
		"a clear that was never raised": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:30 A/1 component Contactor value=false cleared=1
			14:00 A wait`, ``},
		"a monitor that was set for danger": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:30 A/1 component Connector variable=Temperature value=121 trigger=Alerting severity=0
			13:35 A/1 component Connector variable=Temperature value=80 trigger=Alerting severity=0 cleared=1`, `
			13:30:00 A/1 raised fault/Connector.Temperature S1 safety
			13:35:00 A/1 cleared fault/Connector.Temperature`},
		"two monitors of one value, each passed and cleared for itself": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:30 A/1 component TemperatureSensor variable=Temperature value=74 trigger=Alerting severity=5 monitor=1
			13:40 A/1 component TemperatureSensor variable=Temperature value=93 trigger=Alerting severity=3 monitor=2
			13:50 A/1 component TemperatureSensor variable=Temperature value=88 trigger=Alerting monitor=2 cleared=1
			14:00 A/1 component TemperatureSensor variable=Temperature value=69 trigger=Alerting monitor=1 cleared=1`, `
			13:30:00 A/1 raised fault/TemperatureSensor.Temperature S3 safety
			13:40:00 A/1 updated fault/TemperatureSensor.Temperature S2 safety
			13:50:00 A/1 updated fault/TemperatureSensor.Temperature S3 safety
			14:00:00 A/1 cleared fault/TemperatureSensor.Temperature`},
		"a clear of a monitor that never raised heals nothing": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:30 A/1 component TemperatureSensor variable=Temperature value=93 trigger=Alerting severity=3 monitor=2
			13:40 A/1 component TemperatureSensor variable=Temperature value=92 trigger=Alerting monitor=7 cleared=1
			13:45 A/1 component Connector variable=Problem value=false monitor=9 cleared=1
			14:00 A wait`, `
			13:30:00 A/1 raised fault/TemperatureSensor.Temperature S2 safety`},
		"a clear that was never raised does not heal a status": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Faulted
			12:10 A/1 component Connector variable=Problem value=false cleared=1
			13:00 A wait`, `
			12:01:00 A/1 raised fault/Faulted S3`},
		"an event of OCPP 2.0.1 has the severity that its monitor was given": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			12:10 A monitored id=4 severity=2
			13:30 A/1 component TokenReader variable=Problem value=true trigger=Delta monitor=4
			13:50 A/1 component TokenReader variable=Problem value=false trigger=Delta monitor=4`, `
			13:31:00 A/1 raised fault/TokenReader.Problem S2
			13:50:00 A/1 cleared fault/TokenReader.Problem`},
		"a value that only changed": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:30 A/1 component Connector variable=Temperature value=44 trigger=Periodic
			14:00 A wait`, ``},
		"a problem that a charge disproves": {`
			12:00 A configured dc=1
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:00 A/1 component DisplayDevice
			14:00 A/1 status2 Occupied
			14:00 A/1 started tx=1 token=anna wh=0
			14:30 A/1 ended tx=1 wh=9000 reason=Local`, `
			13:01:00 A/1 raised fault/DisplayDevice.Problem S3
			14:30:00 A/1 cleared fault/DisplayDevice.Problem`},
		"Faulted of OCPP 2.x without more": {`
			12:00 A connected protocol=ocpp2.0.1
			12:00 A/1 status2 Available
			13:00 A/1 status2 Faulted
			13:10 A/1 status2 Available`, `
			13:01:00 A/1 raised fault/Faulted S3
			13:10:00 A/1 cleared fault/Faulted`},
	})
}
