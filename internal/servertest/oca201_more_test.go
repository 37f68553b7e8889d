package servertest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chargewatch/chargewatch/internal/event"
	"github.com/chargewatch/chargewatch/internal/fleet"
	"github.com/chargewatch/chargewatch/internal/proto/ocppj"
)

func TestOCA201Authorisation(t *testing.T) { playCases(t, oca201Authorisation()) }
func TestOCA201Firmware(t *testing.T)      { playCases(t, oca201Firmware()) }
func TestOCA201Files(t *testing.T)         { playCases(t, oca201Files()) }

func oca201Security() ocaChapter {
	const profiles = "servertest.TestSecurityProfiles"
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 A: security", []ocaCase{
		{id: "TC_A_01_CSMS", must: "Let in the right name and password.", test: profiles},
		{id: "TC_A_02_CSMS", must: "Refuse a name that is not the station's.", test: "servertest.TestHandshakes"},
		{id: "TC_A_03_CSMS", must: "Refuse a wrong password.", test: profiles},
		{id: "TC_A_04_CSMS", must: "Serve TLS 1.2 or newer with the suites of the specification and its own certificate.", test: profiles},
		{id: "TC_A_06_CSMS", must: "Refuse a version of TLS that is too old.", test: profiles},
		{id: "TC_A_07_CSMS", must: "Let in a station by its certificate.", test: profiles},
		{id: "TC_A_08_CSMS", must: "Refuse a certificate of somebody else.", test: profiles},
		{id: "TC_A_09_CSMS", must: "Give a station a new password that holds from the next connection on.", test: "servertest.TestPasswordsAreRotatedAndNobodyIsLockedOut"},
		{id: "TC_A_10_CSMS", must: "Keep the old password where a station refuses the new one.", test: "servertest.TestPasswordsAreRotatedAndNobodyIsLockedOut"},
		{id: "TC_A_11_CSMS", must: "Ask for a signing request, sign it, give the certificate, and take the connection that uses it.", test: "servertest.TestCertificatesAreRenewedAndAccountedFor"},
		{id: "TC_A_14_CSMS", must: "Take it that a station refuses the certificate it was given.", test: "servertest.TestCertificatesAreRenewedAndAccountedFor"},
		{id: "TC_A_19_CSMS", must: "Give a station a way of a higher security profile, have it reset, and serve it there.", test: "servertest.TestProfilesAreRaisedAndNobodyIsLockedOut"},
	}}
}

