// sane: the pool forgets a connection well before the upstream does. The fix.
//
// Go looks at a connection's age by the wall clock when it takes it from the pool, so a
// freeze does not get in the way. Keep the limit below every idle timeout on the path
// (here 300 s), with a margin for a request that is just leaving.

package presets

import (
	"net"
	"net/http"
	"time"

	"thawlab/function/lab" // 60 s are 60 s outside the lab
)

func Sane() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Timeout: lab.Time(300 * time.Second),
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: lab.Time(150 * time.Second),
			IdleConnTimeout:       lab.Time(60 * time.Second),
			MaxIdleConns:          20,
			MaxIdleConnsPerHost:   10, // without it, 2
			MaxConnsPerHost:       10,
		},
	}
}
