// An HTTP/3 client over quic-go for the interoperability run. Prints one line for each check:
// "ok TITLE" or "not ok TITLE: REASON". The server's certificate is verified against the file in -ca.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

const (
	uploadBytes = 5_000_000
	parallel    = 100
	deadline    = 60 * time.Second
)

var failed bool

// Checks whose title does not match are left out.
var only = regexp.MustCompile(os.Getenv("QUACTOR_ONLY"))

func check(title string, body func(ctx context.Context) error) {
	if !only.MatchString(title) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := body(ctx); err != nil {
		failed = true
		fmt.Printf("not ok %s: %v\n", title, err)
		return
	}
	fmt.Printf("ok %s\n", title)
}

func exchange(ctx context.Context, client *http.Client, method, url string, body io.Reader) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	if response.ProtoMajor != 3 {
		return nil, fmt.Errorf("protocol %s", response.Proto)
	}
	return io.ReadAll(response.Body)
}

func main() {
	url := flag.String("url", "", "origin of the server")
	ca := flag.String("ca", "", "PEM file with the server's certificate")
	keyLog := flag.String("keylog", "", "file for TLS secrets")
	early := flag.Bool("early", false, "check only early data")
	version2 := flag.Bool("v2", false, "speak QUIC version 2 instead of 1")
	digest := flag.String("digest", "", "SHA-256 of /bytes/1000000 in hex")
	flag.Parse()

	pem, err := os.ReadFile(*ca)
	if err != nil {
		fmt.Println("not ok read the certificate:", err)
		os.Exit(1)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{RootCAs: roots}
	if *keyLog != "" {
		if config.KeyLogWriter, err = os.Create(*keyLog); err != nil {
			fmt.Println("not ok open the key log:", err)
			os.Exit(1)
		}
	}
	quicConfig := &quic.Config{MaxIdleTimeout: 20 * time.Second}
	if *version2 {
		quicConfig.Versions = []quic.Version{quic.Version2}
	}
	if *early {
		checkEarly(*url, config, quicConfig)
		if failed {
			os.Exit(1)
		}
		return
	}
	transport := &http3.Transport{TLSClientConfig: config, QUICConfig: quicConfig}
	client := &http.Client{Transport: transport}

	check("GET /health", func(ctx context.Context) error {
		body, err := exchange(ctx, client, http.MethodGet, *url+"/health", nil)
		if err == nil && !bytes.HasPrefix(body, []byte("ok")) {
			err = fmt.Errorf("body %q", body)
		}
		return err
	})
	check("GET /bytes/1000000 arrives intact", func(ctx context.Context) error {
		body, err := exchange(ctx, client, http.MethodGet, *url+"/bytes/1000000", nil)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		if len(body) != 1_000_000 || hex.EncodeToString(sum[:]) != *digest {
			return fmt.Errorf("%d bytes, digest %x", len(body), sum)
		}
		return nil
	})
	check("POST 5 MB to /echo returns the same bytes", func(ctx context.Context) error {
		sent := make([]byte, uploadBytes)
		_, _ = rand.Read(sent)
		body, err := exchange(ctx, client, http.MethodPost, *url+"/echo", bytes.NewReader(sent))
		if err == nil && !bytes.Equal(body, sent) {
			err = fmt.Errorf("%d bytes came back, not the same", len(body))
		}
		return err
	})
	check("100 requests at once on one connection", func(ctx context.Context) error {
		var group sync.WaitGroup
		results := make(chan error, parallel)
		for range parallel {
			group.Go(func() {
				body, err := exchange(ctx, client, http.MethodGet, *url+"/bytes/1000", nil)
				if err == nil && len(body) != 1000 {
					err = fmt.Errorf("%d bytes", len(body))
				}
				results <- err
			})
		}
		group.Wait()
		close(results)
		for err := range results {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if !*version2 {
		checkReturn(*url, config, quicConfig)
		checkMigration(*url, config, quicConfig)
		fmt.Println("cannot [compatible]: it knows no compatible version negotiation (RFC 9368)")
		fmt.Println("cannot [preferred]: it does not move to the address that a server prefers")
	}
	if err := transport.Close(); err != nil {
		fmt.Println("not ok close:", err)
		os.Exit(1)
	}
	if failed {
		os.Exit(1)
	}
}
