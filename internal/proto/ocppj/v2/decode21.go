package v2

import (
	"github.com/chargewatch/chargewatch/internal/proto/jsondoc"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj/reading"
)

// decode21 reads the messages that 2.1 adds.
func decode21(r *reading.Reader, action string, p jsondoc.Node) Message {
	switch action {
	case "OpenPeriodicEventStream":
		s := r.Object(p, "/constantStreamData", need)
		params := r.Object(s, "/constantStreamData/params", need)
		return &OpenPeriodicEventStream{
			ID:       r.Int(s, "/constantStreamData/id", need),
			Monitor:  r.Int(s, "/constantStreamData/variableMonitoringId", need),
			Interval: r.OptInt(params, "/constantStreamData/params/interval"),
			Values:   r.OptInt(params, "/constantStreamData/params/values"),
		}
	case "ClosePeriodicEventStream":
		return &ClosePeriodicEventStream{ID: r.Int(p, "/id", need)}
	case "NotifyDERAlarm":
		return &NotifyDERAlarm{
			Control: r.Text(p, "/controlType", need),
			Fault:   r.Text(p, "/gridEventFault", opt),
			Ended:   r.Bool(p, "/alarmEnded", opt),
			At:      r.Time(p, "/timestamp", need),
			Info:    r.Text(p, "/extraInfo", opt),
		}
	case "NotifyDERStartStop":
		return &NotifyDERStartStop{
			Control:    r.Text(p, "/controlId", need),
			Started:    r.Bool(p, "/started", need),
			At:         r.Time(p, "/timestamp", need),
			Superseded: r.Texts(p, "/supersededIds", opt),
		}
	case "ReportDERControl":
		return &ReportDERControl{
			Request: r.Int(p, "/requestId", need),
			More:    r.Bool(p, "/tbc", opt),
			JSON:    append([]byte(nil), p.Raw()...),
		}
	case "BatterySwap":
		return decodeSwap(r, p)
	case "NotifySettlement":
		return decodeSettlement(r, p)
	case "VatNumberValidation":
		return &VatNumberValidation{
			Number: r.Text(p, "/vatNumber", need),
			EVSE:   r.OptInt(p, "/evseId"),
		}
	case "NotifyPriorityCharging":
		return &NotifyPriorityCharging{
			Transaction: r.Text(p, "/transactionId", need),
			Activated:   r.Bool(p, "/activated", need),
		}
	case "PullDynamicScheduleUpdate":
		return &PullDynamicScheduleUpdate{Profile: r.Int(p, "/chargingProfileId", need)}
	case "GetCertificateChainStatus":
		return decodeChain(r, p)
	}
	return nil
}

func decodeSwap(r *reading.Reader, p jsondoc.Node) *BatterySwap {
	m := &BatterySwap{
		Request: r.Int(p, "/requestId", need),
		Event:   r.Word(p, "/eventType", need),
		IDToken: decodeToken(r, r.Object(p, "/idToken", need), "/idToken"),
	}
	eachUnder(r, p, "/batteryData", need, func(n jsondoc.Node) {
		m.Batteries = append(m.Batteries, Battery{
			EVSE:     r.Int(n, "/evseId", need),
			Serial:   r.Text(n, "/serialNumber", need),
			SoC:      r.Float(n, "/soC", need),
			SoH:      r.Float(n, "/soH", need),
			Produced: r.Time(n, "/productionDate", opt),
			Vendor:   r.Text(n, "/vendorInfo", opt),
		})
	})
	return m
}

func decodeSettlement(r *reading.Reader, p jsondoc.Node) *NotifySettlement {
	return &NotifySettlement{
		Transaction: r.Text(p, "/transactionId", opt),
		PSPRef:      r.Text(p, "/pspRef", need),
		Status:      r.Word(p, "/status", need),
		Info:        r.Text(p, "/statusInfo", opt),
		Amount:      r.Float(p, "/settlementAmount", need),
		At:          r.Time(p, "/settlementTime", need),
		ReceiptID:   r.Text(p, "/receiptId", opt),
		ReceiptURL:  r.Text(p, "/receiptUrl", opt),
		VATNumber:   r.Text(p, "/vatNumber", opt),
	}
}

func decodeChain(r *reading.Reader, p jsondoc.Node) *GetCertificateChainStatus {
	m := &GetCertificateChainStatus{}
	eachUnder(r, p, "/certificateStatusRequests", need, func(n jsondoc.Node) {
		hash := r.Object(n, "/certificateHashData", need)
		m.Requests = append(m.Requests, ChainRequest{
			OCSP: OCSPRequest{
				Hash:       r.Text(hash, "/certificateHashData/hashAlgorithm", need),
				IssuerName: r.Text(hash, "/certificateHashData/issuerNameHash", need),
				IssuerKey:  r.Text(hash, "/certificateHashData/issuerKeyHash", need),
				Serial:     r.Text(hash, "/certificateHashData/serialNumber", need),
			},
			Source: r.Word(n, "/source", need),
			URLs:   r.Texts(n, "/urls", need),
		})
	})
	return m
}
