// A WebTransport client on webtransport-go, which speaks the current draft with its flow control: sessions, streams of
// both kinds from both sides, datagrams, resets and closes, against /wt of the demo. Its own limits are low, so that
// every capsule of flow control is needed.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/quic-go/webtransport-go"
)

const (
	timeLimit   = 60 * time.Second
	farewell    = 300 * time.Millisecond
	windowBytes = 100_000
	windowCount = 10
)

var failed = false

func check(title string, err error) {
	if err == nil {
		fmt.Printf("ok %s\n", title)
		return
	}
	failed = true
	fmt.Printf("not ok %s: %v\n", title, err)
}

func dial(ctx context.Context, url string) (*webtransport.Session, error) {
	transport := &webtransport.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}},
		Config: &webtransport.Config{
			MaxIncomingStreams:    windowCount,
			MaxIncomingUniStreams: windowCount,
			MaxIncomingData:       windowBytes,
		},
	}
	response, session, err := transport.Dial(ctx, url, nil)
	if err == nil && response.StatusCode != 200 {
		err = fmt.Errorf("status %d", response.StatusCode)
	}
	return session, err
}

func randomBytes(count int) []byte {
	data := make([]byte, count)
	rand.Read(data)
	return data
}

func sameAs(back io.Reader, data []byte) error {
	received, err := io.ReadAll(back)
	if err == nil && !bytes.Equal(received, data) {
		err = fmt.Errorf("%d bytes came back for %d, or others", len(received), len(data))
	}
	return err
}

func echoBidirectional(ctx context.Context, session *webtransport.Session, count int) error {
	stream, err := session.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	data := randomBytes(count)
	written := make(chan error, 1)
	go func() {
		_, err := stream.Write(data)
		stream.Close()
		written <- err
	}()
	if err := sameAs(stream, data); err != nil {
		return err
	}
	return <-written
}

func echoUnidirectional(ctx context.Context, session *webtransport.Session, count int) error {
	stream, err := session.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	data := randomBytes(count)
	go func() {
		stream.Write(data)
		stream.Close()
	}()
	back, err := session.AcceptUniStream(ctx)
	if err != nil {
		return err
	}
	return sameAs(back, data)
}

func echoDatagram(ctx context.Context, session *webtransport.Session) error {
	if err := session.SendDatagram([]byte("hello")); err != nil {
		return err
	}
	back, err := session.ReceiveDatagram(ctx)
	if err == nil && string(back) != "hello" {
		err = fmt.Errorf("received %q", back)
	}
	return err
}

func together(count int, work func() error) error {
	results := make(chan error, count)
	for range count {
		go func() { results <- work() }()
	}
	for range count {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func resetStreams(ctx context.Context, session *webtransport.Session) error {
	for range 30 {
		stream, err := session.OpenStreamSync(ctx)
		if err != nil {
			return err
		}
		stream.Write(make([]byte, windowBytes/2))
		stream.CancelWrite(42)
		stream.CancelRead(43)
	}
	return echoBidirectional(ctx, session, 10)
}

// The server closes with a code and a reason, which whoever waits on the session gets.
func closedByServer(ctx context.Context, url string) error {
	session, err := dial(ctx, url+"?close=4000000000&reason=enough")
	if err != nil {
		return err
	}
	_, err = session.AcceptStream(ctx)
	if closed, ok := errors.AsType[*webtransport.SessionError](err); !ok || closed.ErrorCode != 4000000000 || closed.Message != "enough" {
		return fmt.Errorf("closed with %v", err)
	}
	return nil
}

func openedByServer(ctx context.Context, url string) error {
	session, err := dial(ctx, url+"?open")
	if err != nil {
		return err
	}
	uni, err := session.AcceptUniStream(ctx)
	if err != nil {
		return err
	}
	if err := sameAs(uni, []byte("hello from the server")); err != nil {
		return err
	}
	bidi, err := session.AcceptStream(ctx)
	if err != nil {
		return err
	}
	if err := sameAs(bidi, []byte("hello from the server")); err != nil {
		return err
	}
	bidi.Close()
	return session.CloseWithError(0, "")
}

func main() {
	url := os.Args[1] + "/wt"
	ctx, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	session, err := dial(ctx, url)
	check("a session of the current draft", err)
	if err != nil {
		os.Exit(1)
	}
	check("a datagram comes back", echoDatagram(ctx, session))
	check("5 MB on a bidirectional stream come back", echoBidirectional(ctx, session, 5_000_000))
	check("1 MB on a unidirectional stream comes back on one of the server", echoUnidirectional(ctx, session, 1_000_000))
	check("300 streams at once, ten at a time", together(300, func() error { return echoBidirectional(ctx, session, 100) }))
	for range 5 * windowCount {
		if err = echoUnidirectional(ctx, session, 10); err != nil {
			break
		}
	}
	check("more unidirectional streams than the first credit allows", err)
	check("streams that are reset give back their credit", resetStreams(ctx, session))
	check("the client closes", session.CloseWithError(7, "done"))
	check("the server closes with a code and a reason", closedByServer(ctx, url))
	check("streams that the server opens", openedByServer(ctx, url))
	// The last connections say goodbye in the background.
	time.Sleep(farewell)
	if failed {
		os.Exit(1)
	}
}
