// seed: a Transport made by hand; its pool never forgets a connection.
//
// &http.Transport{} does not have the 90 s of http.DefaultTransport: a zero
// IdleConnTimeout means no limit. It works until the upstream closes a connection that
// nobody looks at.

package presets

import (
	"net"
	"net/http"
	"time"
)

func Seed() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}
}
