package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxSettings bounds what is kept of one station's settings.
const MaxSettings = 5000

// Setting is a configuration key of 1.6 (Component empty) or an attribute of a
// 2.x variable, as the station last said or accepted.
type Setting struct {
	Component         string
	ComponentInstance string
	EVSE              int
	Connector         int
	Variable          string
	VariableInstance  string
	Attribute         string  // "Actual" unless another
	Value             *string // nil: not readable, or a secret
	Mutability        string  // ReadOnly, WriteOnly, ReadWrite; empty: unknown
	At                time.Time
}

// SecretSetting reports whether a setting's value must not be kept or shown.
func SecretSetting(name string) bool {
	switch strings.ToLower(name) {
	case "authorizationkey", "basicauthpassword", "password", "apnpassword", "vpnpassword", "vpnkey", "sharedsecret",
		"wifipassword", "wlanpassword", "psk":
		return true
	}
	return false
}

func (a *agreement) put(x Setting) error {
	if x.Variable == "" {
		return nil
	}
	x.Attribute = first(x.Attribute, "Actual")
	if SecretSetting(x.Variable) {
		x.Value = nil
	}
	if x.Value != nil {
		x.Value = new(clip(*x.Value, 2500)) // the longest value of OCPP 2.x
	}
	return a.exec("write setting", `INSERT INTO configuration (station, component, component_instance, evse, connector,
		variable, variable_instance, attribute, value, mutability, at)
		SELECT ?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11
		WHERE (SELECT count(*) FROM configuration WHERE station = ?1) < ?12 OR EXISTS (SELECT 1 FROM configuration
			WHERE station = ?1 AND component = ?2 AND component_instance = ?3 AND evse = ?4 AND connector = ?5
			AND variable = ?6 AND variable_instance = ?7 AND attribute = ?8)
		ON CONFLICT DO UPDATE SET value = excluded.value, at = excluded.at,
			mutability = CASE excluded.mutability WHEN '' THEN mutability ELSE excluded.mutability END`,
		a.station, clip(x.Component, 50), clip(x.ComponentInstance, 50), x.EVSE, x.Connector, clip(x.Variable, 50),
		clip(x.VariableInstance, 50), clip(x.Attribute, 20), x.Value, x.Mutability, a.at, MaxSettings)
}

func (a *agreement) getConfiguration(_, response []byte) error {
	var r struct {
		Keys []struct {
			Key      string  `json:"key"`
			ReadOnly *bool   `json:"readonly"`
			Value    *string `json:"value"`
		} `json:"configurationKey"`
	}
	if json.Unmarshal(response, &r) != nil {
		return nil
	}
	for _, k := range r.Keys {
		x := Setting{Variable: k.Key, Value: k.Value}
		if k.ReadOnly != nil {
			x.Mutability = "ReadWrite"
			if *k.ReadOnly {
				x.Mutability = "ReadOnly"
			}
		}
		if err := a.put(x); err != nil {
			return err
		}
	}
	return nil
}

func (a *agreement) changeConfiguration(request, response []byte) error {
	var r struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	if s := status(response); s != "Accepted" && s != "RebootRequired" || json.Unmarshal(request, &r) != nil {
		return nil
	}
	return a.put(Setting{Variable: r.Key, Value: &r.Value})
}

// variable is how 2.x names a variable, in requests, answers and reports.
type variable struct {
	Component struct {
		Name     string `json:"name"`
		Instance string `json:"instance"`
		EVSE     struct {
			ID        int `json:"id"`
			Connector int `json:"connectorId"`
		} `json:"evse"`
	} `json:"component"`
	Variable struct {
		Name     string `json:"name"`
		Instance string `json:"instance"`
	} `json:"variable"`
	AttributeType   string  `json:"attributeType"`
	AttributeStatus string  `json:"attributeStatus"`
	AttributeValue  *string `json:"attributeValue"`
	Attributes      []struct {
		Type       string  `json:"type"`
		Value      *string `json:"value"`
		Mutability string  `json:"mutability"`
	} `json:"variableAttribute"`
	Characteristics struct {
		MaxLimit *float64 `json:"maxLimit"`
	} `json:"variableCharacteristics"`
}

// MaxLimit is the attribute under which the limit of a variable is kept, where it says
// what a station has room for.
const MaxLimit = "MaxLimit"

func (v *variable) setting() Setting {
	return Setting{
		Component: v.Component.Name, ComponentInstance: v.Component.Instance, EVSE: v.Component.EVSE.ID,
		Connector: v.Component.EVSE.Connector, Variable: v.Variable.Name, VariableInstance: v.Variable.Instance,
		Attribute: v.AttributeType, Value: v.AttributeValue,
	}
}

func (a *agreement) getVariables(_, response []byte) error {
	var r struct {
		Results []variable `json:"getVariableResult"`
	}
	if json.Unmarshal(response, &r) != nil {
		return nil
	}
	for _, v := range r.Results {
		if v.AttributeStatus != "Accepted" {
			continue
		}
		if err := a.put(v.setting()); err != nil {
			return err
		}
	}
	return nil
}

func (a *agreement) setVariables(request, response []byte) error {
	var asked struct {
		Data []variable `json:"setVariableData"`
	}
	var said struct {
		Results []variable `json:"setVariableResult"`
	}
	if json.Unmarshal(request, &asked) != nil || json.Unmarshal(response, &said) != nil {
		return nil
	}
	for _, result := range said.Results {
		if s := result.AttributeStatus; s != "Accepted" && s != "RebootRequired" {
			continue
		}
		want := result.setting()
		for _, v := range asked.Data {
			x := v.setting()
			same := x
			same.Value, same.Attribute = nil, first(x.Attribute, "Actual")
			want.Value, want.Attribute = nil, first(want.Attribute, "Actual")
			if same != want {
				continue
			}
			if err := a.put(x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *agreement) baseReport(data []byte) error {
	var list []variable
	if json.Unmarshal(data, &list) != nil {
		var whole struct {
			Data []variable `json:"reportData"`
		}
		if json.Unmarshal(data, &whole) != nil {
			return nil
		}
		list = whole.Data
	}
	for _, v := range list {
		for _, at := range v.Attributes {
			x := v.setting()
			x.Attribute, x.Value, x.Mutability = at.Type, at.Value, first(at.Mutability, "ReadWrite")
			if err := a.put(x); err != nil {
				return err
			}
		}
		if most := v.Characteristics.MaxLimit; most != nil && v.Component.Name == "LocalAuthListCtrlr" {
			x := v.setting()
			x.Attribute, x.Value, x.Mutability = MaxLimit, new(strconv.FormatFloat(*most, 'f', -1, 64)), "ReadOnly"
			if err := a.put(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// Settings returns what a station said about its settings, by name.
func (s *Store) Settings(ctx context.Context, station string) ([]Setting, error) {
	var out []Setting
	err := s.query(ctx, "settings", `SELECT component, component_instance, evse, connector, variable, variable_instance,
		attribute, value, mutability, at FROM configuration WHERE station = ?
		ORDER BY component, component_instance, evse, connector, variable, variable_instance, attribute`,
		[]any{station}, func(r *sql.Rows) error {
			var x Setting
			var at int64
			err := r.Scan(&x.Component, &x.ComponentInstance, &x.EVSE, &x.Connector, &x.Variable, &x.VariableInstance,
				&x.Attribute, &x.Value, &x.Mutability, &at)
			x.At = fromMillis(at)
			out = append(out, x)
			return err
		})
	return out, err
}

func parseTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("read time: %w", err)
	}
	return t.UTC(), nil
}
