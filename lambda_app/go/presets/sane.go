// sane: the pool forgets a connection well before the upstream does. The fix.
//
// Go looks at a connection's age by the wall clock when it takes it from the pool, so a
// freeze does not get in the way. Keep the limit below every idle timeout on the path:
// 50 s is for a load balancer's 60, with a margin for a request that is just leaving.

package presets

import (
	"net"
	"net/http"
	"time"
)

func Sane() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: 30 * time.Second,
			IdleConnTimeout:       50 * time.Second,
			MaxIdleConns:          20,
			MaxIdleConnsPerHost:   10, // without it, 2
			MaxConnsPerHost:       10,
		},
	}
}
