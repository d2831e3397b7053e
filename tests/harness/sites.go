package harness

import "cmp"

// Site is one server block of nginx, or one virtual host of httpd.
type Site struct {
	Port       int
	Name       string
	Cert       Certificate
	Listen     string // more parameters of nginx's listen: of the first site of a port
	Directives string // in the server block
	Location   string // instead of an answer of 200
}

// Sited is a server with sites, to be changed before it starts, and the authority of their certificates.
type Sited struct {
	Address   string // where they listen: empty, at 127.0.0.1
	Authority *Authority
	Sites     []Site
}

// Host is the address at which they listen.
func (s *Sited) Host() string { return cmp.Or(s.Address, loopback) }

// Port is that of the first site.
func (s *Sited) Port() int { return s.Sites[0].Port }

// AddSite adds a site with a port and a certificate of its own.
func (s *Sited) AddSite(name string) (*Site, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	cert, err := s.Authority.Issue(name)
	if err != nil {
		return nil, err
	}
	s.Sites = append(s.Sites, Site{Port: port, Name: name, Cert: cert})
	return &s.Sites[len(s.Sites)-1], nil
}

// AddPlace adds the site of a place. What it shares with the first site is as the place says.
func (s *Sited) AddPlace(p Place) error {
	site, err := s.AddSite(p.Certificate + ".test")
	if err != nil {
		return err
	}
	site.Name = p.ServerName()
	if p.Certificate == "" {
		site.Cert = s.Sites[0].Cert
	}
	if p.SamePort {
		site.Port = s.Sites[0].Port
	}
	return nil
}
