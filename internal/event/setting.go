package event

// KindSettings is how the settings of a station stand to what people want of them.
const KindSettings Kind = "station.settings"

// Settings says that settings of a station that were as wanted are not any more, or
// that they are again. It is told when that changes.
type Settings struct {
	Drifted []SettingDrift `json:"drifted,omitempty"` // none: all are as wanted
}

// SettingDrift is one setting that somebody changed.
type SettingDrift struct {
	Name     string `json:"name"` // in the words of the station
	Want     string `json:"want"`
	Is       string `json:"is"`
	Profile  string `json:"profile,omitempty"`
	Measures bool   `json:"measures,omitempty"` // it decides what the station measures
}

// Kind is KindSettings.
func (*Settings) Kind() Kind { return KindSettings }

func (*Settings) isBody() {}
