// no_keepalive: every request on a connection of its own. The diagnosis of the story.
//
// If the resets stop with this, they came from reused connections. It costs a handshake
// a request.

package presets

import (
	"net"
	"net/http"
	"time"
)

func NoKeepalive() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			DisableKeepAlives:   true,
		},
	}
}
