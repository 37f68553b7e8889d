package store

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/chargewatch/chargewatch/internal/event"
)

// agreement applies the answer to one command. Payloads come from the journal,
// so tokens in them are references (see TokenRef) and secrets are gone.
type agreement struct {
	tx      *sql.Tx
	station string
	command string
	at      int64
}

// agreements returns how the answer to an action is applied, nil for actions
// that agree nothing. What cannot be read changes nothing: the answer is in
// the journal all the same.
func agreements(action string) func(a *agreement, request, response []byte) error {
	switch action {
	case "SendLocalList":
		return (*agreement).sendLocalList
	case "GetLocalListVersion":
		return (*agreement).localListVersion
	case "ReserveNow":
		return (*agreement).reserveNow
	case "CancelReservation":
		return (*agreement).cancelReservation
	case "SetChargingProfile":
		return (*agreement).setChargingProfile
	case "ClearChargingProfile":
		return (*agreement).clearChargingProfile
	case "GetInstalledCertificateIds":
		return (*agreement).installedCertificates
	case "DeleteCertificate":
		return (*agreement).deleteCertificate
	case "GetConfiguration":
		return (*agreement).getConfiguration
	case "ChangeConfiguration":
		return (*agreement).changeConfiguration
	case "GetVariables":
		return (*agreement).getVariables
	case "SetVariables":
		return (*agreement).setVariables
	}
	return nil
}

// Bounds for one station: reservations go 90 days after their last change,
// charging profiles beyond the newest 200 are let go.
const (
	keepReservations    = int64(90 * 24 * 60 * 60 * 1000) // ms
	maxChargingProfiles = 200
)

// TokenRefPrefix marks a token in a recorded payload: what follows is its
// opaque id.
const TokenRefPrefix = "idToken:"

// TokenRef writes a reference to a token.
func TokenRef(id string) string { return TokenRefPrefix + id }

// tokenRef reads a token of 1.6 (text) or 2.x (object).
type tokenRef string

func (t *tokenRef) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		var object struct {
			IDToken string `json:"idToken"`
		}
		if err := json.Unmarshal(data, &object); err != nil {
			return fmt.Errorf("read token: %w", err)
		}
		text = object.IDToken
	}
	if id, ok := strings.CutPrefix(text, TokenRefPrefix); ok {
		*t = tokenRef(id)
	}
	return nil
}

func status(response []byte) string {
	var r struct {
		Status string `json:"status"`
	}
	if json.Unmarshal(response, &r) != nil {
		return ""
	}
	return r.Status
}

