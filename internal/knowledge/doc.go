// Package knowledge explains error codes: what one means, who acts on it, how
// bad it is, whether it touches safety, what to try first and what to bring.
//
// What is known stands in packs, JSON files of entries, so that it can be read,
// corrected and extended without a build: those of the protocols and of public
// code sets are embedded, those of vendors and of the operator come beside them.
// An entry says where it is from and whether that could be verified. A pack with
// a fault is refused as a whole, with the place of each fault; the others keep
// working. The package is pure: whoever owns a folder reads it.
package knowledge

import "github.com/chargewatch/chargewatch/internal/event"

// Text is a sentence in the languages of the product.
type Text struct {
	EN string `json:"en"`
	DE string `json:"de"`
}

// Actor is who acts on an error first.
type Actor string

// The actors.
const (
	Driver       Actor = "driver"
	Operator     Actor = "operator"
	Technician   Actor = "technician"
	Installer    Actor = "installer"
	GridOperator Actor = "gridOperator"
	Vendor       Actor = "vendor"
)

// Reset says whether a reset may be tried.
type Reset string

// The answers. ResetNever forbids it: it would hide a danger or cause one.
const (
	ResetYes   Reset = "yes"
	ResetNo    Reset = "no" // it does not help
	ResetNever Reset = "never"
)

// Layer is where a pack stands: the higher one is asked first.
type Layer string

// The layers, lowest first.
const (
	LayerProtocol Layer = "protocol"
	LayerPublic   Layer = "public" // code sets that many vendors use, such as MREC
	LayerVendor   Layer = "vendor"
	LayerUser     Layer = "user" // packs of the operator
)

func (l Layer) rank() int {
	switch l {
	case LayerPublic:
		return 1
	case LayerVendor:
		return 2
	case LayerUser:
		return 3
	}
	return 0
}

// Remedy is what to try first.
type Remedy struct {
	// Playbook names one that machines can do; empty if people do it.
	Playbook string `json:"playbook,omitempty"`
	Text
}

// Entry is what is known about one code.
type Entry struct {
	ID       string         `json:"id"` // unique in its pack
	Pack     string         `json:"pack"`
	Layer    Layer          `json:"layer"`
	Match    Match          `json:"match"`
	Title    Text           `json:"title"`
	Meaning  Text           `json:"meaning"`
	Acts     Actor          `json:"acts"`
	Severity event.Severity `json:"severity"`
	Safety   bool           `json:"safety"`
	Reset    Reset          `json:"reset"`
	Remedy   Remedy         `json:"remedy"`
	Parts    []Text         `json:"parts"`
	Checks   []Text         `json:"checks"` // of a work order, in their order
	Source   string         `json:"source"`
	// Verified is false where the source could not be read by us: show it as
	// doubtful.
	Verified bool `json:"verified"`

	like        string // the entry from which it has what it does not say itself
	line        int
	safetyGiven bool
	low         Match // in lower case
}

// Match says what an entry is about. Every field that is given has to fit; case
// does not matter. Vendor and Model may hold "*" for any text.
type Match struct {
	Vendor     string `json:"vendor,omitempty"`     // as the station calls itself at boot
	Model      string `json:"model,omitempty"`      // likewise
	Protocol   string `json:"protocol,omitempty"`   // "ocpp1.6" or "ocpp2": the beginning of its name
	VendorID   string `json:"vendorId,omitempty"`   // beside the vendor's code in a StatusNotification
	Code       string `json:"code,omitempty"`       // of the protocol
	VendorCode string `json:"vendorCode,omitempty"` // whole, or one of several
	Token      string `json:"token,omitempty"`      // a word of the vendor's code or of the info
	Info       string `json:"info,omitempty"`       // part of the info
	Component  string `json:"component,omitempty"`  // of OCPP 2.x
	Variable   string `json:"variable,omitempty"`   // likewise
	Security   string `json:"securityEvent,omitempty"`
	Finding    string `json:"finding,omitempty"` // of ours: its code, or the id of its detector
}

// Pack is a set of entries with one origin.
type Pack struct {
	Name    string // of its file
	Title   Text
	Version string
	Layer   Layer
	Source  string
	Entries []Entry
}

// Query is what is known of an error. Empty fields are unknown.
type Query struct {
	Vendor        string // as the station calls itself at boot
	Model         string // likewise
	Protocol      string // "ocpp1.6", "ocpp2.0.1", ...
	Code          string // errorCode of OCPP 1.6
	VendorID      string
	VendorCode    string // vendorErrorCode of OCPP 1.6, techCode of OCPP 2.x
	Info          string // info of OCPP 1.6, techInfo of OCPP 2.x
	Component     string
	Variable      string
	SecurityEvent string
	Finding       string // code of a finding of ours
	Detector      string // the id of its detector
}
