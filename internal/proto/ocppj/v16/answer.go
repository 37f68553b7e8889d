package v16

import (
	"time"
	"unicode/utf8"

	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

// The answers write payloads, not frames, and append them to dst.

// IDTagInfo is what a station is told of a token.
type IDTagInfo struct {
	Status string // Accepted, Blocked, Expired, Invalid, ConcurrentTx
	Expiry time.Time
	Parent string // left out above the 20 characters that 1.6 has for it
}

// AppendBoot answers BootNotification. Interval is that of heartbeats, or if the
// status is not Accepted the time until the next boot, in seconds.
func AppendBoot(dst []byte, status string, now time.Time, interval int) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	dst = append(dst, `,"currentTime":`...)
	dst = ocppj.AppendTime(dst, now)
	dst = append(dst, `,"interval":`...)
	dst = ocppj.AppendInt(dst, int64(interval))
	return append(dst, '}')
}

// AppendHeartbeat answers Heartbeat.
func AppendHeartbeat(dst []byte, now time.Time) []byte {
	dst = append(dst, `{"currentTime":`...)
	dst = ocppj.AppendTime(dst, now)
	return append(dst, '}')
}

// AppendEmpty answers StatusNotification, MeterValues and every other message
// whose answer has no fields.
func AppendEmpty(dst []byte) []byte { return append(dst, '{', '}') }

// AppendAuthorize answers Authorize.
func AppendAuthorize(dst []byte, info IDTagInfo) []byte {
	dst = append(dst, `{"idTagInfo":`...)
	dst = appendInfo(dst, info)
	return append(dst, '}')
}

// AppendStart answers StartTransaction.
func AppendStart(dst []byte, transaction int64, info IDTagInfo) []byte {
	dst = append(dst, `{"transactionId":`...)
	dst = ocppj.AppendInt(dst, transaction)
	dst = append(dst, `,"idTagInfo":`...)
	dst = appendInfo(dst, info)
	return append(dst, '}')
}

// AppendStop answers StopTransaction; info is given only if the message named a
// token.
func AppendStop(dst []byte, info *IDTagInfo) []byte {
	if info == nil {
		return AppendEmpty(dst)
	}
	return AppendAuthorize(dst, *info)
}

// AppendDataTransfer answers DataTransfer. Status is Accepted, Rejected,
// UnknownMessageId or UnknownVendorId.
func AppendDataTransfer(dst []byte, status, data string) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	if data != "" {
		dst = append(dst, `,"data":`...)
		dst = ocppj.AppendString(dst, data)
	}
	return append(dst, '}')
}

// AppendStatus answers SignCertificate, and writes every other answer that is
// one status.
func AppendStatus(dst []byte, status string) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, status)
	return append(dst, '}')
}

func appendInfo(dst []byte, info IDTagInfo) []byte {
	dst = append(dst, `{"status":`...)
	dst = ocppj.AppendString(dst, info.Status)
	if !info.Expiry.IsZero() {
		dst = append(dst, `,"expiryDate":`...)
		dst = ocppj.AppendTime(dst, info.Expiry)
	}
	if info.Parent != "" && utf8.RuneCountInString(info.Parent) <= 20 {
		dst = append(dst, `,"parentIdTag":`...)
		dst = ocppj.AppendString(dst, info.Parent)
	}
	return append(dst, '}')
}
