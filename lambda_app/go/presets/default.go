// default: as Go makes it, what http.Get and http.Post use.
//
// Its pool forgets a connection after 90 s, by the wall clock when it takes one out, so
// a freeze does not get in the way. A load balancer that closes after 60 s does.
//
// A request has no timeout, and two idle connections are kept to a host.

package presets

import "net/http"

func Default() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	return &http.Client{Transport: transport}
}
