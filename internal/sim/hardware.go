package sim

// Plug is a connector type by its OCPP 2.0.1 name.
type Plug string

// The plugs of the simulated hardware.
const (
	CCS2    Plug = "cCCS2"
	CHAdeMO Plug = "cG105"
	Type2   Plug = "cType2" // attached cable
	Socket2 Plug = "sType2" // socket, the driver brings the cable
	Schuko  Plug = "s309-1P-16A"
)

// Model is a kind of charging station: what it can deliver and how its
// firmware behaves out of the box.
type Model struct {
	Vendor, Name, Firmware string
	Version                Version // what it speaks unless a Spec says otherwise
	EVSEs                  []EVSEModel
	SharedW                float64 // power all EVSEs share; 0 = no limit beyond their own
	SampleSeconds          int     // factory meter interval; 0 = samples nothing until told
	Measurands             string  // factory list of sampled measurands
	BootOnReconnect        bool    // sends BootNotification after every reconnect
	AvailabilityEvents     bool    // 2.x: reports by NotifyEvent instead of StatusNotification
	Quirks                 Quirks
}

// EVSEModel is one port: one car at a time, whichever of its plugs is used.
type EVSEModel struct {
	RatedW float64
	Phases int // 0 = DC
	Plugs  []Plug
}

const (
	fullAC = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Current.Offered"
	fullDC = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,Power.Offered,SoC,Temperature"
	poorAC = "Energy.Active.Import.Register"
)

func ac(watts float64, phases int, plug Plug) EVSEModel {
	return EVSEModel{RatedW: watts, Phases: phases, Plugs: []Plug{plug}}
}

func dc(watts float64, plugs ...Plug) EVSEModel { return EVSEModel{RatedW: watts, Plugs: plugs} }

// Hardware is the catalogue. Vendor and model strings are spelled as such
// stations send them; the figures are those of the public data sheets.
func Hardware() []Model {
	return []Model{
		{Vendor: "ABB", Name: "Terra AC W22-T-R-0", Firmware: "1.8.32", Version: V16, EVSEs: []EVSEModel{ac(22_000, 3, Type2)}, Measurands: poorAC},
		{Vendor: "ABB", Name: "Terra 54 CJG", Firmware: "4.1.4.1", Version: V16, EVSEs: []EVSEModel{dc(50_000, CCS2, CHAdeMO), ac(22_000, 3, Type2)}, SampleSeconds: 60, Measurands: fullDC, BootOnReconnect: true},
		{Vendor: "ABB", Name: "Terra 184 CC", Firmware: "1.7.3", Version: V16, EVSEs: []EVSEModel{dc(150_000, CCS2), dc(150_000, CCS2)}, SharedW: 180_000, SampleSeconds: 30, Measurands: fullDC, BootOnReconnect: true},
		{Vendor: "Alpitronic", Name: "HYC150", Firmware: "2.5.9", Version: V16, EVSEs: []EVSEModel{dc(150_000, CCS2), dc(150_000, CCS2), ac(22_000, 3, Socket2)}, SharedW: 172_000, SampleSeconds: 20, Measurands: fullDC},
		{Vendor: "Alpitronic", Name: "HYC300", Firmware: "2.6.1", Version: V201, EVSEs: []EVSEModel{dc(300_000, CCS2), dc(150_000, CCS2, CHAdeMO)}, SharedW: 300_000, SampleSeconds: 20, Measurands: fullDC},
		{Vendor: "Alpitronic", Name: "HYC400", Firmware: "3.0.2", Version: V201, EVSEs: []EVSEModel{dc(400_000, CCS2), dc(400_000, CCS2)}, SharedW: 400_000, SampleSeconds: 15, Measurands: fullDC},
		{Vendor: "Kempower", Name: "Satellite S2", Firmware: "2024.3.1", Version: V201, EVSEs: []EVSEModel{dc(200_000, CCS2), dc(200_000, CCS2)}, SharedW: 240_000, SampleSeconds: 30, Measurands: fullDC, AvailabilityEvents: true},
		{Vendor: "Compleo", Name: "Duo ims", Firmware: "5.2.0", Version: V16, EVSEs: []EVSEModel{ac(22_000, 3, Socket2), ac(22_000, 3, Socket2)}, SharedW: 44_000, SampleSeconds: 60, Measurands: fullAC},
		{Vendor: "Mennekes", Name: "AMTRON Professional", Firmware: "5.22.3", Version: V16, EVSEs: []EVSEModel{ac(22_000, 3, Socket2)}, SampleSeconds: 60, Measurands: fullAC},
		{Vendor: "KEBA AG", Name: "KC-P30-EC240422-E00", Firmware: "1.17.1", Version: V16, EVSEs: []EVSEModel{ac(22_000, 3, Socket2)}, Measurands: poorAC},
		{Vendor: "Alfen BV", Name: "NG910-60123", Firmware: "6.6.0-4198", Version: V16, EVSEs: []EVSEModel{ac(22_000, 3, Socket2), ac(22_000, 3, Socket2)}, SharedW: 44_000, SampleSeconds: 60, Measurands: fullAC},
		{Vendor: "EVBox", Name: "BusinessLine G4", Firmware: "G4-M5320E-0.0.3.13", Version: V16, EVSEs: []EVSEModel{ac(11_000, 3, Socket2), ac(11_000, 3, Socket2)}, SampleSeconds: 60, Measurands: poorAC + ",Power.Active.Import"},
		{Vendor: "Schneider Electric", Name: "EVlink Pro AC", Firmware: "1.3.6", Version: V16, EVSEs: []EVSEModel{ac(7_400, 1, Socket2)}, Measurands: poorAC},
		{Vendor: "Wallbox", Name: "Pulsar Pro", Firmware: "6.4.18", Version: V16, EVSEs: []EVSEModel{ac(7_400, 1, Type2)}, SampleSeconds: 60, Measurands: fullAC},
		{Vendor: "go-e", Name: "Charger PRO", Firmware: "57.1", Version: V16, EVSEs: []EVSEModel{ac(3_700, 1, Socket2)}, SampleSeconds: 60, Measurands: fullAC},
		{Vendor: "Siemens", Name: "Sicharge D", Firmware: "3.1.0", Version: V201, EVSEs: []EVSEModel{dc(300_000, CCS2), dc(300_000, CCS2)}, SharedW: 300_000, SampleSeconds: 30, Measurands: fullDC, BootOnReconnect: true},
		{Vendor: "EVerest", Name: "Pionix BelayBox", Firmware: "2026.6", Version: V21, EVSEs: []EVSEModel{ac(22_000, 3, Type2)}, SampleSeconds: 30, Measurands: fullAC},
		{Vendor: "Kostad", Name: "Tripla AC-DC 150", Firmware: "4.0.7", Version: V21, EVSEs: []EVSEModel{dc(150_000, CCS2), dc(150_000, CCS2)}, SharedW: 180_000, SampleSeconds: 20, Measurands: fullDC},
	}
}
