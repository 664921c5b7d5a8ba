package main

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"path"
	"reflect"
	"runtime"
)

// sources has the presets as they were compiled into this program.
//
//go:embed presets/*.go
var sources embed.FS

// Loaded is a preset as it really is: the name and the SHA-256 of the file that its constructor was compiled from.
type Loaded struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// loaded asks the program itself where a constructor comes from, so that a table that mixes them up does not go unseen.
func loaded(constructor any) Loaded {
	name := path.Base(fileOf(constructor))
	text, err := sources.ReadFile("presets/" + name)
	if err != nil {
		panic(fmt.Sprintf("a preset that is not of presets/: %v", err))
	}
	return Loaded{name[:len(name)-len(path.Ext(name))], fmt.Sprintf("%x", sha256.Sum256(text))}
}

func fileOf(function any) (file string) {
	// A caller's program counter is behind its call, hence + 1. What was inlined at the entry comes before the function.
	frames := runtime.CallersFrames([]uintptr{reflect.ValueOf(function).Pointer() + 1})
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		file = frame.File
	}
	return file
}
