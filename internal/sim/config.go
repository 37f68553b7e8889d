package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// variable is one entry of a station's factory configuration. Keys are the
// 1.6 key, or Component/Variable[/Instance] in 2.x.
type variable struct {
	key       string
	value     string
	kind      varKind
	readOnly  bool
	writeOnly bool
	reboot    bool
}

type varKind uint8

const (
	textVar varKind = iota
	intVar
	boolVar
	measurandsVar
)

// catalogue is the factory configuration of a model, shared by its stations.
type catalogue struct {
	list  []variable
	index map[string]int
}

func (c *catalogue) find(key string) *variable {
	if i, ok := c.index[strings.ToLower(key)]; ok {
		return &c.list[i]
	}
	return nil
}

func newCatalogue(m *Model, v Version) *catalogue {
	c := &catalogue{index: make(map[string]int)}
	if v == V16 {
		c.list = factory16(m)
	} else {
		c.list = factory2(m)
	}
	for i, x := range c.list {
		c.index[strings.ToLower(x.key)] = i
	}
	return c
}

func factory16(m *Model) []variable {
	plugs := 0
	for _, e := range m.EVSEs {
		plugs += len(e.Plugs)
	}
	text := func(k, v string) variable { return variable{key: k, value: v} }
	number := func(k string, v int) variable { return variable{key: k, value: strconv.Itoa(v), kind: intVar} }
	flag := func(k string, v bool) variable { return variable{key: k, value: strconv.FormatBool(v), kind: boolVar} }
	fixed := func(x variable) variable { x.readOnly = true; return x }
	what := func(k, v string) variable { return variable{key: k, value: v, kind: measurandsVar} }
	return []variable{
		flag("AllowOfflineTxForUnknownId", true), flag("AuthorizationCacheEnabled", true), flag("AuthorizeRemoteTxRequests", false),
		number("BlinkRepeat", 3), number("ClockAlignedDataInterval", 0), number("ConnectionTimeOut", 60),
		text("ConnectorPhaseRotation", "1.RST,2.RST"), fixed(number("ConnectorPhaseRotationMaxLength", 2)),
		fixed(number("GetConfigurationMaxKeys", 60)), number("HeartbeatInterval", 300), number("LightIntensity", 70),
		flag("LocalAuthorizeOffline", true), flag("LocalPreAuthorize", false), number("MaxEnergyOnInvalidId", 0),
		what("MeterValuesAlignedData", "Energy.Active.Import.Register"), fixed(number("MeterValuesAlignedDataMaxLength", 20)),
		what("MeterValuesSampledData", m.Measurands), fixed(number("MeterValuesSampledDataMaxLength", 20)),
		number("MeterValueSampleInterval", m.SampleSeconds), number("MinimumStatusDuration", 0), fixed(number("NumberOfConnectors", plugs)),
		number("ResetRetries", 1), flag("StopTransactionOnEVSideDisconnect", true), flag("StopTransactionOnInvalidId", true),
		what("StopTxnAlignedData", ""), what("StopTxnSampledData", ""),
		fixed(text("SupportedFeatureProfiles", "Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger,Security")),
		number("TransactionMessageAttempts", 3), number("TransactionMessageRetryInterval", 20), flag("UnlockConnectorOnEVSideDisconnect", true),
		number("WebSocketPingInterval", 60), flag("LocalAuthListEnabled", true), fixed(number("LocalAuthListMaxLength", maxLocalList)),
		fixed(number("SendLocalListMaxLength", 500)), fixed(flag("ReserveConnectorZeroSupported", false)), fixed(number("ChargeProfileMaxStackLevel", 10)),
		fixed(text("ChargingScheduleAllowedChargingRateUnit", "Current,Power")), fixed(number("ChargingScheduleMaxPeriods", 48)),
		fixed(flag("ConnectorSwitch3to1PhaseSupported", false)), fixed(number("MaxChargingProfilesInstalled", maxProfiles)),
		{key: "SecurityProfile", value: "1", kind: intVar, reboot: true}, {key: "AuthorizationKey", writeOnly: true}, text("CpoName", "CWD"),
		fixed(text("FreevendEnabled", "false")), {key: "Vendor.DisplayLanguage", value: "de", reboot: true},
	}
}

