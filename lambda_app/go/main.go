// The function under test: calls the upstream through net/http, and reports what happened.
//
// docs/functions.md is its contract.
package main

import (
	"log"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	if len(os.Args) > 1 {
		os.Exit(tried(os.Args[1:]))
	}
	if err := trust(os.Getenv("THAWLAB_CA_PEM")); err != nil {
		log.Fatalf("the upstream's authority: %v", err)
	}
	function, err := newFunction(os.Getenv("UPSTREAM_URL"), os.Getenv("THAWLAB_PRESET"))
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(function.handle)
}
