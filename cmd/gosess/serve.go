package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"gosess/capi/settings"
	"gosess/internal/inspect"
	"gosess/internal/monitor"
)

// prepareServe serves metrics and a page about stores.
func prepareServe(flags *flag.FlagSet) action {
	listen := flags.String("listen", "127.0.0.1:9477", "`ADDRESS` and port; other addresses than loopback's show it to the network")
	pid, asJSON := pidOption(flags), jsonOption(flags)
	return func(out *output, operands []string) error {
		sources, err := sourcesOf(*pid, operands)
		if err != nil {
			return err
		}
		listener, err := net.Listen("tcp", *listen)
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		m := monitor.New(settings.Version, sources)
		go m.Run(ctx)
		address := listener.Addr().(*net.TCPAddr)
		server := monitor.Server(m, address.IP.IsLoopback())
		go func() {
			<-ctx.Done()
			soon, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			if server.Shutdown(soon) != nil {
				server.Close()
			}
		}()
		if err := sayServing(out, address.String(), *asJSON); err != nil {
			return err
		}
		if err := server.Serve(monitor.Limit(listener)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
}

// sayServing says where, when whoever asks is answered.
func sayServing(out *output, address string, asJSON bool) error {
	page, metrics := "http://"+address+"/", "http://"+address+"/metrics"
	if asJSON {
		return writeObject(out, object{{"page", page}, {"metrics", metrics}})
	}
	_, err := fmt.Fprintf(out, "serving %s and %s\n", page, metrics)
	return err
}

// sourcesOf are the stores that a command line names. They need not be there yet.
func sourcesOf(pid int, urls []string) (sources []monitor.Source, err error) {
	for i, url := range urls {
		if slices.Contains(urls[:i], url) {
			return nil, usageError{"serve: " + url + " is there twice"}
		}
		parsed, err := settings.Parse(url)
		if err == nil && parsed.Path == "" {
			_, err = inspect.ByURL(url, inspect.ToRead) // says why not
		}
		if err != nil {
			return nil, usageError{"serve: " + err.Error()}
		}
		key := parsed.Keys
		if key == "" {
			key = os.Getenv("GOSESS_KEYS")
		}
		if key == "" {
			key = parsed.Path + ".key"
		}
		sources = append(sources, monitor.Source{Name: url, Key: key, Open: func() (*inspect.Store, error) { return inspect.ByURL(url, inspect.ToRead) }})
	}
	if pid > 0 {
		sources = append(sources, monitor.Source{
			Name: fmt.Sprintf("of process %d", pid),
			Open: func() (*inspect.Store, error) { return inspect.ByProcess(pid, inspect.ToRead) },
		})
	}
	if len(sources) == 0 || len(sources) > 16 {
		return nil, usageError{"serve takes up to 16 URLs, or --pid and the id of a process"}
	}
	return sources, nil
}
