// Command peer-ocppgo is the smallest central system that can be built on
// ocpp-go v0.19.0: it answers what a 1.6 station says, keeps nothing and logs
// nothing. The benchmarks run it beside Chargewatch under the same load.
//
// A control port offers what Chargewatch offers over its API: one command to
// one station, answered when the station has answered.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	ocpp16 "github.com/lorenzodonini/ocpp-go/ocpp1.6"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/core"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/remotetrigger"
	"github.com/lorenzodonini/ocpp-go/ocpp1.6/types"
	"github.com/lorenzodonini/ocpp-go/ws"
)

// central answers; the embedded interface is nil because no other action is
// sent.
type central struct {
	core.CentralSystemHandler
	nextTx atomic.Int64
}

func (c *central) OnBootNotification(string, *core.BootNotificationRequest) (*core.BootNotificationConfirmation, error) {
	return core.NewBootNotificationConfirmation(types.NewDateTime(time.Now()), 3600, core.RegistrationStatusAccepted), nil
}

func (c *central) OnAuthorize(string, *core.AuthorizeRequest) (*core.AuthorizeConfirmation, error) {
	return core.NewAuthorizationConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted)), nil
}

func (c *central) OnHeartbeat(string, *core.HeartbeatRequest) (*core.HeartbeatConfirmation, error) {
	return core.NewHeartbeatConfirmation(types.NewDateTime(time.Now())), nil
}

func (c *central) OnStatusNotification(string, *core.StatusNotificationRequest) (*core.StatusNotificationConfirmation, error) {
	return core.NewStatusNotificationConfirmation(), nil
}

func (c *central) OnMeterValues(string, *core.MeterValuesRequest) (*core.MeterValuesConfirmation, error) {
	return core.NewMeterValuesConfirmation(), nil
}

func (c *central) OnStartTransaction(string, *core.StartTransactionRequest) (*core.StartTransactionConfirmation, error) {
	return core.NewStartTransactionConfirmation(types.NewIdTagInfo(types.AuthorizationStatusAccepted), int(c.nextTx.Add(1))), nil
}

func (c *central) OnStopTransaction(string, *core.StopTransactionRequest) (*core.StopTransactionConfirmation, error) {
	return core.NewStopTransactionConfirmation(), nil
}

func main() {
	port := flag.Int("port", 0, "OCPP port")
	control := flag.String("control", "", "address of the control port")
	cert := flag.String("cert", "", "certificate, PEM; with it the port speaks TLS")
	key := flag.String("key", "", "its private key, PEM")
	flag.Parse()

	server := ws.NewServer()
	if *cert != "" {
		server = ws.NewTLSServer(*cert, *key, &tls.Config{MinVersion: tls.VersionTLS12})
	}
	cs := ocpp16.NewCentralSystem(nil, server)
	cs.SetCoreHandler(&central{})
	if *control != "" {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /command/{station}", func(w http.ResponseWriter, r *http.Request) {
			answered := make(chan error, 1)
			err := cs.TriggerMessage(r.PathValue("station"), func(_ *remotetrigger.TriggerMessageConfirmation, err error) { answered <- err }, core.HeartbeatFeatureName)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			select {
			case err := <-answered:
				if err != nil {
					http.Error(w, err.Error(), http.StatusBadGateway)
				}
			case <-time.After(30 * time.Second):
				http.Error(w, "no answer", http.StatusGatewayTimeout)
			}
		})
		go func() {
			fmt.Fprintln(os.Stderr, http.ListenAndServe(*control, mux))
			os.Exit(1)
		}()
	}
	cs.Start(*port, "/ocpp/{ws}")
}
