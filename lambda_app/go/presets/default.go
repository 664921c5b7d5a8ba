// default: as Go makes it, what http.Get and http.Post use.
//
// Its pool forgets a connection after 90 s, by the wall clock when it takes one out, so
// a freeze does not get in the way. A load balancer that closes after 60 s does.

package presets

import (
	"net/http"

	"thawlab/function/lab" // 90 s are 90 s outside the lab
)

func Default() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.IdleConnTimeout = lab.Time(transport.IdleConnTimeout)
	return &http.Client{Transport: transport}
}
