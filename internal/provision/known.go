package provision

import (
	"slices"
	"strings"
)

// Kind is what a value is, and so when two are the same.
type Kind string

// The kinds of values.
const (
	Text       Kind = "text"
	Number     Kind = "number"
	Flag       Kind = "flag"
	Measurands Kind = "measurands"
)

// Known is a setting whose meaning is known in all versions.
type Known struct {
	Name   string // of OCPP 2.x; that of OCPP 1.6 where only it has the setting
	Key    string // of OCPP 1.6; empty: it has none
	Kind   Kind
	Unit   string // of a number: s; empty: a count
	Limit  string // key of OCPP 1.6 that tells how many measurands a list can hold
	Effect Effect
}

// Effect is how a setting shows in what a station sends.
type Effect string

// The effects.
const (
	NoEffect        Effect = ""
	SampledInterval Effect = "sampledInterval" // how often it measures while a car charges
	SampledList     Effect = "sampledList"     // and what
)

// Table are the settings that are known.
func Table() []Known {
	return []Known{
		{"SampledDataCtrlr/TxUpdatedInterval", "MeterValueSampleInterval", Number, "s", "", SampledInterval},
		{"SampledDataCtrlr/TxUpdatedMeasurands", "MeterValuesSampledData", Measurands, "", "MeterValuesSampledDataMaxLength", SampledList},
		{"SampledDataCtrlr/TxStartedMeasurands", "", Measurands, "", "", NoEffect},
		{"SampledDataCtrlr/TxEndedMeasurands", "StopTxnSampledData", Measurands, "", "StopTxnSampledDataMaxLength", NoEffect},
		{"SampledDataCtrlr/TxEndedInterval", "", Number, "s", "", NoEffect},
		{"AlignedDataCtrlr/Interval", "ClockAlignedDataInterval", Number, "s", "", NoEffect},
		{"AlignedDataCtrlr/Measurands", "MeterValuesAlignedData", Measurands, "", "MeterValuesAlignedDataMaxLength", NoEffect},
		{"AlignedDataCtrlr/TxEndedMeasurands", "StopTxnAlignedData", Measurands, "", "StopTxnAlignedDataMaxLength", NoEffect},
		{"AlignedDataCtrlr/TxEndedInterval", "", Number, "s", "", NoEffect},
		{"OCPPCommCtrlr/MessageAttempts/TransactionEvent", "TransactionMessageAttempts", Number, "", "", NoEffect},
		{"OCPPCommCtrlr/MessageAttemptInterval/TransactionEvent", "TransactionMessageRetryInterval", Number, "s", "", NoEffect},
		{"OCPPCommCtrlr/WebSocketPingInterval", "WebSocketPingInterval", Number, "s", "", NoEffect},
		{"OCPPCommCtrlr/HeartbeatInterval", "HeartbeatInterval", Number, "s", "", NoEffect},
		{"OCPPCommCtrlr/ResetRetries", "ResetRetries", Number, "", "", NoEffect},
		{"OCPPCommCtrlr/UnlockOnEVSideDisconnect", "UnlockConnectorOnEVSideDisconnect", Flag, "", "", NoEffect},
		{"TxCtrlr/EVConnectionTimeOut", "ConnectionTimeOut", Number, "s", "", NoEffect},
		{"TxCtrlr/StopTxOnEVSideDisconnect", "StopTransactionOnEVSideDisconnect", Flag, "", "", NoEffect},
		{"TxCtrlr/StopTxOnInvalidId", "StopTransactionOnInvalidId", Flag, "", "", NoEffect},
		{"TxCtrlr/MaxEnergyOnInvalidId", "MaxEnergyOnInvalidId", Number, "", "", NoEffect},
		{"AuthCtrlr/AuthorizeRemoteStart", "AuthorizeRemoteTxRequests", Flag, "", "", NoEffect},
		{"AuthCtrlr/LocalPreAuthorize", "LocalPreAuthorize", Flag, "", "", NoEffect},
		{"AuthCtrlr/LocalAuthorizeOffline", "LocalAuthorizeOffline", Flag, "", "", NoEffect},
		{"AuthCtrlr/OfflineTxForUnknownIdEnabled", "AllowOfflineTxForUnknownId", Flag, "", "", NoEffect},
		{"AuthCacheCtrlr/Enabled", "AuthorizationCacheEnabled", Flag, "", "", NoEffect},
		{"LocalAuthListCtrlr/Enabled", "LocalAuthListEnabled", Flag, "", "", NoEffect},
		{"MinimumStatusDuration", "MinimumStatusDuration", Number, "s", "", NoEffect},
		{"LightIntensity", "LightIntensity", Number, "", "", NoEffect},
	}
}

// Find looks a setting up by its name, or by its key of OCPP 1.6.
func Find(name string) (Known, bool) {
	table := Table()
	i := slices.IndexFunc(table, func(k Known) bool { return strings.EqualFold(k.Name, name) })
	if i < 0 {
		i = slices.IndexFunc(table, func(k Known) bool { return k.Key != "" && strings.EqualFold(k.Key, name) })
	}
	if i < 0 {
		return Known{}, false
	}
	return table[i], true
}

// ByList reports whether a setting belongs to those by which a station serves whom it
// knows while nobody can be asked: where its list is kept, they are kept with it.
func ByList(name string) bool {
	switch name {
	case "LocalAuthListCtrlr/Enabled", "AuthCtrlr/LocalAuthorizeOffline", "AuthCtrlr/OfflineTxForUnknownIdEnabled", "AuthCacheCtrlr/Enabled":
		return true
	}
	return false
}

// Secret reports whether a setting holds what must not be written into a profile.
func Secret(name string) bool {
	last := name[strings.LastIndexByte(name, '/')+1:]
	for _, part := range append(strings.Split(name, "/"), last) {
		low := strings.ToLower(part)
		if low == "authorizationkey" || low == "psk" || low == "pin" || low == "simpin" {
			return true
		}
		for _, word := range []string{"password", "passwd", "passphrase", "secret", "privatekey", "apikey", "vpnkey", "wlankey", "wifikey", "accesskey"} {
			if strings.Contains(low, word) {
				return true
			}
		}
	}
	return false
}

// Measurand reports whether OCPP of a version has a measurand.
func Measurand(name string, modern bool) bool {
	if modern && (name == "Temperature" || name == "RPM") {
		return false
	}
	return true
}

// Split reads a list.
func Split(text string) []string {
	var out []string
	for x := range strings.SplitSeq(text, ",") {
		if x = strings.TrimSpace(x); x != "" && !slices.ContainsFunc(out, func(y string) bool { return strings.EqualFold(x, y) }) {
			out = append(out, x)
		}
	}
	return out
}

// Same reports whether two values mean the same.
func Same(kind Kind, a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	switch kind {
	case Number:
		return number(a) == number(b)
	case Flag:
		return strings.EqualFold(a, b)
	case Measurands:
		x, y := Split(a), Split(b)
		return len(x) == len(y) && len(missing(x, y)) == 0
	}
	return a == b
}

// number cuts what some firmware writes behind a whole number.
func number(text string) string {
	if whole, rest, found := strings.Cut(text, "."); found && strings.Trim(rest, "0") == "" {
		text = whole
	}
	if cut := strings.TrimLeft(text, "0"); cut != "" || text == "" {
		return cut
	}
	return "0"
}

// missing are those of want that are not in have.
func missing(want, have []string) []string {
	var out []string
	for _, x := range want {
		if !slices.ContainsFunc(have, func(y string) bool { return strings.EqualFold(x, y) }) {
			out = append(out, x)
		}
	}
	return out
}