func factory2(m *Model) []variable {
	text := func(k, v string) variable { return variable{key: k, value: v} }
	number := func(k string, v int) variable { return variable{key: k, value: strconv.Itoa(v), kind: intVar} }
	flag := func(k string, v bool) variable { return variable{key: k, value: strconv.FormatBool(v), kind: boolVar} }
	fixed := func(x variable) variable { x.readOnly = true; return x }
	what := func(k, v string) variable { return variable{key: k, value: v, kind: measurandsVar} }
	list := []variable{
		fixed(text("ChargingStation/Model", m.Name)), fixed(text("ChargingStation/VendorName", m.Vendor)), fixed(flag("ChargingStation/Available", true)),
		fixed(text("ChargingStation/AvailabilityState", "Available")), fixed(number("ChargingStation/SupplyPhases", 3)),
		number("AlignedDataCtrlr/Interval", 0), what("AlignedDataCtrlr/Measurands", "Energy.Active.Import.Register"), number("AlignedDataCtrlr/TxEndedInterval", 0), what("AlignedDataCtrlr/TxEndedMeasurands", ""),
		flag("AuthCacheCtrlr/Enabled", true), flag("AuthCtrlr/Enabled", true), flag("AuthCtrlr/AuthorizeRemoteStart", false), flag("AuthCtrlr/LocalAuthorizeOffline", true), flag("AuthCtrlr/LocalPreAuthorize", false),
		flag("AuthCtrlr/OfflineTxForUnknownIdEnabled", true), fixed(text("ClockCtrlr/DateTime", "")), text("ClockCtrlr/TimeSource", "Heartbeat,NTP"), text("ClockCtrlr/TimeZone", "Europe/Berlin"),
		fixed(number("DeviceDataCtrlr/BytesPerMessage/GetReport", 8192)), fixed(number("DeviceDataCtrlr/ItemsPerMessage/GetReport", 50)), fixed(number("DeviceDataCtrlr/ItemsPerMessage/GetVariables", 50)), fixed(number("DeviceDataCtrlr/ItemsPerMessage/SetVariables", 50)),
		flag("LocalAuthListCtrlr/Enabled", true), fixed(number("LocalAuthListCtrlr/Entries", 0)), fixed(number("LocalAuthListCtrlr/ItemsPerMessage", 500)), fixed(number("LocalAuthListCtrlr/BytesPerMessage", 65536)),
		flag("MonitoringCtrlr/Enabled", true), number("MonitoringCtrlr/OfflineQueuingSeverity", 4), fixed(number("MonitoringCtrlr/ItemsPerMessage/SetVariableMonitoring", 8)), number("MonitoringCtrlr/ActiveMonitoringLevel", 9),
		number("OCPPCommCtrlr/HeartbeatInterval", 300), number("OCPPCommCtrlr/MessageTimeout/Default", 30), number("OCPPCommCtrlr/MessageAttempts/TransactionEvent", 3), number("OCPPCommCtrlr/MessageAttemptInterval/TransactionEvent", 20),
		fixed(text("OCPPCommCtrlr/FileTransferProtocols", "HTTPS,SFTP")), {key: "OCPPCommCtrlr/NetworkConfigurationPriority", value: "1", reboot: true}, number("OCPPCommCtrlr/NetworkProfileConnectionAttempts", 3), number("OCPPCommCtrlr/OfflineThreshold", 60),
		number("OCPPCommCtrlr/ResetRetries", 1), number("OCPPCommCtrlr/RetryBackOffRandomRange", 10), number("OCPPCommCtrlr/RetryBackOffRepeatTimes", 5), number("OCPPCommCtrlr/RetryBackOffWaitMinimum", 2), flag("OCPPCommCtrlr/UnlockOnEVSideDisconnect", true), number("OCPPCommCtrlr/WebSocketPingInterval", 60),
		flag("ReservationCtrlr/Enabled", true), number("SampledDataCtrlr/TxUpdatedInterval", m.SampleSeconds), what("SampledDataCtrlr/TxUpdatedMeasurands", m.Measurands), what("SampledDataCtrlr/TxStartedMeasurands", "Energy.Active.Import.Register"),
		what("SampledDataCtrlr/TxEndedMeasurands", "Energy.Active.Import.Register"), number("SampledDataCtrlr/TxEndedInterval", 0),
		{key: "SecurityCtrlr/BasicAuthPassword", writeOnly: true}, fixed(number("SecurityCtrlr/SecurityProfile", 1)), text("SecurityCtrlr/OrganizationName", "CWD"), fixed(number("SecurityCtrlr/CertificateEntries", 0)),
		flag("SmartChargingCtrlr/Enabled", true), fixed(number("SmartChargingCtrlr/ProfileStackLevel", 10)), fixed(text("SmartChargingCtrlr/RateUnit", "A,W")), fixed(number("SmartChargingCtrlr/PeriodsPerSchedule", 48)), fixed(number("SmartChargingCtrlr/Entries/ChargingProfiles", 0)),
		number("TxCtrlr/EVConnectionTimeOut", 60), flag("TxCtrlr/StopTxOnEVSideDisconnect", true), flag("TxCtrlr/StopTxOnInvalidId", true), text("TxCtrlr/TxStartPoint", "EVConnected"), text("TxCtrlr/TxStopPoint", "EVConnected,Authorized"),
		{key: "DisplayMessageCtrlr/Language", value: "de", reboot: true},
	}
	return list
}

// settings is what the station reads from its configuration while it works.
type settings struct {
	heartbeat         time.Duration
	sampleEvery       time.Duration
	sampled           []string
	alignedEvery      time.Duration
	alignedData       []string
	stopSampled       []string
	connectionTimeOut time.Duration
	txAttempts        int
	txRetry           time.Duration
	stopOnInvalid     bool
	authorizeRemote   bool
	localList         bool
	offline           bool // serves whom it knows without being heard
	offlineUnknown    bool
	cache             bool
}

