package v2

// Action names the message as OCPP does.
func (*Authorize) Action() string { return "Authorize" }

// Action names the message as OCPP does.
func (*BatterySwap) Action() string { return "BatterySwap" }

// Action names the message as OCPP does.
func (*BootNotification) Action() string { return "BootNotification" }

// Action names the message as OCPP does.
func (*ClearedChargingLimit) Action() string { return "ClearedChargingLimit" }

// Action names the message as OCPP does.
func (*ClosePeriodicEventStream) Action() string { return "ClosePeriodicEventStream" }

// Action names the message as OCPP does.
func (*DataTransfer) Action() string { return "DataTransfer" }

// Action names the message as OCPP does.
func (*FirmwareStatusNotification) Action() string { return "FirmwareStatusNotification" }

// Action names the message as OCPP does.
func (*Get15118EVCertificate) Action() string { return "Get15118EVCertificate" }

// Action names the message as OCPP does.
func (*GetCertificateChainStatus) Action() string { return "GetCertificateChainStatus" }

// Action names the message as OCPP does.
func (*GetCertificateStatus) Action() string { return "GetCertificateStatus" }

// Action names the message as OCPP does.
func (*Heartbeat) Action() string { return "Heartbeat" }

// Action names the message as OCPP does.
func (*LogStatusNotification) Action() string { return "LogStatusNotification" }

// Action names the message as OCPP does.
func (*MeterValues) Action() string { return "MeterValues" }

// Action names the message as OCPP does.
func (*NotifyChargingLimit) Action() string { return "NotifyChargingLimit" }

// Action names the message as OCPP does.
func (*NotifyCustomerInformation) Action() string { return "NotifyCustomerInformation" }

// Action names the message as OCPP does.
func (*NotifyDERAlarm) Action() string { return "NotifyDERAlarm" }

// Action names the message as OCPP does.
func (*NotifyDERStartStop) Action() string { return "NotifyDERStartStop" }

// Action names the message as OCPP does.
func (*NotifyDisplayMessages) Action() string { return "NotifyDisplayMessages" }

// Action names the message as OCPP does.
func (*NotifyEVChargingNeeds) Action() string { return "NotifyEVChargingNeeds" }

// Action names the message as OCPP does.
func (*NotifyEVChargingSchedule) Action() string { return "NotifyEVChargingSchedule" }

// Action names the message as OCPP does.
func (*NotifyEvent) Action() string { return "NotifyEvent" }

// Action names the message as OCPP does.
func (*NotifyMonitoringReport) Action() string { return "NotifyMonitoringReport" }

// Action names the message as OCPP does.
func (*NotifyPeriodicEventStream) Action() string { return "NotifyPeriodicEventStream" }

// Action names the message as OCPP does.
func (*NotifyPriorityCharging) Action() string { return "NotifyPriorityCharging" }

// Action names the message as OCPP does.
func (*NotifyReport) Action() string { return "NotifyReport" }

// Action names the message as OCPP does.
func (*NotifySettlement) Action() string { return "NotifySettlement" }

// Action names the message as OCPP does.
func (*OpenPeriodicEventStream) Action() string { return "OpenPeriodicEventStream" }

// Action names the message as OCPP does.
func (*PublishFirmwareStatusNotification) Action() string { return "PublishFirmwareStatusNotification" }

// Action names the message as OCPP does.
func (*PullDynamicScheduleUpdate) Action() string { return "PullDynamicScheduleUpdate" }

// Action names the message as OCPP does.
func (*ReportChargingProfiles) Action() string { return "ReportChargingProfiles" }

// Action names the message as OCPP does.
func (*ReportDERControl) Action() string { return "ReportDERControl" }

// Action names the message as OCPP does.
func (*ReservationStatusUpdate) Action() string { return "ReservationStatusUpdate" }

// Action names the message as OCPP does.
func (*SecurityEventNotification) Action() string { return "SecurityEventNotification" }

// Action names the message as OCPP does.
func (*SignCertificate) Action() string { return "SignCertificate" }

// Action names the message as OCPP does.
func (*StatusNotification) Action() string { return "StatusNotification" }

// Action names the message as OCPP does.
func (*TransactionEvent) Action() string { return "TransactionEvent" }

// Action names the message as OCPP does.
func (*VatNumberValidation) Action() string { return "VatNumberValidation" }
