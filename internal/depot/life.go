package depot

import (
	"slices"
	"strings"
	"time"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/store"
)

// How long is waited for what comes next.
const (
	answerWithin   = 2 * time.Minute  // to a request
	uploadWithin   = 2 * time.Hour    // in all: the address ends then
	beginWithin    = 20 * time.Minute // for the first word of an upload
	arriveWithin   = time.Minute      // after a station said that it uploaded
	fetchWithin    = 4 * time.Hour    // a download
	installWithin  = 2 * time.Hour    // from the download to the installation, and for it
	bootWithin     = 30 * time.Minute // after it, for the version
	firmwareWithin = 48 * time.Hour   // in all, from when the download may begin
	maxSteps       = 40
)

func isFirmware(j *store.FileJob) bool { return j.Kind == store.FileFirmware }

// stillOpen reports whether something may still become of a job. A station that was
// given up, or said that it failed, may still do what was asked while its address stands.
func stillOpen(j *store.FileJob, now time.Time) bool {
	switch j.State {
	case store.FileReceived, store.FileUpdated, store.FileCancelled, store.FileRefused, store.FileOffline:
		return false
	}
	return !j.State.Over() || now.Before(j.ExpiresAt)
}

// requestOf is the request that an event names; nil: none.
func requestOf(b event.Body) *int {
	switch b := b.(type) {
	case *event.Log:
		return b.RequestID
	case *event.Firmware:
		return b.RequestID
	}
	return nil
}

// concerns reports whether what a station said is about a job. Where it names no
// request it is about what is under way.
func concerns(j *store.FileJob, b event.Body, request *int) bool {
	switch b := b.(type) {
	case *event.Log:
		if isFirmware(j) || b.Status == "Idle" || (b.Type == "diagnostics") != (j.Action == "GetDiagnostics") {
			return false
		}
	case *event.Firmware:
		if !isFirmware(j) || b.Status == "Idle" {
			return false
		}
	case *event.Boot:
		return isFirmware(j) && b.Firmware != "" && j.State != store.FileAsked
	default:
		return false
	}
	if request != nil && *request != 0 { // some leave it out by sending 0
		return int64(*request) == j.Seq
	}
	return true
}

// takeEvent takes what a station said into a job, and reports whether it changed.
func takeEvent(j *store.FileJob, e *event.Event) bool {
	if e.Seq <= j.Seen {
		return false
	}
	j.Seen = e.Seq
	at := e.ReceivedAt
	switch b := e.Body.(type) {
	case *event.Log:
		note(j, at, b.Status)
		takeLog(j, b.Status, at)
	case *event.Firmware:
		note(j, at, b.Status)
		takeFirmware(j, b.Status, at)
	case *event.Boot:
		takeBoot(j, b.Firmware, at)
	}
	return true
}

// note keeps what a station said; the first and the last of it where it is much.
func note(j *store.FileJob, at time.Time, text string) {
	if len(text) > 50 {
		text = text[:50]
	}
	if n := len(j.Steps); n > 0 && j.Steps[n-1].Text == text {
		return
	}
	if len(j.Steps) >= maxSteps {
		j.Steps = slices.Delete(j.Steps, maxSteps/2, maxSteps/2+1)
	}
	j.Steps = append(j.Steps, store.FileStep{At: at, Text: strings.ToValidUTF8(text, "")})
}

// move gives a job a state, and until when something is to follow.
func move(j *store.FileJob, to store.FileState, at time.Time, within time.Duration) {
	j.State, j.ChangedAt, j.Until = to, at, time.Time{}
	if !to.Over() {
		j.Code, j.Detail = "", ""
		j.Until = at.Add(within)
	}
}

// fail ends a job with what the station said.
func fail(j *store.FileJob, code string, at time.Time) {
	move(j, store.FileFailed, at, 0)
	j.Code = code
}

// takeLog follows an upload. The file itself decides: once it is here nothing that is
// said makes it go away.
func takeLog(j *store.FileJob, status string, at time.Time) {
	if j.State == store.FileReceived || j.State == store.FileCancelled {
		return
	}
	switch status {
	case "Uploading":
		move(j, store.FileUploading, at, max(0, j.ExpiresAt.Sub(at)))
	case "Uploaded":
		if j.State != store.FileClaimedNotReceived {
			move(j, store.FileClaimed, at, arriveWithin)
		}
	default: // UploadFailed, UploadFailure, BadMessage, NotSupportedOperation, PermissionDenied, AcceptedCanceled
		fail(j, status, at)
	}
}

// takeFirmware follows an update.
func takeFirmware(j *store.FileJob, status string, at time.Time) {
	if j.State == store.FileUpdated || j.State == store.FileCancelled {
		return
	}
	switch status {
	case "DownloadScheduled":
		move(j, store.FileScheduled, at, max(0, j.Begin.Sub(at))+fetchWithin)
	case "Downloading":
		move(j, store.FileDownloading, at, fetchWithin)
	case "DownloadPaused":
		move(j, store.FilePaused, at, fetchWithin)
	case "Downloaded":
		move(j, store.FileDownloaded, at, installWithin)
	case "SignatureVerified":
		move(j, store.FileVerified, at, installWithin)
	case "InstallScheduled": // until nobody charges there
		move(j, store.FileVerified, at, firmwareWithin)
	case "Installing":
		move(j, store.FileInstalling, at, installWithin)
	case "InstallRebooting":
		move(j, store.FileRebooting, at, bootWithin)
	case "Installed":
		if j.State == store.FileClaimedNotUpdated {
			return
		}
		move(j, store.FileInstalled, at, bootWithin)
	default: // DownloadFailed, InstallationFailed, InstallVerificationFailed, InvalidSignature
		fail(j, status, at)
	}
}

// takeBoot looks which version runs. Until a station says that it installed, the old one
// is no surprise: it may have restarted for another reason.
func takeBoot(j *store.FileJob, version string, at time.Time) {
	if j.State == store.FileUpdated || j.State == store.FileCancelled {
		return
	}
	switch {
	case version == j.Version:
		note(j, at, "boot: "+version)
		move(j, store.FileUpdated, at, 0)
	case j.State == store.FileInstalled || j.State == store.FileRebooting:
		note(j, at, "boot: "+version)
		if version != j.Before { // it runs, and is called otherwise
			move(j, store.FileClaimedNotUpdated, at, 0)
			j.Code, j.Detail = "otherVersion", "The station runs "+version+" now."
		}
	}
}

// lapse ends what was waited for in vain.
func lapse(j *store.FileJob, now time.Time) {
	if j.State.Over() || j.Until.IsZero() || !now.After(j.Until) {
		return
	}
	was := j.State
	switch was {
	case store.FileClaimed:
		move(j, store.FileClaimedNotReceived, now, 0)
	case store.FileInstalled:
		move(j, store.FileClaimedNotUpdated, now, 0)
	default:
		move(j, store.FileTimedOut, now, 0)
	}
	j.Code = string(was)
}
