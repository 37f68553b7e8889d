package record

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"

	"github.com/chargewatch/chargewatch/internal/camera/segment"
)

// indexFile is the name of the index inside the folder of recordings.
const indexFile = "index.db"

// shape is of the tables. An index of another shape is made again; that before this
// one is completed.
const shape = 2

const tables = `
CREATE TABLE source (
	id     INTEGER PRIMARY KEY,
	camera TEXT NOT NULL,
	stream TEXT NOT NULL,
	bytes  INTEGER NOT NULL DEFAULT 0, -- of all its segments and what lies beside them
	UNIQUE (camera, stream)
);
CREATE TABLE segment (
	source   INTEGER NOT NULL,
	start    INTEGER NOT NULL, -- microseconds
	stop     INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	bytes    INTEGER NOT NULL,
	beside   INTEGER NOT NULL DEFAULT 0, -- bytes of the previews beside its file
	flags    INTEGER NOT NULL,
	class    INTEGER NOT NULL,
	going    INTEGER NOT NULL DEFAULT 0, -- its file is being removed
	run      INTEGER NOT NULL,
	shift    INTEGER NOT NULL, -- ticks since the run began
	format   INTEGER NOT NULL,
	keys     BLOB NOT NULL,
	prev     BLOB NOT NULL,
	sum      BLOB NOT NULL,
	link     BLOB NOT NULL,
	PRIMARY KEY (source, start, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX segment_seq ON segment (source, seq);
CREATE TABLE gap (
	source INTEGER NOT NULL,
	start  INTEGER NOT NULL,
	stop   INTEGER NOT NULL, -- 0 while it lasts
	reason TEXT NOT NULL,
	PRIMARY KEY (source, start)
) WITHOUT ROWID;
`

// complete is the step to this shape from the one before.
const complete = `ALTER TABLE segment ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;`

type database struct {
	write *sql.DB // one connection
	read  *sql.DB
	grown bool // of the shape before: it does not know what lies beside files
}

// openDatabase opens the index; fresh reports that it holds nothing yet.
func openDatabase(ctx context.Context, folder string) (db *database, fresh bool, err error) {
	path := filepath.Join(folder, indexFile)
	open := func(writer bool) (*sql.DB, error) {
		q := url.Values{"mode": {"ro"}}
		pragmas := []string{"busy_timeout(10000)", "temp_store(2)", "cache_size(-4096)"}
		if writer {
			q.Set("mode", "rwc")
			q.Set("_txlock", "immediate")
			pragmas = append(pragmas, "page_size(8192)", "auto_vacuum(2)",
				"journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(1000)", "journal_size_limit(33554432)")
		} else {
			pragmas = append(pragmas, "query_only(1)")
		}
		q["_pragma"] = pragmas
		return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	}
	db = &database{}
	if db.write, err = open(true); err != nil {
		return nil, false, fmt.Errorf("open the index of recordings: %w", err)
	}
	db.write.SetMaxOpenConns(1)
	if db.read, err = open(false); err != nil {
		return nil, false, errors.Join(fmt.Errorf("open the index of recordings for reading: %w", err), db.write.Close())
	}
	db.read.SetMaxOpenConns(4)
	fresh, err = db.prepare(ctx)
	if err != nil {
		return nil, false, errors.Join(err, db.close())
	}
	return db, fresh, nil
}

// errShape is returned for an index that has to be made again.
var errShape = errors.New("the index of recordings has another shape")

func (db *database) prepare(ctx context.Context) (fresh bool, err error) {
	var have, n int
	if err := db.write.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&have); err != nil {
		return false, fmt.Errorf("read the shape of the index: %w", err)
	}
	if err := db.write.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&n); err != nil {
		return false, fmt.Errorf("read the tables of the index: %w", err)
	}
	if have == shape {
		return false, nil
	}
	if have == shape-1 {
		db.grown = true
		return false, db.tx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, complete+fmt.Sprintf("PRAGMA user_version = %d", shape)); err != nil {
				return fmt.Errorf("complete the index of recordings: %w", err)
			}
			return nil
		})
	}
	if n > 0 {
		return false, errShape
	}
	return true, db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, tables+fmt.Sprintf("PRAGMA user_version = %d", shape)); err != nil {
			return fmt.Errorf("make the index of recordings: %w", err)
		}
		return nil
	})
}

func (db *database) close() error { return errors.Join(db.read.Close(), db.write.Close()) }

