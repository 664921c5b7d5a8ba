// close_after: no connection survives the handler. In the handler's first line:
//
//	defer finish()
//
// It must be done before the handler returns: the runtime asks for the next event then,
// and the sandbox may be frozen. Read every answer to its end, or its connection is not
// idle yet.

package presets

import (
	"net"
	"net/http"
	"time"
)

func CloseAfter() (client *http.Client, finish func()) {
	client = &http.Client{ // made once, kept from invocation to invocation
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}
	return client, client.CloseIdleConnections
}