func oca201Authorisation() ocaChapter {
	grouped := func(p *player, token, group string) {
		p.Helper()
		p.is(p.authorize201(token, "Accepted"), "idTokenInfo.groupIdToken.idToken", group)
	}
	// master stops what others began.
	master := func(id, must string, transactions int) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) {
			p.charging201()
			for i := 2; i <= transactions; i++ {
				p.event(txEvent{kind: "Started", trigger: "Authorized", tx: fmt.Sprint("T", i), evse: i, token: "SAMEGROUP", info: "Accepted"})
			}
			grouped(p, "MASTER", "MASTERS")
			for i := range transactions {
				var a map[string]any
				p.event(txEvent{
					kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "MasterPass", token: "MASTER", info: "Accepted",
					tx: fmt.Sprint("T", i+1), evse: i + 1, answer: &a,
				})
				p.is(a, "idTokenInfo.groupIdToken.idToken", "MASTERS")
			}
			for _, x := range p.sessions(transactions) {
				if x.State != fleet.SessionEnded || x.StopReason != "MasterPass" {
					p.Errorf("the session: %+v", x)
				}
			}
		}}
	}
	word := func(id, must, token, want string) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) { p.boot201(); p.authorize201(token, want) }}
	}
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 C: who may charge", []ocaCase{
		word("TC_C_02_CSMS", "Answer an unknown card with Invalid or Unknown.", "NOBODY", "Invalid"),
		word("TC_C_06_CSMS", "Answer a blocked card with Blocked.", "BLOCKED", "Blocked"),
		word("TC_C_07_CSMS", "Answer a card past its end with Expired.", "EXPIRED", "Expired"),
		{id: "TC_C_08_CSMS", must: "Look at the card of a transaction that the station let in from its memory, and accept it.", play: func(p *player) {
			p.boot201()
			p.event(txEvent{kind: "Started", trigger: "Authorized", token: "VALID", info: "Accepted"})
			p.sessions(1)
		}},
		{id: "TC_C_20_CSMS", must: "Look at the card of a transaction that the station let in from its memory, and say that it is no good.", play: func(p *player) {
			p.boot201()
			p.event(txEvent{kind: "Started", trigger: "Authorized", token: "BLOCKED", info: "Blocked"})
			p.event(txEvent{kind: "Ended", trigger: "Deauthorized", reason: "DeAuthorized"})
			p.ended("DeAuthorized")
		}},
		answered201("TC_C_37_CSMS", "Empty a station's memory of cards.", "ClearCache", `{}`, accepted),
		answered201("TC_C_38_CSMS", "Be told that the memory of cards is not emptied.", "ClearCache", `{}`, says("Rejected")),
		{id: "TC_C_39_CSMS", must: "Name the group of cards, so that one of them stops what another began.", play: func(p *player) {
			p.boot201()
			grouped(p, "VALID", "GROUP")
			var a map[string]any
			p.event(txEvent{kind: "Started", trigger: "Authorized", token: "VALID", info: "Accepted", answer: &a})
			p.is(a, "idTokenInfo.groupIdToken.idToken", "GROUP")
			p.event(txEvent{kind: "Updated", trigger: "ChargingStateChanged", state: "Charging", shows: fleet.Charging})
			grouped(p, "SAMEGROUP", "GROUP")
			p.event(txEvent{kind: "Ended", trigger: "StopAuthorized", state: "EVConnected", reason: "Local", token: "SAMEGROUP", info: "Accepted", answer: &a})
			p.is(a, "idTokenInfo.groupIdToken.idToken", "GROUP")
			p.ended("Local")
		}},
		master("TC_C_47_CSMS", "Name the group of a master card, by which all transactions are stopped.", 2),
		master("TC_C_48_CSMS", "Name the group of a master card, by which chosen transactions are stopped.", 1),
		master("TC_C_49_CSMS", "Name the group of a master card at a station without a screen.", 1),
	}}
}

const signedUpdate = `{"requestId":5,"firmware":{"location":"https://files.example.com/fw.bin","retrieveDateTime":"2026-01-02T03:04:05Z","signingCertificate":` + pemText + `,"signature":"c2ln"}}`

// tells is a station that says how an update goes, and boots where it has to.
func (p *player) tells(request int, states ...string) {
	p.Helper()
	for _, s := range states {
		p.call("FirmwareStatusNotification", fmt.Sprintf(`{"status":%q,"requestId":%d}`, s, request))
		if s == "InstallRebooting" {
			p.reconnect()
			p.booted201("FirmwareUpdate")
		}
	}
}

