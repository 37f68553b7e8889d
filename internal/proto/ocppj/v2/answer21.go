package v2

import (
	"slices"
	"time"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// The answers of 2.1.

// AppendVatNumberValidation answers VatNumberValidation.
func AppendVatNumberValidation(dst []byte, status string, asked *VatNumberValidation, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	dst = append(dst, `,"vatNumber":`...)
	dst = ocppj.AppendString(dst, ocppj.Clip(asked.Number, 20))
	if asked.EVSE != nil && *asked.EVSE >= 0 {
		dst = append(dst, `,"evseId":`...)
		dst = ocppj.AppendInt(dst, *asked.EVSE)
	}
	return append(appendStatusInfo(dst, info), '}')
}

// AppendNotifySettlement answers NotifySettlement.
func AppendNotifySettlement(dst []byte, receiptID, receiptURL string) []byte {
	o := object{dst: append(dst, '{')}
	if receiptID != "" {
		o.text("receiptId", ocppj.Clip(receiptID, 50))
	}
	if receiptURL != "" {
		o.text("receiptUrl", ocppj.Clip(receiptURL, 2000))
	}
	return append(o.dst, '}')
}

// AppendPullDynamicScheduleUpdate answers PullDynamicScheduleUpdate; update is
// JSON of a charging schedule update, or nothing.
func AppendPullDynamicScheduleUpdate(dst []byte, status string, update []byte, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	if len(update) > 0 {
		dst = append(dst, `,"scheduleUpdate":`...)
		dst = append(dst, update...)
	}
	return append(appendStatusInfo(dst, info), '}')
}

// ChainStatus is what is known of one certificate.
type ChainStatus struct {
	Status string // Good, Revoked, Unknown, Failed
	Next   time.Time
}

// AppendGetCertificateChainStatus answers GetCertificateChainStatus; statuses
// stand for the requests in their order. What a station asked in words that
// nobody knows is answered in known ones, and a question without a certificate
// by one failure: the answer has to be valid whatever was asked.
func AppendGetCertificateChainStatus(dst []byte, asked *GetCertificateChainStatus, statuses []ChainStatus) []byte {
	requests := asked.Requests[:min(len(asked.Requests), len(statuses), 4)]
	if len(requests) == 0 {
		requests, statuses = []ChainRequest{{}}, []ChainStatus{{Status: "Failed"}}
	}
	dst = append(dst, `{"certificateStatus":[`...)
	for i, q := range requests {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := object{dst: append(dst, `{"certificateHashData":`...)}
		h := object{dst: append(o.dst, '{')}
		h.text("hashAlgorithm", oneOf(q.OCSP.Hash, "SHA256", "SHA384", "SHA512"))
		h.text("issuerNameHash", ocppj.Clip(q.OCSP.IssuerName, 128))
		h.text("issuerKeyHash", ocppj.Clip(q.OCSP.IssuerKey, 128))
		h.text("serialNumber", ocppj.Clip(q.OCSP.Serial, 40))
		o = object{dst: append(h.dst, '}'), more: true}
		o.text("source", oneOf(q.Source, "OCSP", "CRL"))
		o.text("status", statuses[i].Status)
		o.key("nextUpdate")
		o.dst = ocppj.AppendTime(o.dst, statuses[i].Next)
		dst = append(o.dst, '}')
	}
	return append(dst, ']', '}')
}

// oneOf returns the word if it is known, else the first that is.
func oneOf(word string, known ...string) string {
	if slices.Contains(known, word) {
		return word
	}
	return known[0]
}
