package v2

import (
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

func decodeInfo(r *reading.Reader, p jsondoc.Node) *StatusInfo {
	n := r.Object(p, "/statusInfo", opt)
	if !n.Exists() {
		return nil
	}
	return &StatusInfo{
		Reason: r.Text(n, "/statusInfo/reasonCode", need),
		Info:   r.Text(n, "/statusInfo/additionalInfo", opt),
	}
}

// decodeStatuses reads what is mainly a status.
func decodeStatuses(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "SecurityEventNotification":
		return &SecurityEventNotification{
			Type:     r.Text(p, "/type", need),
			At:       r.Time(p, "/timestamp", need),
			TechInfo: r.Text(p, "/techInfo", opt),
		}
	case "LogStatusNotification":
		return &LogStatusNotification{
			Status:  r.Word(p, "/status", need),
			Request: r.OptInt(p, "/requestId"),
			Info:    decodeInfo(r, p),
		}
	case "FirmwareStatusNotification":
		return &FirmwareStatusNotification{
			Status:  r.Word(p, "/status", need),
			Request: r.OptInt(p, "/requestId"),
			Info:    decodeInfo(r, p),
		}
	case "PublishFirmwareStatusNotification":
		return &PublishFirmwareStatusNotification{
			Status:    r.Word(p, "/status", need),
			Locations: r.Texts(p, "/location", opt),
			Request:   r.OptInt(p, "/requestId"),
			Info:      decodeInfo(r, p),
		}
	case "ReservationStatusUpdate":
		return &ReservationStatusUpdate{
			Reservation: r.Int(p, "/reservationId", need),
			Status:      r.Word(p, "/reservationUpdateStatus", need),
		}
	case "NotifyCustomerInformation":
		return &NotifyCustomerInformation{
			Request:   r.Int(p, "/requestId", need),
			Generated: r.Time(p, "/generatedAt", need),
			SeqNo:     r.Int(p, "/seqNo", need),
			More:      r.Bool(p, "/tbc", opt),
			Data:      r.Text(p, "/data", need),
		}
	case "NotifyDisplayMessages":
		return decodeDisplay(r, p)
	}
	return nil
}

func decodeDisplay(r *reading.Reader, p jsondoc.Node) *NotifyDisplayMessages {
	m := &NotifyDisplayMessages{
		Request: r.Int(p, "/requestId", need),
		More:    r.Bool(p, "/tbc", opt),
	}
	eachUnder(r, p, "/messageInfo", opt, func(n jsondoc.Node) {
		c := r.Object(n, "/message", need)
		m.Messages = append(m.Messages, DisplayMessage{
			ID:          r.Int(n, "/id", need),
			Priority:    r.Word(n, "/priority", need),
			State:       r.Word(n, "/state", opt),
			Start:       r.Time(n, "/startDateTime", opt),
			End:         r.Time(n, "/endDateTime", opt),
			Transaction: r.Text(n, "/transactionId", opt),
			Format:      r.Word(c, "/message/format", need),
			Language:    r.Text(c, "/message/language", opt),
			Content:     r.Text(c, "/message/content", need),
		})
	})
	return m
}

// decodeCharging reads limits, profiles and schedules.
func decodeCharging(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "NotifyChargingLimit":
		l := r.Object(p, "/chargingLimit", need)
		return &NotifyChargingLimit{
			EVSE:            r.OptInt(p, "/evseId"),
			Source:          r.Word(l, "/chargingLimit/chargingLimitSource", need),
			GridCritical:    r.OptBool(l, "/chargingLimit/isGridCritical"),
			LocalGeneration: r.OptBool(l, "/chargingLimit/isLocalGeneration"),
			Schedules:       r.JSON(p, "/chargingSchedule", opt),
		}
	case "ClearedChargingLimit":
		return &ClearedChargingLimit{
			EVSE:   r.OptInt(p, "/evseId"),
			Source: r.Word(p, "/chargingLimitSource", need),
		}
	case "ReportChargingProfiles":
		return decodeProfiles(r, p)
	case "NotifyEVChargingNeeds":
		return decodeNeeds(r, p)
	case "NotifyEVChargingSchedule":
		return &NotifyEVChargingSchedule{
			EVSE:     r.Int(p, "/evseId", need),
			TimeBase: r.Time(p, "/timeBase", need),
			Schedule: r.JSON(p, "/chargingSchedule", need),
		}
	}
	return nil
}

func decodeProfiles(r *reading.Reader, p jsondoc.Node) *ReportChargingProfiles {
	m := &ReportChargingProfiles{
		Request: r.Int(p, "/requestId", need),
		EVSE:    r.Int(p, "/evseId", need),
		Source:  r.Word(p, "/chargingLimitSource", need),
		More:    r.Bool(p, "/tbc", opt),
	}
	eachUnder(r, p, "/chargingProfile", need, func(n jsondoc.Node) {
		m.Profiles = append(m.Profiles, ChargingProfile{
			ID:          r.Int(n, "/id", need),
			StackLevel:  r.Int(n, "/stackLevel", need),
			Purpose:     r.Word(n, "/chargingProfilePurpose", need),
			Kind:        r.Word(n, "/chargingProfileKind", need),
			Transaction: r.Text(n, "/transactionId", opt),
			JSON:        append([]byte(nil), n.Raw()...),
		})
	})
	return m
}

func decodeNeeds(r *reading.Reader, p jsondoc.Node) *NotifyEVChargingNeeds {
	n := r.Object(p, "/chargingNeeds", need)
	dc := r.Object(n, "/chargingNeeds/dcChargingParameters", opt)
	ac := r.Object(n, "/chargingNeeds/acChargingParameters", opt)
	m := &NotifyEVChargingNeeds{
		EVSE:           r.Int(p, "/evseId", need),
		EnergyTransfer: r.Word(n, "/chargingNeeds/requestedEnergyTransfer", need),
		Departure:      r.Time(n, "/chargingNeeds/departureTime", opt),
		SoC:            r.OptInt(dc, "/chargingNeeds/dcChargingParameters/stateOfCharge"),
		EnergyWh:       r.OptFloat(dc, "/chargingNeeds/dcChargingParameters/energyAmount"),
		Needs:          append([]byte(nil), n.Raw()...),
	}
	if m.EnergyWh == nil {
		m.EnergyWh = r.OptFloat(ac, "/chargingNeeds/acChargingParameters/energyAmount")
	}
	return m
}

// decodeRequests reads what asks us for something.
func decodeRequests(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "DataTransfer":
		return &DataTransfer{
			VendorID:  r.Text(p, "/vendorId", need),
			MessageID: r.Text(p, "/messageId", opt),
			Data:      r.JSON(p, "/data", opt),
		}
	case "SignCertificate":
		return &SignCertificate{
			CSR:     r.Text(p, "/csr", need),
			Type:    r.Word(p, "/certificateType", opt),
			Request: r.OptInt(p, "/requestId"),
		}
	case "Get15118EVCertificate":
		return &Get15118EVCertificate{
			Schema:  r.Text(p, "/iso15118SchemaVersion", need),
			Update:  r.Word(p, "/action", need) == "Update",
			Request: r.Text(p, "/exiRequest", need),
		}
	case "GetCertificateStatus":
		n := r.Object(p, "/ocspRequestData", need)
		return &GetCertificateStatus{OCSP: decodeOCSP(r, n, "/ocspRequestData")}
	}
	return nil
}
