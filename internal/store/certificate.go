package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// maxCertificates bounds what is kept of one answer.
const maxCertificates = 200

// InstalledCertificate is one of a station's trust, by its hashes as OCPP names
// certificates.
type InstalledCertificate struct {
	Type           string // the use, such as CSMSRootCertificate
	HashAlgorithm  string
	IssuerNameHash string
	IssuerKeyHash  string
	Serial         string
	Parent         string // serial of the certificate it stands under; empty: none
	At             time.Time
}

// certificateHash is how OCPP names a certificate.
type certificateHash struct {
	HashAlgorithm  string `json:"hashAlgorithm"`
	IssuerNameHash string `json:"issuerNameHash"`
	IssuerKeyHash  string `json:"issuerKeyHash"`
	SerialNumber   string `json:"serialNumber"`
}

func (a *agreement) installedCertificates(request, response []byte) error {
	var asked struct {
		Type json.RawMessage `json:"certificateType"` // 1.6: one word; 2.x: a list; absent: all
	}
	var said struct {
		Chain []struct {
			Type     string            `json:"certificateType"`
			Hash     certificateHash   `json:"certificateHashData"`
			Children []certificateHash `json:"childCertificateHashData"`
		} `json:"certificateHashDataChain"`
		Hashes []certificateHash `json:"certificateHashData"` // 1.6
	}
	word := status(response)
	if word != "Accepted" && word != "NotFound" || json.Unmarshal(request, &asked) != nil || json.Unmarshal(response, &said) != nil {
		return nil
	}
	var one string
	var types []string
	if json.Unmarshal(asked.Type, &one) == nil && one != "" {
		types = []string{one}
	} else if json.Unmarshal(asked.Type, &types) != nil || len(types) == 0 {
		types = []string{""}
	}
	for _, typ := range types[:min(len(types), 20)] {
		clear := `DELETE FROM certificates WHERE station = ?1 AND (type = ?2 OR ?2 = '')`
		if err := a.exec("clear certificates", clear, a.station, clip(typ, 50)); err != nil {
			return err
		}
		if err := a.exec("write certificates", `INSERT OR REPLACE INTO certificate_lists (station, type, at) VALUES (?,?,?)`,
			a.station, clip(typ, 50), a.at); err != nil {
			return err
		}
	}
	n := 0
	put := func(typ string, h certificateHash, parent string) error {
		if n++; n > maxCertificates {
			return nil
		}
		return a.exec("write certificate", `INSERT OR REPLACE INTO certificates (station, type, hash_algorithm,
			issuer_name_hash, issuer_key_hash, serial, parent, at) VALUES (?,?,?,?,?,?,?,?)`, a.station, clip(typ, 50),
			clip(h.HashAlgorithm, 20), clip(h.IssuerNameHash, 128), clip(h.IssuerKeyHash, 128), clip(h.SerialNumber, 64),
			clip(parent, 64), a.at)
	}
	for _, h := range said.Hashes {
		if err := put(one, h, ""); err != nil {
			return err
		}
	}
	for _, c := range said.Chain {
		if err := put(c.Type, c.Hash, ""); err != nil {
			return err
		}
		for _, h := range c.Children {
			if err := put(c.Type, h, c.Hash.SerialNumber); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *agreement) deleteCertificate(request, response []byte) error {
	var r struct {
		Hash certificateHash `json:"certificateHashData"`
	}
	if s := status(response); s != "Accepted" && s != "NotFound" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	return a.exec("delete certificate", `DELETE FROM certificates WHERE station = ? AND hash_algorithm = ?
		AND issuer_name_hash = ? AND issuer_key_hash = ? AND serial = ?`,
		a.station, r.Hash.HashAlgorithm, r.Hash.IssuerNameHash, r.Hash.IssuerKeyHash, r.Hash.SerialNumber)
}

// InstalledCertificates returns what a station last said it has, and when it
// was asked; zero: never.
func (s *Store) InstalledCertificates(ctx context.Context, station string) ([]InstalledCertificate, time.Time, error) {
	var out []InstalledCertificate
	err := s.query(ctx, "certificates", `SELECT type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial, parent, at
		FROM certificates WHERE station = ? ORDER BY type, parent, serial`, []any{station}, func(r *sql.Rows) error {
		var x InstalledCertificate
		var at int64
		err := r.Scan(&x.Type, &x.HashAlgorithm, &x.IssuerNameHash, &x.IssuerKeyHash, &x.Serial, &x.Parent, &at)
		x.At = fromMillis(at)
		out = append(out, x)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	var asked time.Time
	err = s.query(ctx, "certificates", `SELECT coalesce(max(at), 0) FROM certificate_lists WHERE station = ?`,
		[]any{station}, func(r *sql.Rows) error {
			var at int64
			err := r.Scan(&at)
			asked = fromMillis(at)
			return err
		})
	return out, asked, err
}

// RootsSaid is which roots a station said it keeps, and when it was heard about those for
// the server; zero: never.
type RootsSaid struct {
	Roots []InstalledCertificate
	At    time.Time
}

// RootsSaid returns what stations from first to last said, by their ids.
func (s *Store) RootsSaid(ctx context.Context, first, last string) (map[string]RootsSaid, error) {
	out := make(map[string]RootsSaid)
	err := s.query(ctx, "roots of stations", `SELECT station, max(at) FROM certificate_lists WHERE station >= ? AND station <= ?
		AND type IN ('', 'CSMSRootCertificate', 'CentralSystemRootCertificate') GROUP BY station`, []any{first, last}, func(r *sql.Rows) error {
		var station string
		var at int64
		err := r.Scan(&station, &at)
		out[station] = RootsSaid{At: fromMillis(at)}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.query(ctx, "roots of stations", `SELECT station, type, hash_algorithm, issuer_name_hash, issuer_key_hash, serial, at FROM certificates
		WHERE station >= ? AND station <= ? AND parent = '' AND type LIKE '%RootCertificate' ORDER BY station, type, serial`, []any{first, last}, func(r *sql.Rows) error {
		var station string
		var x InstalledCertificate
		var at int64
		err := r.Scan(&station, &x.Type, &x.HashAlgorithm, &x.IssuerNameHash, &x.IssuerKeyHash, &x.Serial, &at)
		x.At = fromMillis(at)
		of := out[station]
		of.Roots = append(of.Roots, x)
		out[station] = of
		return err
	})
	return out, err
}
