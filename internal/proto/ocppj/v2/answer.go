package v2

import (
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// The answers write payloads, not frames, and append them to dst. They are valid
// in 2.0.1 and 2.1: where the two allow different lengths, the shorter counts.

// IDTokenInfo is what a station is told of a token.
type IDTokenInfo struct {
	Status   string // Accepted, Blocked, ConcurrentTx, Expired, Invalid, Unknown, ...
	Expiry   time.Time
	Priority *int64   // -9 to 9
	Group    *IDToken // left out above the 36 characters that 2.0.1 has for it
	EVSEs    []int64  // where the token may charge; everywhere if empty
	Language string
	Message  *PersonalMessage
}

// PersonalMessage is a text for the driver; it is cut to 512 characters.
type PersonalMessage struct {
	Format   string // ASCII, HTML, URI, UTF8
	Language string
	Content  string
}

// AppendBoot answers BootNotification. Interval is that of heartbeats, or if the
// status is not Accepted the time until the next boot, in seconds.
func AppendBoot(dst []byte, status string, now time.Time, interval int, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	dst = append(dst, `,"currentTime":`...)
	dst = ocppj.AppendTime(dst, now)
	dst = append(dst, `,"interval":`...)
	dst = ocppj.AppendInt(dst, int64(interval))
	return append(appendStatusInfo(dst, info), '}')
}

// AppendHeartbeat answers Heartbeat.
func AppendHeartbeat(dst []byte, now time.Time) []byte {
	dst = append(dst, `{"currentTime":`...)
	dst = ocppj.AppendTime(dst, now)
	return append(dst, '}')
}

// AppendEmpty answers StatusNotification, MeterValues, NotifyEvent and every
// other message whose answer needs no field.
func AppendEmpty(dst []byte) []byte { return append(dst, '{', '}') }

// AppendAuthorize answers Authorize. The status of a certificate is given only
// if the request had one.
func AppendAuthorize(dst []byte, info IDTokenInfo, certificateStatus string) []byte {
	dst = append(dst, `{"idTokenInfo":`...)
	dst = appendTokenInfo(dst, info)
	if certificateStatus != "" {
		dst = append(dst, `,"certificateStatus":`...)
		dst = ocppj.AppendString(dst, certificateStatus)
	}
	return append(dst, '}')
}

// TransactionAnswer is what a station may be told when a transaction goes on.
type TransactionAnswer struct {
	TotalCost *float64
	Priority  *int64
	Info      *IDTokenInfo // if the event named a token
	Message   *PersonalMessage
}

// AppendTransactionEvent answers TransactionEvent.
func AppendTransactionEvent(dst []byte, a TransactionAnswer) []byte {
	o := object{dst: append(dst, '{')}
	if a.TotalCost != nil {
		o.key("totalCost")
		o.dst = ocppj.AppendFloat(o.dst, *a.TotalCost)
	}
	if a.Priority != nil {
		o.key("chargingPriority")
		o.dst = ocppj.AppendInt(o.dst, *a.Priority)
	}
	if a.Info != nil {
		o.key("idTokenInfo")
		o.dst = appendTokenInfo(o.dst, *a.Info)
	}
	if a.Message != nil {
		o.key("updatedPersonalMessage")
		o.dst = appendMessage(o.dst, a.Message)
	}
	return append(o.dst, '}')
}

// AppendStatus answers SignCertificate, NotifyEVChargingNeeds,
// NotifyEVChargingSchedule, OpenPeriodicEventStream, and writes every other
// answer that is a status and a reason.
func AppendStatus(dst []byte, status string, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	return append(appendStatusInfo(dst, info), '}')
}

// AppendDataTransfer answers DataTransfer. Status is Accepted, Rejected,
// UnknownMessageId or UnknownVendorId; data is JSON or nothing.
func AppendDataTransfer(dst []byte, status string, data []byte) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	if len(data) > 0 {
		dst = append(dst, `,"data":`...)
		dst = append(dst, data...)
	}
	return append(dst, '}')
}

// AppendGet15118EVCertificate answers Get15118EVCertificate.
func AppendGet15118EVCertificate(dst []byte, status, exiResponse string, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	dst = append(dst, `,"exiResponse":`...)
	dst = ocppj.AppendString(dst, exiResponse)
	return append(appendStatusInfo(dst, info), '}')
}

// AppendGetCertificateStatus answers GetCertificateStatus; the result is given
// only with the status Accepted.
func AppendGetCertificateStatus(dst []byte, status, ocspResult string, info *StatusInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	if ocspResult != "" {
		dst = append(dst, `,"ocspResult":`...)
		dst = ocppj.AppendString(dst, ocspResult)
	}
	return append(appendStatusInfo(dst, info), '}')
}

func appendStatusInfo(dst []byte, info *StatusInfo) []byte {
	if info == nil {
		return dst
	}
	dst = append(dst, `,"statusInfo":{"reasonCode":`...)
	dst = ocppj.AppendString(dst, ocppj.Clip(info.Reason, 20))
	if info.Info != "" {
		dst = append(dst, `,"additionalInfo":`...)
		dst = ocppj.AppendString(dst, ocppj.Clip(info.Info, 512))
	}
	return append(dst, '}')
}

func appendTokenInfo(dst []byte, info IDTokenInfo) []byte {
	o := object{dst: append(dst, '{')}
	o.text("status", info.Status)
	if !info.Expiry.IsZero() {
		o.key("cacheExpiryDateTime")
		o.dst = ocppj.AppendTime(o.dst, info.Expiry)
	}
	if info.Priority != nil {
		o.key("chargingPriority")
		o.dst = ocppj.AppendInt(o.dst, *info.Priority)
	}
	if info.Group != nil && utf8.RuneCountInString(info.Group.ID) <= 36 {
		o.key("groupIdToken")
		g := object{dst: append(o.dst, '{')}
		g.text("idToken", info.Group.ID)
		g.text("type", info.Group.Type)
		o.dst = append(g.dst, '}')
	}
	if len(info.EVSEs) > 0 {
		o.key("evseId")
		for i, id := range info.EVSEs {
			o.dst = append(o.dst, "[,"[min(i, 1)])
			o.dst = ocppj.AppendInt(o.dst, id)
		}
		o.dst = append(o.dst, ']')
	}
	if info.Language != "" {
		o.text("language1", ocppj.Clip(info.Language, 8))
	}
	if info.Message != nil {
		o.key("personalMessage")
		o.dst = appendMessage(o.dst, info.Message)
	}
	return append(o.dst, '}')
}

func appendMessage(dst []byte, m *PersonalMessage) []byte {
	o := object{dst: append(dst, '{')}
	o.text("format", m.Format)
	if m.Language != "" {
		o.text("language", ocppj.Clip(m.Language, 8))
	}
	o.text("content", ocppj.Clip(m.Content, 512))
	return append(o.dst, '}')
}

// object puts the commas between members.
type object struct {
	dst  []byte
	more bool
}

func (o *object) key(name string) {
	if o.more {
		o.dst = append(o.dst, ',')
	}
	o.more = true
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, name...)
	o.dst = append(o.dst, '"', ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.dst = ocppj.AppendString(o.dst, value)
}