func (a *agreement) exec(what, text string, args ...any) error {
	if _, err := a.tx.Exec(text, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func (a *agreement) sendLocalList(request, response []byte) error {
	var r struct {
		ListVersion   *int   `json:"listVersion"`
		VersionNumber *int   `json:"versionNumber"`
		UpdateType    string `json:"updateType"`
		List          []struct {
			IDTag       tokenRef        `json:"idTag"`
			IDToken     tokenRef        `json:"idToken"`
			IDTagInfo   json.RawMessage `json:"idTagInfo"`
			IDTokenInfo json.RawMessage `json:"idTokenInfo"`
		} `json:"localAuthorizationList"`
	}
	if status(response) != "Accepted" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	version := r.ListVersion
	if version == nil {
		version = r.VersionNumber
	}
	if version == nil {
		return nil
	}
	if r.UpdateType == "Full" {
		for _, text := range []string{`DELETE FROM local_list_entries WHERE station = ?`, `UPDATE local_lists SET stale = 0 WHERE station = ?`} {
			if err := a.exec("clear local list", text, a.station); err != nil {
				return err
			}
		}
	}
	for _, x := range r.List {
		token, info := x.IDTag, x.IDTagInfo
		if token == "" {
			token, info = x.IDToken, x.IDTokenInfo
		}
		if token == "" {
			continue
		}
		text, args := `INSERT OR REPLACE INTO local_list_entries (station, token_id, info) VALUES (?,?,?)`,
			[]any{a.station, string(token), string(info)}
		if len(info) == 0 || string(info) == "null" { // no info means remove, in a differential update
			text, args = `DELETE FROM local_list_entries WHERE station = ? AND token_id = ?`, args[:2]
		}
		if err := a.exec("write local list", text, args...); err != nil {
			return err
		}
	}
	return a.exec("write local list", `INSERT INTO local_lists (station, version, updated_at) VALUES (?,?,?)
		ON CONFLICT (station) DO UPDATE SET version=excluded.version, updated_at=excluded.updated_at`,
		a.station, *version, a.at)
}

func (a *agreement) localListVersion(_, response []byte) error {
	var r struct {
		ListVersion   *int `json:"listVersion"`
		VersionNumber *int `json:"versionNumber"`
	}
	if json.Unmarshal(response, &r) != nil {
		return nil
	}
	if r.ListVersion == nil {
		r.ListVersion = r.VersionNumber
	}
	if r.ListVersion == nil {
		return nil
	}
	return a.exec("write local list", `INSERT INTO local_lists (station, reported_version, reported_at) VALUES (?,?,?)
		ON CONFLICT (station) DO UPDATE SET reported_version=excluded.reported_version, reported_at=excluded.reported_at`,
		a.station, *r.ListVersion, a.at)
}

func (a *agreement) reserveNow(request, response []byte) error {
	var r struct {
		ReservationID *int     `json:"reservationId"`
		ID            *int     `json:"id"`
		ConnectorID   int      `json:"connectorId"`
		EVSEID        int      `json:"evseId"`
		ExpiryDate    string   `json:"expiryDate"`
		Expiry2       string   `json:"expiryDateTime"`
		IDTag         tokenRef `json:"idTag"`
		IDToken       tokenRef `json:"idToken"`
		Parent        tokenRef `json:"parentIdTag"`
		Group         tokenRef `json:"groupIdToken"`
	}
	word := status(response)
	if word == "" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	if r.ReservationID == nil {
		r.ReservationID = r.ID
	}
	if r.ReservationID == nil {
		return nil
	}
	expires, _ := parseTime(first(r.ExpiryDate, r.Expiry2))
	if word != "Accepted" {
		// A refused change leaves an accepted reservation as it was.
		var have string
		err := a.tx.QueryRow(`SELECT status FROM reservations WHERE station = ? AND reservation_id = ?`,
			a.station, *r.ReservationID).Scan(&have)
		if err == nil && have == "Accepted" {
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("read reservation: %w", err)
		}
	}
	if err := a.exec("forget old reservations", `DELETE FROM reservations WHERE station = ? AND updated_at < ?
		AND expires_at < ?`, a.station, a.at-keepReservations, a.at); err != nil {
		return err
	}
	return a.exec("write reservation", `INSERT OR REPLACE INTO reservations (station, reservation_id, evse, token_id,
		parent_token_id, expires_at, status, created_at, updated_at) VALUES (?,?,?,?,?,?,?,?,?)`,
		a.station, *r.ReservationID, max(r.ConnectorID, r.EVSEID), first(string(r.IDTag), string(r.IDToken)),
		first(string(r.Parent), string(r.Group)), millis(expires), word, a.at, a.at)
}

func (a *agreement) cancelReservation(request, response []byte) error {
	var r struct {
		ReservationID *int `json:"reservationId"`
	}
	if status(response) != "Accepted" || json.Unmarshal(request, &r) != nil || r.ReservationID == nil {
		return nil
	}
	return a.exec("cancel reservation", `UPDATE reservations SET status = 'Cancelled', updated_at = ?
		WHERE station = ? AND reservation_id = ?`, a.at, a.station, *r.ReservationID)
}

func reservationReported(tx *sql.Tx, e *event.Event, b *event.Reservation) error {
	word := b.Status
	if word == "Removed" { // 2.x ReservationUpdateStatusEnumType
		word = "Cancelled"
	}
	if _, err := tx.Exec(`UPDATE reservations SET status = ?, updated_at = ? WHERE station = ? AND reservation_id = ?`,
		word, millis(e.RecordedAt), e.Subject.ID, b.ReservationID); err != nil {
		return fmt.Errorf("update reservation: %w", err)
	}
	return nil
}

func reservationUsed(tx *sql.Tx, station string, id int, at int64) error {
	if _, err := tx.Exec(`UPDATE reservations SET status = 'Used', updated_at = ? WHERE station = ?
		AND reservation_id = ? AND status = 'Accepted'`, at, station, id); err != nil {
		return fmt.Errorf("update reservation: %w", err)
	}
	return nil
}

type chargingProfile struct {
	ID1           *int            `json:"chargingProfileId"`
	ID2           *int            `json:"id"`
	StackLevel    int             `json:"stackLevel"`
	Purpose       string          `json:"chargingProfilePurpose"`
	TransactionID json.RawMessage `json:"transactionId"`
}

func (a *agreement) setChargingProfile(request, response []byte) error {
	var r struct {
		ConnectorID int             `json:"connectorId"`
		EVSEID      int             `json:"evseId"`
		Profile1    json.RawMessage `json:"csChargingProfiles"`
		Profile2    json.RawMessage `json:"chargingProfile"`
	}
	if status(response) != "Accepted" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	raw := r.Profile1
	if len(raw) == 0 {
		raw = r.Profile2
	}
	var p chargingProfile
	if json.Unmarshal(raw, &p) != nil {
		return nil
	}
	id := p.ID1
	if id == nil {
		id = p.ID2
	}
	if id == nil {
		return nil
	}
	evse := max(r.ConnectorID, r.EVSEID)
	transaction := strings.Trim(string(p.TransactionID), `"`)
	if transaction == "null" {
		transaction = ""
	}
	// A profile takes the place of one with its id, and of one with its level,
	// purpose, port and transaction.
	if err := a.exec("replace charging profile", `DELETE FROM charging_profiles WHERE station = ? AND evse = ?
		AND purpose = ? AND stack_level = ? AND transaction_id = ?`,
		a.station, evse, p.Purpose, p.StackLevel, transaction); err != nil {
		return err
	}
	if err := a.exec("write charging profile", `INSERT OR REPLACE INTO charging_profiles (station, profile_id, evse, purpose,
		stack_level, transaction_id, profile, command_id, accepted_at) VALUES (?,?,?,?,?,?,?,?,?)`,
		a.station, *id, evse, p.Purpose, p.StackLevel, transaction, string(raw), a.command, a.at); err != nil {
		return err
	}
	return a.exec("bound charging profiles", `DELETE FROM charging_profiles WHERE station = ?1 AND profile_id IN (SELECT profile_id
		FROM charging_profiles WHERE station = ?1 ORDER BY accepted_at DESC, profile_id DESC LIMIT -1 OFFSET ?2)`,
		a.station, maxChargingProfiles)
}

func (a *agreement) clearChargingProfile(request, response []byte) error {
	var r struct {
		ID1         *int   `json:"id"`
		ID2         *int   `json:"chargingProfileId"`
		ConnectorID *int   `json:"connectorId"`
		Purpose     string `json:"chargingProfilePurpose"`
		StackLevel  *int   `json:"stackLevel"`
		Criteria    struct {
			EVSEID     *int   `json:"evseId"`
			Purpose    string `json:"chargingProfilePurpose"`
			StackLevel *int   `json:"stackLevel"`
		} `json:"chargingProfileCriteria"`
	}
	if status(response) != "Accepted" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	for _, id := range []*int{r.ID1, r.ID2} {
		if id != nil { // an id makes the other criteria void
			return a.exec("clear charging profile", `DELETE FROM charging_profiles WHERE station = ? AND profile_id = ?`,
				a.station, *id)
		}
	}
	evse, level := r.ConnectorID, r.StackLevel
	if evse == nil {
		evse = r.Criteria.EVSEID
	}
	if level == nil {
		level = r.Criteria.StackLevel
	}
	return a.exec("clear charging profiles", `DELETE FROM charging_profiles WHERE station = ?1 AND (?2 IS NULL OR evse = ?2)
		AND (?3 = '' OR purpose = ?3) AND (?4 IS NULL OR stack_level = ?4)`,
		a.station, evse, first(r.Purpose, r.Criteria.Purpose), level)
}

// dropTxProfiles forgets the profiles of a transaction that ended.
func dropTxProfiles(tx *sql.Tx, e *event.Event, b *event.Transaction) error {
	_, err := tx.Exec(`DELETE FROM charging_profiles WHERE station = ? AND purpose = 'TxProfile'
		AND (transaction_id = ? OR transaction_id = '' AND evse = ?)`, e.Subject.ID, b.TransactionID, e.Subject.EVSE)
	if err != nil {
		return fmt.Errorf("drop charging profiles: %w", err)
	}
	return nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