// get reads a configuration value.
func (st *station) get(key string) string {
	v := st.f.catalogue(st).find(key)
	if v == nil {
		return ""
	}
	if s, ok := st.config[v.key]; ok {
		return s
	}
	return v.value
}

// reconfigure applies the configuration.
func (st *station) reconfigure() {
	key := func(k16, k2 string) string {
		if st.version == V16 {
			return st.get(k16)
		}
		return st.get(k2)
	}
	number := func(k16, k2 string) int {
		n, _ := strconv.Atoi(key(k16, k2))
		return max(0, n)
	}
	seconds := func(k16, k2 string) time.Duration { return time.Duration(number(k16, k2)) * time.Second }
	list := func(k16, k2 string) []string {
		l, _ := measurandList(key(k16, k2))
		return l
	}
	st.set = settings{
		heartbeat:         seconds("HeartbeatInterval", "OCPPCommCtrlr/HeartbeatInterval"),
		sampleEvery:       seconds("MeterValueSampleInterval", "SampledDataCtrlr/TxUpdatedInterval"),
		sampled:           list("MeterValuesSampledData", "SampledDataCtrlr/TxUpdatedMeasurands"),
		alignedEvery:      seconds("ClockAlignedDataInterval", "AlignedDataCtrlr/Interval"),
		alignedData:       list("MeterValuesAlignedData", "AlignedDataCtrlr/Measurands"),
		stopSampled:       list("StopTxnSampledData", "SampledDataCtrlr/TxEndedMeasurands"),
		connectionTimeOut: seconds("ConnectionTimeOut", "TxCtrlr/EVConnectionTimeOut"),
		txAttempts:        max(1, number("TransactionMessageAttempts", "OCPPCommCtrlr/MessageAttempts/TransactionEvent")),
		txRetry:           seconds("TransactionMessageRetryInterval", "OCPPCommCtrlr/MessageAttemptInterval/TransactionEvent"),
		stopOnInvalid:     key("StopTransactionOnInvalidId", "TxCtrlr/StopTxOnInvalidId") == "true",
		authorizeRemote:   key("AuthorizeRemoteTxRequests", "AuthCtrlr/AuthorizeRemoteStart") == "true",
		localList:         key("LocalAuthListEnabled", "LocalAuthListCtrlr/Enabled") == "true",
		offline:           key("LocalAuthorizeOffline", "AuthCtrlr/LocalAuthorizeOffline") == "true",
		offlineUnknown:    key("AllowOfflineTxForUnknownId", "AuthCtrlr/OfflineTxForUnknownIdEnabled") == "true",
		cache:             key("AuthorizationCacheEnabled", "AuthCacheCtrlr/Enabled") == "true",
	}
}

// change writes a configuration value and says what a station says: Accepted,
// Rejected, RebootRequired or NotSupported.
func (st *station) change(key, value string) string {
	v := st.f.catalogue(st).find(key)
	switch {
	case v == nil:
		return "NotSupported"
	case v.readOnly, len(value) > 500:
		return "Rejected"
	}
	switch v.kind {
	case intVar:
		if n, err := strconv.Atoi(value); err != nil || n < 0 {
			return "Rejected"
		}
	case boolVar:
		value = strings.ToLower(value)
		if value != "true" && value != "false" {
			return "Rejected"
		}
	case measurandsVar:
		if _, ok := measurandList(value); !ok {
			return "Rejected"
		}
	}
	if said := st.spec.Factory.says(v, value); said != "" {
		return said
	}
	switch {
	case v.writeOnly:
		return st.newPassword(value)
	case v.key == "SecurityProfile":
		if no := st.refusesProfile(value); no != "" {
			return no
		}
	case v.key == "OCPPCommCtrlr/NetworkConfigurationPriority" && !st.rightWays(value):
		return "Rejected"
	}
	st.config[v.key] = value
	if v.reboot || st.spec.Factory != nil && st.spec.Factory.Restarts && howOften(v.key) {
		return "RebootRequired"
	}
	heartbeat, every := st.set.heartbeat, st.set.sampleEvery
	st.reconfigure()
	if st.spec.Factory != nil && st.spec.Factory.Restarts {
		st.set.sampleEvery = every // another setting does not bring what waits for a restart
	}
	if !strings.Contains(v.key, "HeartbeatInterval") {
		st.set.heartbeat = heartbeat // the boot answer stays in force
	} else if st.accepted && st.wire != nil {
		st.heartbeatIn(st.set.heartbeat)
	}
	st.resample()
	return "Accepted"
}

// serial is the serial number as the firmware reports it.
func (st *station) serial() string {
	if st.quirks.has(LongSerial) {
		return fmt.Sprintf("%-26.26s", strings.ReplaceAll(st.spec.Serial+"-EVSE-2021-000000000000000", " ", "0"))
	}
	return st.spec.Serial
}