func oca201Firmware() ocaChapter {
	update := func(id, must, answer, security string, states ...string) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) {
			p.boot201()
			p.send("UpdateFirmware", signedUpdate, says(answer))
			p.tells(5, states...)
			if security != "" {
				p.securityEvent(security)
			}
			if len(states) > 0 {
				p.journalled(event.KindFirmware, states)
			}
		}}
	}
	whole := []string{"Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"}
	from := func(first ...string) []string { return append(first, whole...) }
	second := strings.Replace(signedUpdate, `"requestId":5`, `"requestId":6`, 1)
	twice := func(id, must, answer string, request int) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) {
			p.boot201()
			p.send("UpdateFirmware", signedUpdate, accepted)
			p.tells(5, "Downloading")
			p.send("UpdateFirmware", second, says(answer))
			p.tells(request, whole...)
			p.journalled(event.KindFirmware, from("Downloading"))
		}}
	}
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 L: firmware", []ocaCase{
		update("TC_L_01_CSMS", "Have signed firmware installed, and follow it over the reboot.", "Accepted", "", whole...),
		update("TC_L_02_CSMS", "Follow firmware that is installed later.", "Accepted", "", "Downloading", "Downloaded", "SignatureVerified", "InstallScheduled", "Installing", "InstallRebooting", "Installed"),
		update("TC_L_03_CSMS", "Follow firmware that is fetched later.", "Accepted", "", from("DownloadScheduled")...),
		update("TC_L_04_CSMS", "Be told that the certificate of firmware is revoked.", "RevokedCertificate", "InvalidFirmwareSigningCertificate"),
		update("TC_L_05_CSMS", "Be told that the certificate of firmware is not good, and take the event.", "InvalidCertificate", "InvalidFirmwareSigningCertificate"),
		update("TC_L_06_CSMS", "Follow firmware with a wrong signature to its refusal, and take the event.", "Accepted", "InvalidFirmwareSignature", "Downloading", "Downloaded", "InvalidSignature"),
		update("TC_L_07_CSMS", "Follow firmware that could not be fetched.", "Accepted", "", "Downloading", "DownloadFailed"),
		update("TC_L_08_CSMS", "Follow firmware that did not stand the check after it was installed.", "Accepted", "", "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallVerificationFailed"),
		update("TC_L_09_CSMS", "Follow firmware that could not be installed.", "Accepted", "", "Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallationFailed"),
		twice("TC_L_10_CSMS", "Put another update in the place of one that runs.", "AcceptedCanceled", 6),
		twice("TC_L_11_CSMS", "Be told that an update that runs is not given up.", "Rejected", 5),
		{id: "TC_L_13_CSMS", must: "Follow an update that waits for the end of a session.", play: func(p *player) {
			p.charging201()
			p.send("UpdateFirmware", signedUpdate, accepted)
			p.tells(5, "DownloadScheduled")
			p.shows(1, fleet.Charging)
			p.stopped201("StopAuthorized", "Local")
			p.tells(5, whole...)
			p.journalled(event.KindFirmware, from("DownloadScheduled"))
		}},
	}}
}

