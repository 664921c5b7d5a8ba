package main

import (
	"path"
	"runtime"
	"runtime/debug"
	"strings"
)

const runtimeClient = "github.com/aws/aws-lambda-go"

// Versions is what ran.
type Versions struct {
	Language      string `json:"language"`
	Client        string `json:"client"`
	RuntimeClient string `json:"runtime_client"`
}

// versions reads what was built into this program.
func versions() Versions {
	return Versions{
		Language:      "Go " + strings.TrimPrefix(runtime.Version(), "go"),
		Client:        "net/http " + runtime.Version(),
		RuntimeClient: path.Base(runtimeClient) + " " + moduleVersion(runtimeClient),
	}
}

func moduleVersion(module string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, dependency := range info.Deps {
			if dependency.Path == module {
				return dependency.Version
			}
		}
	}
	return "unknown"
}
