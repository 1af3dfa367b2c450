package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// visit is one connection with HTTP/3 on it, dialled by hand so that what the connection is can be seen.
type visit struct {
	connection *quic.Conn
	client     *http3.ClientConn
	transport  *http3.Transport
}

func dial(ctx context.Context, origin string, config *tls.Config, quicConfig *quic.Config) (*visit, error) {
	target, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	return dialFrom(ctx, nil, target, config, quicConfig)
}

// dialFrom takes a socket of its own when transport is nil.
func dialFrom(ctx context.Context, from *quic.Transport, target *url.URL, config *tls.Config, quicConfig *quic.Config) (*visit, error) {
	config = config.Clone()
	config.NextProtos = []string{http3.NextProtoH3}
	config.ServerName = target.Hostname()
	var connection *quic.Conn
	var err error
	if from == nil {
		// The stores of tickets and tokens go by the name that is dialled.
		connection, err = quic.DialAddrEarly(ctx, target.Host, config, quicConfig)
	} else {
		var address *net.UDPAddr
		if address, err = net.ResolveUDPAddr("udp4", target.Host); err != nil {
			return nil, err
		}
		connection, err = from.DialEarly(ctx, address, config, quicConfig)
	}
	if err != nil {
		return nil, err
	}
	transport := &http3.Transport{}
	return &visit{connection, transport.NewClientConn(connection), transport}, nil
}

func (v *visit) get(ctx context.Context, method, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return "", err
	}
	response, err := v.client.RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return string(body), err
}

func (v *visit) close() {
	_ = v.connection.CloseWithError(0x100, "")
	_ = v.transport.Close()
}

// comeBack visits twice and returns what the second connection was; second is the method of its only request.
func comeBack(ctx context.Context, origin string, config *tls.Config, quicConfig *quic.Config, second string) (quic.ConnectionState, error) {
	config = config.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(4)
	var state quic.ConnectionState
	for _, method := range []string{http.MethodGet, second} {
		v, err := dial(ctx, origin, config, quicConfig)
		if err != nil {
			return state, err
		}
		if _, err = v.get(ctx, method, origin+"/health"); err != nil {
			return state, err
		}
		// Tickets and tokens come behind the handshake.
		time.Sleep(50 * time.Millisecond)
		state = v.connection.ConnectionState()
		v.close()
	}
	return state, nil
}

func checkReturn(origin string, config *tls.Config, quicConfig *quic.Config) {
	check("[resumption] comes back with a ticket", func(ctx context.Context) error {
		state, err := comeBack(ctx, origin, config, quicConfig, http.MethodGet)
		if err == nil && !state.TLS.DidResume {
			err = errors.New("it was a full handshake")
		}
		return err
	})
	check("[newToken] comes back with a token", func(ctx context.Context) error {
		store := &countingStore{TokenStore: quic.NewLRUTokenStore(1, 4)}
		quicConfig := quicConfig.Clone()
		quicConfig.TokenStore = store
		_, err := comeBack(ctx, origin, config, quicConfig, http.MethodGet)
		if err == nil && store.given == 0 {
			err = errors.New("no token was there for the second visit")
		}
		return err
	})
}

type countingStore struct {
	quic.TokenStore
	given int
}

func (s *countingStore) Pop(key string) *quic.ClientToken {
	token := s.TokenStore.Pop(key)
	if token != nil {
		s.given++
	}
	return token
}

// checkEarly needs a server that takes early data.
func checkEarly(origin string, config *tls.Config, quicConfig *quic.Config) {
	check("[earlyData] a request as early data is answered", func(ctx context.Context) error {
		state, err := comeBack(ctx, origin, config, quicConfig, http3.MethodGet0RTT)
		if err == nil && !state.Used0RTT {
			err = errors.New("the early data was not accepted")
		}
		return err
	})
}

// checkMigration moves a connection to another socket while it is in use.
func checkMigration(origin string, config *tls.Config, quicConfig *quic.Config) {
	check("[migration] moves to another socket and goes on", func(ctx context.Context) error {
		var transports [2]*quic.Transport
		for i := range transports {
			socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				return err
			}
			defer socket.Close()
			// Without an ID of its own a connection cannot be told from others at the second socket.
			transports[i] = &quic.Transport{Conn: socket, ConnectionIDLength: 8}
			defer transports[i].Close()
		}
		target, err := url.Parse(origin)
		if err != nil {
			return err
		}
		v, err := dialFrom(ctx, transports[0], target, config, quicConfig)
		if err != nil {
			return err
		}
		defer v.close()
		if _, err = v.get(ctx, http.MethodGet, origin+"/bytes/100000"); err != nil {
			return err
		}
		transport := transports[1]
		path, err := v.connection.AddPath(transport)
		if err != nil {
			return err
		}
		if err = path.Probe(ctx); err != nil {
			return fmt.Errorf("probe: %w", err)
		}
		if err = path.Switch(); err != nil {
			return fmt.Errorf("switch: %w", err)
		}
		body, err := v.get(ctx, http.MethodGet, origin+"/bytes/1000000")
		if err == nil && len(body) != 1_000_000 {
			err = fmt.Errorf("%d bytes after the move", len(body))
		}
		if local := v.connection.LocalAddr().(*net.UDPAddr).Port; err == nil && local != transport.Conn.LocalAddr().(*net.UDPAddr).Port {
			err = fmt.Errorf("it is still at port %d", local)
		}
		return err
	})
}
