package monitor

import (
	"bytes"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"gosess/internal/metrics"
)

// Limits of what clients may take.
const (
	readPatience  = 5 * time.Second
	writePatience = 10 * time.Second
	idlePatience  = time.Minute
	headerMost    = 8 << 10
)

// Server serves the metrics and the page of a monitor. What goes wrong with a client is said to nobody.
func Server(m *Monitor, local bool) *http.Server {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		format := metrics.Prometheus
		if wantsOpenMetrics(r.Header.Get("Accept")) {
			format = metrics.OpenMetrics
		}
		var text bytes.Buffer
		now := time.Now()
		err := metrics.Write(&text, format, m.Version, m.look(now, false), now.Unix())
		answer(w, format.ContentType(), &text, err)
	})
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		var text bytes.Buffer
		err := m.writePage(&text, time.Now())
		answer(w, "text/html; charset=utf-8", &text, err)
	})
	var handler http.Handler = routes
	if local {
		handler = onlyLocal(routes)
	}
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readPatience,
		ReadTimeout:       readPatience,
		WriteTimeout:      writePatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    headerMost,
		ConnState:         changed,
		ErrorLog:          log.New(nobody{}, "", 0),
	}
}

type nobody struct{}

func (nobody) Write(p []byte) (int, error) { return len(p), nil }

func answer(w http.ResponseWriter, kind string, text *bytes.Buffer, err error) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", kind)
	w.Write(text.Bytes())
}

// onlyLocal refuses what a browser was led to under another name, whose owner would read the answer (DNS rebinding).
func onlyLocal(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if host = strings.Trim(host, "[]"); host != "localhost" && net.ParseIP(host) == nil {
			http.Error(w, "this is served under localhost, or an address", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// wantsOpenMetrics looks whether a client prefers it. Prometheus names it first, with quality values; nobody else asks for it.
func wantsOpenMetrics(accept string) bool {
	for kind := range strings.SplitSeq(accept, ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(kind), ";")
		if strings.EqualFold(strings.TrimSpace(name), "application/openmetrics-text") {
			return !refused(parameters)
		}
	}
	return false
}

// refused says whether parameters have a quality of 0, or a version that this is not.
func refused(parameters string) bool {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch strings.ToLower(name) {
		case "q":
			if strings.Trim(value, "0.") == "" {
				return true
			}
		case "version":
			if value != "1.0.0" {
				return true
			}
		}
	}
	return false
}