func (db *database) tx(ctx context.Context, fn func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit: %w", err), ignoreDone(tx.Rollback()))
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// source returns the number of a source, given at first use.
func (db *database) source(ctx context.Context, src Source) (id int64, err error) {
	err = db.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO source (camera, stream) VALUES (?, ?) ON CONFLICT DO NOTHING`, src.Camera, src.Stream); err != nil {
			return fmt.Errorf("note a stream: %w", err)
		}
		if err := tx.QueryRowContext(ctx, `SELECT id FROM source WHERE camera = ? AND stream = ?`, src.Camera, src.Stream).Scan(&id); err != nil {
			return fmt.Errorf("find a stream: %w", err)
		}
		return nil
	})
	return id, err
}

const columns = `start, stop, seq, bytes, flags, class, run, shift, format, keys, prev, sum, link`

func insertSegment(ctx context.Context, tx *sql.Tx, source int64, g *Segment) error {
	done, err := tx.ExecContext(ctx, `INSERT INTO segment (source, `+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		source, g.Start.UnixMicro(), g.End.UnixMicro(), int64(g.Seq), g.Bytes, g.Flags, int(g.Class),
		g.Run.UnixMicro(), g.Offset, int64(g.Format), packKeys(g.Start, g.Keys), g.Prev[:], g.Sum[:], g.Link[:])
	if err != nil {
		return fmt.Errorf("note a segment: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return count(ctx, tx, source, g.Bytes)
}

// count keeps the sum of a source.
func count(ctx context.Context, tx *sql.Tx, source, bytes int64) error {
	if _, err := tx.ExecContext(ctx, `UPDATE source SET bytes = bytes + ? WHERE id = ?`, bytes, source); err != nil {
		return fmt.Errorf("count the bytes of a stream: %w", err)
	}
	return nil
}

type scanner interface{ Scan(...any) error }

func scanSegment(row scanner, src Source) (*Segment, error) {
	g := &Segment{Source: src}
	var start, stop, run, seq, format int64
	var class int
	var keys, prev, sum, link []byte
	if err := row.Scan(&start, &stop, &seq, &g.Bytes, &g.Flags, &class, &run, &g.Offset, &format, &keys, &prev, &sum, &link); err != nil {
		return nil, err
	}
	g.Start, g.End, g.Run = fromMicro(start), fromMicro(stop), fromMicro(run)
	g.Seq, g.Format, g.Class, g.Locked = uint64(seq), uint64(format), Class(class), Class(class) == Evidence
	copy(g.Prev[:], prev)
	copy(g.Sum[:], sum)
	copy(g.Link[:], link)
	var err error
	g.Keys, err = unpackKeys(g.Start, keys)
	return g, err
}

func insertGap(ctx context.Context, tx *sql.Tx, source int64, g Gap) error {
	stop := int64(0)
	if !g.To.IsZero() {
		stop = g.To.UnixMicro()
	}
	if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO gap (source, start, stop, reason) VALUES (?, ?, ?, ?)`,
		source, g.From.UnixMicro(), stop, g.Reason); err != nil {
		return fmt.Errorf("note a gap: %w", err)
	}
	return nil
}

// insertLost notes a gap that the index had lost. If it knows of one that began
// then, the reason stays.
func insertLost(ctx context.Context, tx *sql.Tx, source int64, g Gap) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO gap (source, start, stop, reason) VALUES (?, ?, ?, ?)
		ON CONFLICT (source, start) DO UPDATE SET stop = excluded.stop WHERE stop = 0`,
		source, g.From.UnixMicro(), g.To.UnixMicro(), g.Reason); err != nil {
		return fmt.Errorf("note a gap: %w", err)
	}
	return nil
}

func fromMicro(v int64) time.Time { return time.UnixMicro(v).UTC() }

// packKeys writes where key pictures lie: each counts from the one before.
func packKeys(start time.Time, keys []Key) []byte {
	b := make([]byte, 0, 8*len(keys))
	var ticks, offset, at int64
	for _, k := range keys {
		micros := k.At.UnixMicro() - start.UnixMicro()
		b = binary.AppendUvarint(b, uint64(k.Ticks-ticks))
		b = binary.AppendUvarint(b, uint64(k.Offset-offset))
		b = binary.AppendVarint(b, micros-at)
		ticks, offset, at = k.Ticks, k.Offset, micros
	}
	return b
}

func unpackKeys(start time.Time, b []byte) ([]Key, error) {
	keys := make([]Key, 0, len(b)/7+1)
	var ticks, offset, at int64
	for len(b) > 0 {
		dt, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("key pictures of a segment: %w", segment.ErrForm)
		}
		do, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return nil, fmt.Errorf("key pictures of a segment: %w", segment.ErrForm)
		}
		da, l := binary.Varint(b[n+m:])
		if l <= 0 {
			return nil, fmt.Errorf("key pictures of a segment: %w", segment.ErrForm)
		}
		b = b[n+m+l:]
		ticks, offset, at = ticks+int64(dt), offset+int64(do), at+da
		keys = append(keys, Key{Ticks: ticks, Offset: offset, At: start.Add(time.Duration(at) * time.Microsecond)})
	}
	return keys, nil
}
