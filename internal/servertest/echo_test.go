package servertest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/chargewatch/chargewatch/internal/servertest"
	"github.com/chargewatch/chargewatch/internal/store"
)

// A station that says its password, the one it has and the one it is given, says it to
// nobody.
func TestAStationThatSaysItsPassword(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := servertest.In(t, folder)
	const has = "a password of 2026 !"
	if _, _, err := s.Store.EnrolStation(t.Context(), store.System, store.NewStation{ID: "TALKS", Auth: store.Auth{Profile: 1, Password: has}}); err != nil {
		t.Fatal(err)
	}
	c, _, err := websocket.Dial(t.Context(), s.URL+"TALKS", &websocket.DialOptions{
		Subprotocols: []string{"ocpp1.6"},
		HTTPHeader:   http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("TALKS:"+has))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	n := 0
	say := func(action, payload string) {
		n++
		if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `[2,"m%d",%q,%s]`, n, action, payload)); err != nil {
			t.Fatal(err)
		}
	}
	read := func(want string) string {
		for {
			_, data, err := c.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), want) {
				return string(data)
			}
		}
	}
	say("BootNotification", `{"chargePointVendor":"V","chargePointModel":"M","firmwareVersion":"1"}`)
	read(`"m1"`)
	if _, err := s.Proofs().Rotate(t.Context(), store.System, "TALKS"); err != nil {
		t.Fatal(err)
	}
	given, err := s.Store.NextPassword("TALKS")
	if err != nil {
		t.Fatal(err)
	}
	asked := read("AuthorizationKey")
	if !strings.Contains(asked, given) {
		t.Fatalf("the station was asked %s", asked)
	}
	id := strings.Split(asked, `"`)[1]
	if err := c.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `[4,%q,"InternalError","cannot set %s",{}]`, id, given)); err != nil {
		t.Fatal(err)
	}
	say("StatusNotification", fmt.Sprintf(`{"connectorId":1,"errorCode":"OtherError","status":"Faulted","info":"was %s, is %s"}`, has, strings.ToUpper(given)))
	read(fmt.Sprintf(`"m%d"`, n))
	servertest.Eventually(t, "its words are kept", func() bool {
		st, ok := s.Journal.Snapshot().Station("TALKS")
		return ok && len(st.EVSEs) > 0 && st.EVSEs[0].Fault != nil && strings.Contains(st.EVSEs[0].Fault.Info, "was (secret), is (secret)")
	})
	s.Stop()
	searched := 0
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		searched++
		for _, secret := range []string{has, given, strings.ToUpper(given)} {
			if bytes.Contains(data, []byte(secret)) {
				t.Errorf("%q stands in %s", secret, path)
			}
		}
		return err
	})
	if err != nil || searched < 3 {
		t.Errorf("searched %d files: %v", searched, err)
	}
}
