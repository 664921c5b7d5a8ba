// retry: seed, and an idempotency key, for which net/http sends a POST again by itself.
//
// Only a request that found a used connection broken is sent again, and until a
// connection works. The server must know the key: one that had carried the request out
// before the connection broke must not do it twice.

package presets

import (
	"crypto/rand"
	"net"
	"net/http"
	"time"
)

type keyed struct{ *http.Transport }

func (transport keyed) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Idempotency-Key") == "" {
		request = request.Clone(request.Context()) // a RoundTripper leaves its own alone
		request.Header.Set("Idempotency-Key", rand.Text())
	}
	return transport.Transport.RoundTrip(request)
}

func Retry() *http.Client { // made once, kept from invocation to invocation
	return &http.Client{
		Transport: keyed{&http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
		}},
	}
}
