package options

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Far is a far URL, taken apart.
type Far struct {
	Scheme   string
	Hosts    []string // each with its port; of a Unix socket the path
	Unix     bool
	TLS      bool
	Database int
	Cluster  bool
	Sentinel string // the name of the primary that the hosts, which are sentinels, know
	Prefix   string // of all keys
	Push     bool   // what is stored is told to the other machines at once
	Files    Files

	User       string
	ServerName string // of the certificate, where it is not the host's
}

// Files are the paths that a far URL names, or "credential:NAME".
type Files struct {
	Password, SentinelPassword string
	CA, Certificate, Key       string
}

// DefaultPrefix begins each key.
const DefaultPrefix = "gosess:"

// credentialWord begins the name of one of systemd's credentials.
const credentialWord = "credential:"

const (
	defaultPort  = "6379"
	sentinelPort = "26379"
	farForms     = "valkey://HOST:PORT/DB, valkeys:// (TLS), redis://, rediss:// (TLS), unix:///PATH"
)

// A farOption is a word behind the question mark.
type farOption struct {
	name, example string // the example is empty where it takes no value
	set           func(f *Far, value string) error
}

var farOptions = []farOption{
	{"user", "user=gosess", func(f *Far, v string) error { f.User = v; return nil }},
	{"password", "password=/etc/gosess/password or password=credential:NAME", fileOption(func(f *Far) *string { return &f.Files.Password })},
	{"sentinel", "sentinel=mymaster", func(f *Far, v string) error { f.Sentinel = v; return nil }},
	{"sentinel-password", "sentinel-password=/etc/gosess/sentinel", fileOption(func(f *Far) *string { return &f.Files.SentinelPassword })},
	{"cluster", "", func(f *Far, _ string) error { f.Cluster = true; return nil }},
	{"prefix", "prefix=web:", parsePrefix},
	{"push", "", func(f *Far, _ string) error { f.Push = true; return nil }},
	{"db", "db=0", parseDatabase},
	{"ca", "ca=/etc/gosess/ca.pem", fileOption(func(f *Far) *string { return &f.Files.CA })},
	{"cert", "cert=/etc/gosess/client.pem", fileOption(func(f *Far) *string { return &f.Files.Certificate })},
	{"key", "key=/etc/gosess/client.key", fileOption(func(f *Far) *string { return &f.Files.Key })},
	{"server-name", "server-name=valkey.example.org", func(f *Far, v string) error { f.ServerName = v; return nil }},
}

func fileOption(at func(*Far) *string) func(*Far, string) error {
	return func(f *Far, value string) error {
		name, credential := strings.CutPrefix(value, credentialWord)
		if credential && (name == "" || strings.Contains(name, "/")) || !credential && !filepath.IsAbs(value) {
			return fmt.Errorf("%q is no file; allowed: an absolute path, or credential:NAME of systemd's LoadCredential=", shown(value))
		}
		*at(f) = value
		return nil
	}
}

// ParseFar takes a far URL apart. An error names the word and what is allowed in its place.
func ParseFar(url string) (Far, error) {
	f := Far{Prefix: DefaultPrefix}
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return Far{}, fmt.Errorf("%q is no URL of a store; allowed: %s", shown(url), farForms)
	}
	f.Scheme = scheme
	rest, query, queried := strings.Cut(rest, "?")
	var err error
	switch scheme {
	case "valkey", "redis":
		err = f.parseHosts(rest)
	case "valkeys", "rediss":
		f.TLS = true
		err = f.parseHosts(rest)
	case "unix":
		f.Unix = true
		f.Hosts = []string{rest}
		if !filepath.IsAbs(rest) {
			err = fmt.Errorf("socket %q is not an absolute path; allowed: unix:///run/valkey/valkey.sock", shown(rest))
		}
	default:
		err = fmt.Errorf("unknown scheme %q; allowed: %s", shown(scheme), farForms)
	}
	if err == nil && queried {
		err = f.parseOptions(query)
	}
	if err == nil {
		err = f.consistent()
	}
	if err != nil {
		return Far{}, err
	}
	f.addPorts()
	return f, nil
}

// parseHosts reads HOST[:PORT],HOST[:PORT].../DB.
func (f *Far) parseHosts(text string) error {
	if strings.Contains(text, "@") {
		return errors.New("a user or password stands before the @, where everybody sees it who lists processes; allowed: ?user=NAME&password=FILE")
	}
	hosts, database, slash := strings.Cut(text, "/")
	if slash && database != "" {
		if err := parseDatabase(f, database); err != nil {
			return err
		}
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if err := checkHost(host); err != nil {
			return err
		}
		f.Hosts = append(f.Hosts, host)
	}
	return nil
}

