package web

import (
	"context"
	"net/http"
	"time"
)

// Storage is what the data folder holds and how it grows.
type Storage struct {
	At      time.Time      `json:"at" doc:"when it was measured"`
	Classes []StorageClass `json:"classes"`
	Disk    StorageDisk    `json:"disk"`
}

// StorageClass is one kind of what is kept.
type StorageClass struct {
	Class       string     `json:"class" enum:"meter,history,security,forever,sessions,other,telemetry,frames,video"`
	Bytes       int64      `json:"bytes"`
	OldestAt    *time.Time `json:"oldestAt" doc:"null: nothing is there, or nobody knows"`
	KeepSeconds *int64     `json:"keepSeconds" doc:"null: for ever"`
	MaxBytes    *int64     `json:"maxBytes" doc:"null: no limit in bytes"`
	// PerDayBytes is measured over the newest 7 days, or as much as there is.
	PerDayBytes     *float64 `json:"perDayBytes" doc:"null: too early to tell"`
	MeasuredSeconds int64    `json:"measuredSeconds" doc:"over which perDayBytes was measured"`
	SteadyBytes     *float64 `json:"steadyBytes" doc:"once what is kept is complete; null: it never is, or too early to tell"`
	Setting         string   `json:"setting" doc:"the key that says how long; empty: it is fixed"`
}

// StorageDisk is the disk under the data folder.
type StorageDisk struct {
	FreeBytes  int64      `json:"freeBytes"`
	TotalBytes int64      `json:"totalBytes"`
	RoomBytes  int64      `json:"roomBytes" doc:"until connections are refused"`
	FullAt     *time.Time `json:"fullAt" doc:"when that is, growing as now; null: it lasts, or nobody knows"`
	// VideoShortAt: recordings give way to everything else before the disk is full.
	VideoShortAt *time.Time `json:"videoShortAt" doc:"from when recordings stay for less than promised, growing as now; null: they stay, or nobody knows"`
	Known        bool       `json:"known" doc:"every class that grows could be measured"`
	Stage        string     `json:"stage" enum:"fine,stop clips,shorten curves,free reserve,stop accepting"`
}

type storageOutput struct{ Body Storage }

func (s *Server) getStorage(ctx context.Context, _ *struct{}) (*storageOutput, error) {
	if s.o.System == nil {
		return nil, problemf(http.StatusNotImplemented, "this server does not know its disk")
	}
	found, err := s.o.System.Storage(ctx)
	if err != nil {
		return nil, err
	}
	found.Classes = list(found.Classes)
	return &storageOutput{Body: found}, nil
}
