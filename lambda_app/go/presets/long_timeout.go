// long_timeout: seed, with a generous limit on the whole request.
//
// No fix: the reset comes at once, nothing was ever too slow.

package presets

import (
	"net"
	"net/http"
	"time"
)

func LongTimeout() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Timeout: 900 * time.Second,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
		},
	}
}