func checkHost(host string) error {
	name, port := splitHost(host)
	if name == "" {
		return fmt.Errorf("host %q has no name; allowed: HOST, HOST:PORT, [IPV6]:PORT, several with commas between", shown(host))
	}
	if strings.ContainsAny(name, " \t[]#") || strings.Contains(name, ":") && net.ParseIP(strings.SplitN(name, "%", 2)[0]) == nil {
		return fmt.Errorf("host %q is no name or address; allowed: HOST, HOST:PORT, [IPV6]:PORT", shown(host))
	}
	if port != "" {
		if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 {
			return fmt.Errorf("port %q is none; allowed: 1 to 65535", shown(port))
		}
	}
	return nil
}

// splitHost also knows [IPV6], and a colon that no port follows, which is none either.
func splitHost(host string) (name, port string) {
	if inside, ok := strings.CutPrefix(host, "["); ok {
		name, rest, closed := strings.Cut(inside, "]")
		if !closed || rest != "" && rest[0] != ':' {
			return "", ""
		}
		return name, strings.TrimPrefix(rest, ":")
	}
	if strings.Count(host, ":") == 1 {
		name, port, _ = strings.Cut(host, ":")
		if port == "" {
			port = "none"
		}
		return name, port
	}
	return host, ""
}

func (f *Far) addPorts() {
	if f.Unix {
		return
	}
	for i, host := range f.Hosts {
		name, port := splitHost(host)
		if port == "" {
			port = defaultPort
			if f.Sentinel != "" {
				port = sentinelPort
			}
		}
		f.Hosts[i] = net.JoinHostPort(name, port)
	}
}

func (f *Far) parseOptions(query string) error {
	var have []string
	for word := range strings.SplitSeq(query, "&") {
		name, value, given := strings.Cut(word, "=")
		at := slices.IndexFunc(farOptions, func(o farOption) bool { return o.name == name })
		if at < 0 {
			return fmt.Errorf("unknown option %q; allowed: %s", shown(name), farOptionNames())
		}
		option := farOptions[at]
		switch {
		case slices.Contains(have, name):
			return fmt.Errorf("option %q is repeated; allowed: once", name)
		case option.example == "" && given:
			return fmt.Errorf("option %q has a value; allowed: %s alone", name, name)
		case option.example != "" && value == "":
			return fmt.Errorf("option %q has no value; allowed: %s", name, option.example)
		}
		have = append(have, name)
		if err := option.set(f, value); err != nil {
			return fmt.Errorf("option %q: %w", name, err)
		}
	}
	return nil
}

func farOptionNames() string {
	names := make([]string, len(farOptions))
	for i, o := range farOptions {
		names[i] = o.name
	}
	return strings.Join(names, ", ")
}

// maxPrefix keeps a key short: each session has one.
const maxPrefix = 64

func parsePrefix(f *Far, value string) error {
	for _, c := range []byte(value) {
		if c <= ' ' || c > '~' || strings.IndexByte(`{}*?[]\`, c) >= 0 {
			return fmt.Errorf("%q has a sign that is not allowed; allowed: letters, digits and signs but {}*?[]\\", shown(value))
		}
	}
	if len(value) > maxPrefix {
		return fmt.Errorf("it has %d bytes; allowed: %d", len(value), maxPrefix)
	}
	f.Prefix = value
	return nil
}

func parseDatabase(f *Far, value string) error {
	number, err := strconv.ParseUint(value, 10, 16)
	if err != nil {
		return fmt.Errorf("database %q is no number; allowed: 0 to 65535", shown(value))
	}
	f.Database = int(number)
	return nil
}

// consistent looks for words that exclude each other.
func (f *Far) consistent() error {
	files := f.Files
	switch {
	case f.Cluster && f.Sentinel != "":
		return errors.New("cluster and sentinel exclude each other")
	case f.Unix && (f.Cluster || f.Sentinel != ""):
		return errors.New("cluster and sentinel want hosts, not a Unix socket")
	case f.Cluster && f.Database != 0:
		return fmt.Errorf("database %d: a cluster has database 0 only", f.Database)
	case !f.TLS && (files.CA != "" || files.Certificate != "" || files.Key != "" || f.ServerName != ""):
		return errors.New("ca, cert, key and server-name are for TLS; allowed: with valkeys:// or rediss://")
	case (files.Certificate == "") != (files.Key == ""):
		return errors.New("cert and key belong together; allowed: both or none")
	case f.User != "" && files.Password == "":
		return fmt.Errorf("user %q has no password; allowed: user=NAME&password=FILE", shown(f.User))
	case f.Sentinel == "" && files.SentinelPassword != "":
		return errors.New("sentinel-password is for sentinels; allowed: with sentinel=NAME")
	}
	return nil
}

// String is the URL as it can be logged: it has never had a password in it.
func (f Far) String() string {
	text := f.Scheme + "://" + strings.Join(f.Hosts, ",")
	if f.Database != 0 {
		text += "/" + strconv.Itoa(f.Database)
	}
	return text
}
