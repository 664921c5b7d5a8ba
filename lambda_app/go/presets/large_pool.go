// large_pool: seed, with room for more idle connections.
//
// No fix: the pool was never full, it was stale. The more it keeps, the more dead
// connections it has to hand out.

package presets

import (
	"net"
	"net/http"
	"time"
)

func LargePool() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns:        1000,
			MaxIdleConnsPerHost: 1000, // without it, 2
		},
	}
}
