package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrKind is returned for a kind this version does not know.
var ErrKind = errors.New("unknown event kind")

// New returns an empty body of the kind.
func New(kind Kind) (Body, error) {
	switch kind {
	case KindServerStarted:
		return &ServerStarted{}, nil
	case KindServerStopped:
		return &ServerStopped{}, nil
	case KindConfigured:
		return &StationConfigured{}, nil
	case KindRemoved:
		return &StationRemoved{}, nil
	case KindConnected:
		return &Connected{}, nil
	case KindDisconnected:
		return &Disconnected{}, nil
	case KindBoot:
		return &Boot{}, nil
	case KindStatus:
		return &Status{}, nil
	case KindMeter:
		return &Meter{}, nil
	case KindTransaction:
		return &Transaction{}, nil
	case KindAuthorize:
		return &Authorize{}, nil
	case KindComponent:
		return &Component{}, nil
	case KindReport:
		return &Report{}, nil
	case KindSecurity:
		return &Security{}, nil
	case KindFirmware:
		return &Firmware{}, nil
	case KindLog:
		return &Log{}, nil
	case KindDataTransfer:
		return &DataTransfer{}, nil
	case KindReservation:
		return &Reservation{}, nil
	case KindMessage:
		return &Message{}, nil
	case KindCommand:
		return &Command{}, nil
	case KindCommandResult:
		return &CommandResult{}, nil
	case KindSessionInferred:
		return &SessionInferred{}, nil
	case KindFinding:
		return &Finding{}, nil
	case KindDriverReport:
		return &DriverReport{}, nil
	case KindExternalAlert:
		return &ExternalAlert{}, nil
	case KindPolicy:
		return &Policy{}, nil
	case KindIncidentAction:
		return &IncidentAction{}, nil
	case KindIncident:
		return &Incident{}, nil
	case KindCameraConfigured:
		return &CameraConfigured{}, nil
	case KindCameraRemoved:
		return &CameraRemoved{}, nil
	case KindCameraState:
		return &CameraState{}, nil
	case KindScene:
		return &Scene{}, nil
	case KindLabels:
		return &Labels{}, nil
	case KindRecordingGap:
		return &RecordingGap{}, nil
	case KindRecordingRetention:
		return &RecordingRetention{}, nil
	case KindRecordingCopy:
		return &RecordingCopy{}, nil
	case KindArming:
		return &Arming{}, nil
	case KindControllerConfigured:
		return &ControllerConfigured{}, nil
	case KindControllerRemoved:
		return &ControllerRemoved{}, nil
	case KindControllerFault:
		return &ControllerFault{}, nil
	case KindDoorConfigured:
		return &DoorConfigured{}, nil
	case KindDoorRemoved:
		return &DoorRemoved{}, nil
	case KindDoorState:
		return &DoorState{}, nil
	case KindDoorAlarm:
		return &DoorAlarm{}, nil
	case KindAccess:
		return &Access{}, nil
	case KindPresence:
		return &Presence{}, nil
	case KindDoorCommand:
		return &DoorCommand{}, nil
	case KindOutputSwitch:
		return &OutputSwitch{}, nil
	case KindOutputRequest:
		return &OutputRequest{}, nil
	case KindRelayGap:
		return &RelayGap{}, nil
	case KindSettings:
		return &Settings{}, nil
	case KindProof:
		return &Proof{}, nil
	}
	return nil, fmt.Errorf("%q: %w", kind, ErrKind)
}

// AppendBody appends the stored form of a body: JSON, written by hand for the
// two kinds that make up nearly all traffic.
func AppendBody(dst []byte, b Body) ([]byte, error) {
	switch b := b.(type) {
	case *Meter:
		dst = append(dst, '{')
		if b.TransactionID != "" {
			dst = append(dst, `"transactionId":`...)
			dst = appendString(dst, b.TransactionID)
			dst = append(dst, ',')
		}
		dst = append(dst, `"samples":"`...)
		dst = b.Samples.AppendText(dst)
		return append(dst, '"', '}'), nil
	case *Status:
		dst = append(dst, `{"status":`...)
		dst = appendString(dst, b.Status)
		dst = appendField(dst, "errorCode", b.ErrorCode)
		dst = appendField(dst, "info", b.Info)
		dst = appendField(dst, "vendorId", b.VendorID)
		dst = appendField(dst, "vendorErrorCode", b.VendorErrorCode)
		return append(dst, '}'), nil
	}
	data, err := json.Marshal(b)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", b.Kind(), err)
	}
	return append(dst, data...), nil
}

func appendField(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return appendString(dst, value)
}

// appendString appends a JSON string; plain ASCII, nearly all of it, is copied.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			data, err := json.Marshal(s)
			if err != nil { // strings always encode
				return append(dst, '"', '"')
			}
			return append(dst, data...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// DecodeBody reads the stored form. Fields it does not know are ignored: a
// newer version may have added them.
func DecodeBody(kind Kind, data []byte) (Body, error) {
	b, err := New(kind)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, b); err != nil {
		return nil, fmt.Errorf("decode %s: %w", kind, err)
	}
	return b, nil
}
