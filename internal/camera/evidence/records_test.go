package evidence_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargewatch/chargewatch/internal/audit"
	"github.com/chargewatch/chargewatch/internal/camera/evidence"
)

// recorded is a pack of an incident with what else was recorded.
func recorded(t *testing.T, p *place) []byte {
	t.Helper()
	lines := func(format string, n int) (out [][]byte) {
		for i := range n {
			out = append(out, fmt.Appendf(nil, format, i))
		}
		return out
	}
	var acts [][]byte
	var last []byte
	for i := range 10 {
		e := audit.Entry{Seq: int64(i + 1), At: noon(), Actor: "u-1", Action: "door.unlock", Subject: "door/gate", Detail: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))}
		e.Hash = e.Seal(last)
		last = e.Hash
		line, err := json.Marshal(audit.Part{Entry: e, Withheld: i == 4})
		if err != nil {
			t.Fatal(err)
		}
		acts = append(acts, line)
	}
	c := audit.Checkpoint{Seq: 10, Hash: hex.EncodeToString(last), At: noon()}
	c.Sign = hex.EncodeToString(p.key.Sign(c.Payload()))
	point, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	e := &evidence.Exporter{Store: p.store, Key: p.key, Software: "test", Now: time.Now, Records: func(context.Context, evidence.Request) ([]evidence.Records, error) {
		return []evidence.Records{
			{Kind: evidence.Frames, About: "CS-1", Lines: lines(`{"from":"station","data":[2,"%d","Heartbeat",{}]}`, 6)},
			{Kind: evidence.Frames, About: "CS-2", Lines: lines(`{"from":"server","data":[3,"%d",{}]}`, 3), Cut: true},
			{Kind: evidence.DoorEvents, Lines: lines(`{"seq":%d,"kind":"door.state","data":{"state":"forced"}}`, 5)},
			{Kind: evidence.AuditSlice, Lines: acts}, {Kind: evidence.Checkpoints, Lines: [][]byte{point}},
		}, nil
	}}
	if _, _, err := e.Write(t.Context(), &buf, p.request(2*time.Minute), nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestEachTamperingOfRecordsIsFoundAndNamed(t *testing.T) {
	p := filmed(t, 2*time.Minute)
	raw := recorded(t, p)
	edit := func(name string, change func([]string) []string) func([]file) []file {
		return func(list []file) []file {
			i := index(list, name)
			text := strings.Split(strings.TrimSuffix(string(list[i].content), "\n"), "\n")
			list[i].content = []byte(strings.Join(change(text), "\n") + "\n")
			return list
		}
	}
	for sentence, c := range map[string]struct {
		harm  func([]file) []file
		kinds []string
		names []string
	}{
		"nothing": {func(l []file) []file { return l }, nil, nil},
		"a door event says something else": {edit("records/doors.jsonl", func(l []string) []string {
			l[2] = strings.Replace(l[2], "forced", "locked", 1)
			return l
		}), []string{"changed", "record"}, []string{"records/doors.jsonl: record 3 was changed"}},
		"a door event is gone": {edit("records/doors.jsonl", func(l []string) []string { return slices.Delete(l, 2, 3) }),
			[]string{"cut", "record"}, []string{"records/doors.jsonl: record 3 was removed or changed"}},
		"a door event was added": {edit("records/doors.jsonl", func(l []string) []string { return append(l, `{"seq":9}`) }),
			[]string{"grown", "record"}, []string{"records/doors.jsonl: record 6 was added or changed"}},
		"a message of a station is another": {edit("records/frames-1.jsonl", func(l []string) []string {
			l[0] = strings.Replace(l[0], "Heartbeat", "Heartbeal", 1)
			return l
		}), []string{"changed", "record"}, []string{"records/frames-1.jsonl: record 1 was changed"}},
		"an act of a person says something else": {edit("records/audit.jsonl", func(l []string) []string {
			l[6] = strings.Replace(l[6], `"n":6`, `"n":7`, 1)
			return l
		}), []string{"changed", "record", "audit"}, []string{"records/audit.jsonl: record 7: changed"}},
		"an act of a person is gone": {edit("records/audit.jsonl", func(l []string) []string { return slices.Delete(l, 6, 7) }),
			[]string{"cut", "record", "audit"}, []string{"records/audit.jsonl: record 7: missing"}},
		"all messages of a station are gone": {func(l []file) []file {
			return slices.Delete(l, index(l, "records/frames-2.jsonl"), index(l, "records/frames-2.jsonl")+1)
		}, []string{"removed"}, []string{"records/frames-2.jsonl"}},
		"a file lies beside them": {func(l []file) []file { return append(l, file{"records/names.jsonl", []byte("{}\n")}) }, []string{"unknown"}, []string{"records/names.jsonl"}},
		"the manifest has one file less": {func(l []file) []file {
			rewrite(t, l, nil, func(m *evidence.Manifest) { m.Records = m.Records[:4] })
			return slices.Delete(l, index(l, "records/checkpoints.jsonl"), index(l, "records/checkpoints.jsonl")+1)
		}, []string{"signature"}, []string{"manifest.json"}},
	} {
		t.Run(sentence, func(t *testing.T) {
			list := c.harm(unpack(t, bytes.Clone(raw)))
			packed := repack(t, list)
			r := evidence.VerifyArchive(bytes.NewReader(packed), int64(len(packed)), evidence.Trust{Key: p.key.Public()})
			var kinds []string
			said := ""
			for _, f := range r.Faults {
				kinds = append(kinds, f.Kind)
				said += f.String() + "\n"
			}
			if !slices.Equal(kinds, c.kinds) || r.Whole() != (len(c.kinds) == 0) {
				t.Errorf("found %v\n%s", kinds, said)
			}
			for _, name := range c.names {
				if !strings.Contains(said, name) {
					t.Errorf("it does not say %q but\n%s", name, said)
				}
			}
		})
	}
	t.Run("held against the whole log", func(t *testing.T) {
		r := evidence.VerifyArchive(bytes.NewReader(raw), int64(len(raw)), evidence.Trust{Key: p.key.Public(), Audit: map[int64][]byte{1: {1}}})
		if len(r.Faults) != 10 || r.Faults[0].Kind != "audit" || r.Audit == nil || r.Audit.Held != 1 || r.Audit.Withheld != 1 {
			t.Errorf("%v %+v", r.Faults, r.Audit)
		}
	})
	t.Run("the sheets say what lies beside the pictures", func(t *testing.T) {
		for _, f := range unpack(t, raw) {
			if f.name == "COVER.html" || f.name == "README.txt" {
				for _, want := range []string{"records/doors.jsonl", "records/frames-2.jsonl", "CS-2", "there was more"} {
					if !strings.Contains(string(f.content), want) {
						t.Errorf("%s does not say %q", f.name, want)
					}
				}
			}
		}
	})
}
