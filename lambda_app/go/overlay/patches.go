package main

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// place is one place in Go's own source, and what is to stand there.
type place struct {
	file string // below GOROOT/src
	old  *regexp.Regexp
	new  string // may refer to groups of old
}

// places are those through which a Go program learns what time it is, or waits for it, on Linux. They are the same from
// Go 1.21 to 1.26, but for names that the patterns allow for.
var places = []place{
	// The monotonic clock: timers, deadlines, the scheduler.
	{"runtime/time_nofake.go", whole(`	return nanotime1()`), `	return thawlabMono(nanotime1())`},
	// time.Now on linux/amd64 is one assembly routine that reads both clocks: it gets another name.
	{
		"runtime/time_linux_amd64.s",
		regexp.MustCompile(`(?m)^TEXT time·now(<ABIInternal>\(SB\),NOSPLIT,\$16-24)$`),
		`TEXT runtime·thawlabMachineNow${1}`,
	},
	{
		"runtime/timeasm.go",
		whole(`func time_now() (sec int64, nsec int32, mono int64)`),
		`func time_now() (sec int64, nsec int32, mono int64) {
	return thawlabNow(thawlabMachineNow())
}

func thawlabMachineNow() (sec int64, nsec int32, mono int64)`,
	},
	// time.Now elsewhere.
	{
		"runtime/timestub.go",
		regexp.MustCompile(`(?m)^	sec, nsec = walltime\(\)\n	return sec, nsec, nanotime\(\)$`),
		`	sec, nsec = walltime()
	return thawlabNow(sec, nsec, nanotime1())`,
	},
	// The page is mapped as soon as there are environment variables, before the first timer and the second thread.
	{"runtime/proc.go", whole(`	goenvs()`), `	goenvs()
	thawlabInit()`},
	// One thread of an idle program always waits for the network, so that it sees each jump: also if the program has
	// neither timers nor connections at the moment.
	{
		"runtime/proc.go", whole(`	runtimeInitTime = nanotime()`), `	if thawlabPage != nil {
		netpollGenericInit()
	}
	runtimeInitTime = nanotime()`,
	},
	{
		"runtime/proc.go",
		regexp.MustCompile(`(?m)^(	if netpollinited\(\) && \(netpoll\S+(?: > 0)?) \|\| pollUntil != 0\) && (sched\.lastpoll\.Swap)`),
		`${1} || pollUntil != 0 || thawlabPage != nil) && ${2}`,
	},
	// That thread waits here.
	{
		"runtime/netpoll_epoll.go",
		regexp.MustCompile(`(?ms)^(	if epfd == -1 \{\n		(return gList\{\}(?:, 0)?)\n	\}\n.*)^(	var events \[128\]\w+\.EpollEvent\n)`),
		`${1}	if thawlabPage != nil && delay != 0 {
		waitms = thawlabSlice(delay, waitms)
		if waitms == 0 {
			${2}
		}
	}
${3}`,
	},
	{
		"runtime/netpoll_epoll.go",
		regexp.MustCompile(`(?m)^(		// If a timed sleep was interrupted, just return to\n)`),
		`		if waitms != 0 && thawlabUninterrupted() {
			waitms = 0
			goto retry
		}
${1}`,
	},
	// The kernel's own timers.
	{
		"syscall/syscall_unix.go",
		regexp.MustCompile(`(?m)^(func SetsockoptInt\(fd, level, opt int, value int\) \(err error\) \{\n)	var n = int32\(value\)$`),
		`func runtime_thawlabSocketOption(level, option, value int) int

${1}	var n = int32(runtime_thawlabSocketOption(level, opt, value))`,
	},
}

func whole(line string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(line) + `$`)
}

// added is the file that package runtime gets.
const added = "runtime/thawlab_clock.go"

// unexpected is a Go whose source is not as it is known.
type unexpected struct{ file, lacks string }

func (found unexpected) Error() string { return fmt.Sprintf("%s: %s", found.file, found.lacks) }

// patched has every file that differs from Go's own, by its path below GOROOT/src. `read` is Go's own file of a path,
// `clock` the text of the file to add.
func patched(read func(file string) (string, error), clock string) (map[string]string, error) {
	files := map[string]string{}
	for _, place := range places {
		text, known := files[place.file]
		if !known {
			var err error
			if text, err = read(place.file); err != nil {
				return nil, unexpected{place.file, "it cannot be read: " + err.Error()}
			}
		}
		if found := len(place.old.FindAllString(text, -1)); found != 1 {
			return nil, unexpected{place.file, fmt.Sprintf("expected once, found %d times: %s", found, place.old)}
		}
		files[place.file] = place.old.ReplaceAllString(text, place.new)
	}
	atomics := regexp.MustCompile(`"((?:internal/runtime|runtime/internal)/atomic)"`).
		FindStringSubmatch(files["runtime/netpoll_epoll.go"])
	if atomics == nil {
		return nil, unexpected{"runtime/netpoll_epoll.go", "it does not import the runtime's atomics"}
	}
	files[added] = strings.Replace(clock, `"ATOMIC"`, `"`+atomics[1]+`"`, 1)
	return files, nil
}

// flat is a file's name in the overlay's own folder.
func flat(file string) string {
	return strings.ReplaceAll(path.Dir(file), "/", "_") + "_" + path.Base(file)
}