func oca201Files() ocaChapter {
	hash := `{"hashAlgorithm":"SHA256","issuerNameHash":"aa","issuerKeyHash":"bb","serialNumber":"1"}`
	install := func(id, must, use, answer string) ocaCase {
		return answered201(id, must, "InstallCertificate", `{"certificateType":"`+use+`","certificate":`+pemText+`}`, says(answer))
	}
	log := func(id, must, kind, answer string, states ...string) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) {
			p.boot201()
			p.send("GetLog", `{"logType":"`+kind+`","requestId":5,"log":{"remoteLocation":"https://files.example.com/"}}`, says(answer))
			for _, s := range states {
				p.call("LogStatusNotification", `{"status":"`+s+`","requestId":5}`)
			}
			p.journalled(event.KindLog, states)
		}}
	}
	customer := func(id, must, about, answer string, tells bool) ocaCase {
		return ocaCase{id: id, must: must, play: func(p *player) {
			p.boot201()
			p.send("CustomerInformation", `{"requestId":5,`+about+`}`, says(answer))
			if tells {
				p.call("NotifyCustomerInformation", `{"data":"all that is known","seqNo":0,"generatedAt":"`+stamp()+`","requestId":5}`)
			}
		}}
	}
	const who = `,"idToken":{"idToken":"VALID","type":"ISO14443"}`
	chain := func(use string) string {
		return `{"status":"Accepted","certificateHashDataChain":[{"certificateType":"` + use + `","certificateHashData":` + hash + `}]}`
	}
	return ocaChapter{ocppj.V201, "OCPP 2.0.1 M, N and P: certificates, logs, what a station knows of people, other data", []ocaCase{
		install("TC_M_01_CSMS", "Install the root certificate of the server.", "CSMSRootCertificate", "Accepted"),
		install("TC_M_02_CSMS", "Install a maker's root certificate.", "ManufacturerRootCertificate", "Accepted"),
		install("TC_M_05_CSMS", "Be told that a certificate could not be installed.", "CSMSRootCertificate", "Failed"),
		answered201("TC_M_13_CSMS", "Ask which root certificates of the maker are installed.", "GetInstalledCertificateIds", `{"certificateType":["ManufacturerRootCertificate"]}`, chain("ManufacturerRootCertificate")),
		answered201("TC_M_18_CSMS", "Ask which certificates are installed.", "GetInstalledCertificateIds", `{}`, chain("CSMSRootCertificate")),
		answered201("TC_M_19_CSMS", "Be told that no such certificate is installed.", "GetInstalledCertificateIds", `{"certificateType":["ManufacturerRootCertificate"]}`, says("NotFound")),
		answered201("TC_M_20_CSMS", "Delete a certificate by the hashes that the station gave.", "DeleteCertificate", `{"certificateHashData":`+hash+`}`, accepted),
		answered201("TC_M_21_CSMS", "Be told that a certificate could not be deleted.", "DeleteCertificate", `{"certificateHashData":`+hash+`}`, says("Failed")),
		log("TC_N_25_CSMS", "Have diagnostics sent, and follow it.", "DiagnosticsLog", "Accepted", "Uploading", "Uploaded"),
		customer("TC_N_27_CSMS", "Ask what a station knows of a card, and take it.", `"report":true,"clear":false`+who, "Accepted", true),
		customer("TC_N_28_CSMS", "Ask what a station knows of a card, and take it that it is nothing.", `"report":true,"clear":false`+who, "Accepted", true),
		customer("TC_N_29_CSMS", "Be told that a station does not say what it knows.", `"report":true,"clear":false`+who, "Rejected", false),
		customer("TC_N_30_CSMS", "Have a station tell and forget what it knows of a card.", `"report":true,"clear":true`+who, "Accepted", true),
		customer("TC_N_31_CSMS", "Have a station tell and forget what it knows of a card, which is nothing.", `"report":true,"clear":true`+who, "Accepted", true),
		customer("TC_N_32_CSMS", "Have a station forget what it knows of a card.", `"report":false,"clear":true`+who, "Accepted", true),
		log("TC_N_34_CSMS", "Be told that a log is not sent.", "DiagnosticsLog", "Rejected"),
		log("TC_N_35_CSMS", "Have the security log sent, and follow it.", "SecurityLog", "Accepted", "Uploading", "Uploaded"),
		{id: "TC_N_36_CSMS", must: "Ask for a log again while one is sent, and follow the second.", play: func(p *player) {
			p.boot201()
			ask := `{"logType":"DiagnosticsLog","requestId":%d,"log":{"remoteLocation":"https://files.example.com/"}}`
			p.send("GetLog", fmt.Sprintf(ask, 5), accepted)
			p.call("LogStatusNotification", `{"status":"Uploading","requestId":5}`)
			p.send("GetLog", fmt.Sprintf(ask, 6), says("AcceptedCanceled"))
			p.call("LogStatusNotification", `{"status":"AcceptedCanceled","requestId":5}`)
			p.call("LogStatusNotification", `{"status":"Uploading","requestId":6}`)
			p.call("LogStatusNotification", `{"status":"Uploaded","requestId":6}`)
			p.journalled(event.KindLog, []string{"Uploading", "AcceptedCanceled", "Uploading", "Uploaded"})
		}},
		customer("TC_N_62_CSMS", "Have a station tell and forget what it knows of a customer.", `"report":true,"clear":true,"customerIdentifier":"OpenChargeAlliance"`, "Accepted", true),
		{id: "TC_P_02_CSMS", must: "Not accept a DataTransfer of a vendor it does not know.", play: func(p *player) {
			p.boot201()
			p.is(p.call("DataTransfer", `{"vendorId":"com.example","messageId":"m","data":"d"}`), "status", "UnknownVendorId")
		}},
		{id: "TC_P_03_CSMS", must: "Take messages with data of the vendor's own in them.", play: func(p *player) {
			const own = `"customData":{"vendorId":"com.example","colour":"green"}`
			p.boot201()
			p.call("StatusNotification", fmt.Sprintf(`{"timestamp":%q,"connectorStatus":"Available","evseId":1,"connectorId":1,%s}`, stamp(), own))
			p.call("TransactionEvent", fmt.Sprintf(`{"eventType":"Started","timestamp":%q,"triggerReason":"CablePluggedIn","seqNo":0,"transactionInfo":{"transactionId":"T1",%[2]s},"evse":{"id":1,"connectorId":1},%[2]s}`, stamp(), own))
			p.sessions(1)
		}},
	}}
}
