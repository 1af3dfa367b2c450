//! An HTTP/3 client over quinn for the interoperability run. Prints one line for each check: "ok [FEATURE] TITLE" or
//! "not ok [FEATURE] TITLE: REASON". Arguments: HOST:PORT and a PEM file with the server's certificate.

use std::error::Error;
use std::future::{poll_fn, Future};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes};
use h3::client::SendRequest;
use h3_quinn::OpenStreams;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, Endpoint};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::CertificateDer;
use rustls::{CipherSuite, RootCertStore};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const DEADLINE: Duration = Duration::from_secs(60);
const LARGE: usize = 1_000_000;

struct Target {
    address: SocketAddr,
    authority: String,
    roots: Arc<RootCertStore>,
    only: String,
}

impl Target {
    fn crypto(&self, suite: Option<CipherSuite>) -> Result<rustls::ClientConfig> {
        let mut provider = rustls::crypto::ring::default_provider();
        if let Some(suite) = suite {
            provider.cipher_suites.retain(|known| known.suite() == suite);
        }
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(self.roots.clone())
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h3".to_vec()];
        config.enable_early_data = true;
        Ok(config)
    }

    /// Endpoint whose connections share tickets and tokens.
    fn endpoint(&self, suite: Option<CipherSuite>) -> Result<Endpoint> {
        let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into())?;
        // Packets of the first flight are protected with AES-128-GCM, whatever is offered (RFC 9001 section 5.2).
        let initial = rustls::crypto::ring::default_provider()
            .cipher_suites
            .iter()
            .find_map(|known| match (known.suite(), known.tls13()) {
                (CipherSuite::TLS13_AES_128_GCM_SHA256, Some(suite)) => suite.quic_suite(),
                _ => None,
            })
            .ok_or("no AES-128-GCM")?;
        let crypto = QuicClientConfig::with_initial(Arc::new(self.crypto(suite)?), initial)?;
        endpoint.set_default_client_config(ClientConfig::new(Arc::new(crypto)));
        Ok(endpoint)
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Visit> {
        let connection = endpoint.connect(self.address, "localhost")?.await?;
        Visit::over(connection, &self.authority).await
    }
}

struct Visit {
    connection: Connection,
    requests: SendRequest<OpenStreams, Bytes>,
    authority: String,
    is_owner: bool,
}

/// The server should hear of the end.
impl Drop for Visit {
    fn drop(&mut self) {
        if self.is_owner {
            self.connection.close(0x100u32.into(), b"");
        }
    }
}

impl Visit {
    async fn over(connection: Connection, authority: &str) -> Result<Visit> {
        let (mut driver, requests) = h3::client::new(h3_quinn::Connection::new(connection.clone())).await?;
        tokio::task::spawn_local(async move { poll_fn(|context| driver.poll_close(context)).await });
        Ok(Visit { connection, requests, authority: authority.into(), is_owner: true })
    }

    async fn exchange(&mut self, method: &str, path: &str, body: Option<Bytes>) -> Result<Vec<u8>> {
        let uri = format!("https://{}{}", self.authority, path);
        let request = http::Request::builder().method(method).uri(uri).body(())?;
        let stream = self.requests.send_request(request).await?;
        let (mut sending, mut receiving) = stream.split();
        let upload = async {
            if let Some(body) = body {
                sending.send_data(body).await?;
            }
            sending.finish().await
        };
        let download = async {
            let response = receiving.recv_response().await?;
            let mut received = Vec::new();
            while let Some(chunk) = receiving.recv_data().await? {
                received.extend_from_slice(chunk.chunk());
            }
            Ok::<_, h3::error::StreamError>((response.status(), received))
        };
        let (sent, answer) = tokio::join!(upload, download);
        sent?;
        let (status, received) = answer?;
        match status.as_u16() {
            200 => Ok(received),
            other => Err(format!("status {other}").into()),
        }
    }

    async fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        self.exchange("GET", path, None).await
    }

    async fn health(&mut self) -> Result<()> {
        let body = self.get("/health").await?;
        expect(body.starts_with(b"ok"), "the body is not ok")
    }

    async fn large(&mut self) -> Result<()> {
        let body = self.get(&format!("/bytes/{LARGE}")).await?;
        expect(body.len() == LARGE, &format!("{} bytes", body.len()))
    }

    async fn echo(&mut self, size: usize) -> Result<()> {
        let sent: Vec<u8> = (0..size).map(|index| (index * 7 % 251) as u8).collect();
        let body = self.exchange("POST", "/echo", Some(Bytes::from(sent.clone()))).await?;
        expect(body == sent, &format!("{} bytes came back, not the same", body.len()))
    }
}

fn expect(condition: bool, reason: &str) -> Result<()> {
    if condition {
        Ok(())
    } else {
        Err(reason.into())
    }
}

async fn check<F: Future<Output = Result<()>>>(target: &Target, title: &str, body: F) {
    let plain = title.rsplit("] ").next().unwrap_or(title);
    if !target.only.is_empty() && !target.only.split('|').any(|prefix| plain.starts_with(prefix)) {
        return;
    }
    match tokio::time::timeout(DEADLINE, body).await {
        Ok(Ok(())) => println!("ok {title}"),
        Ok(Err(error)) => println!("not ok {title}: {}", error.to_string().replace('\n', " ")),
        Err(_) => println!("not ok {title}: no end after {DEADLINE:?}"),
    }
}

async fn parallel(target: &Target) -> Result<()> {
    let visit = target.connect(&target.endpoint(None)?).await?;
    let mut tasks = Vec::new();
    for _ in 0..100 {
        let (connection, requests) = (visit.connection.clone(), visit.requests.clone());
        let mut one = Visit { connection, requests, authority: target.authority.clone(), is_owner: false };
        tasks.push(tokio::task::spawn_local(async move {
            one.get("/bytes/1000").await.map(|body| body.len()).map_err(|error| error.to_string())
        }));
    }
    for task in tasks {
        expect(task.await?? == 1_000, "a body has the wrong length")?;
    }
    Ok(())
}

/// The second connection of an endpoint, before its handshake is over.
async fn early(target: &Target) -> Result<()> {
    let endpoint = target.endpoint(None)?;
    let mut first = target.connect(&endpoint).await?;
    first.health().await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    drop(first);
    let connecting = endpoint.connect(target.address, "localhost")?;
    let Ok((connection, accepted)) = connecting.into_0rtt() else {
        return Err("there is no ticket that allows early data".into());
    };
    let mut second = Visit::over(connection, &target.authority).await?;
    second.health().await?;
    expect(accepted.await, "the early data was not accepted")
}

/// Two connections of one endpoint: quinn keeps the tokens of the first for the second, and tells nobody.
async fn come_back(target: &Target) -> Result<()> {
    let endpoint = target.endpoint(None)?;
    for _ in 0..2 {
        let mut visit = target.connect(&endpoint).await?;
        visit.health().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn key_updates(target: &Target) -> Result<()> {
    let mut visit = target.connect(&target.endpoint(None)?).await?;
    for _ in 0..3 {
        visit.large().await?;
        visit.connection.force_key_update();
        visit.large().await?;
        // Another one may come three probe timeouts later (RFC 9001 section 6.5).
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(())
}

async fn another_socket(target: &Target) -> Result<()> {
    let endpoint = target.endpoint(None)?;
    let mut visit = target.connect(&endpoint).await?;
    visit.large().await?;
    for _ in 0..3 {
        endpoint.rebind(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?)?;
        visit.echo(LARGE).await?;
    }
    Ok(())
}

async fn run(target: &Target) -> Result<()> {
    let mut visit = target.connect(&target.endpoint(None)?).await?;
    check(target, "GET /health", visit.health()).await;
    check(target, "GET /bytes/1000000 arrives intact", visit.large()).await;
    check(target, "POST 5 MB to /echo returns the same bytes", visit.echo(5 * LARGE)).await;
    check(target, "100 requests at once on one connection", parallel(target)).await;
    let suites = [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    for suite in suites {
        let title = format!("[ciphers] only {}", suite.as_str().unwrap_or("?"));
        check(target, &title, async { target.connect(&target.endpoint(Some(suite))?).await?.large().await }).await;
    }
    check(target, "[keyUpdate] three key updates of the client", key_updates(target)).await;
    check(target, "[migration] moves to three other sockets", another_socket(target)).await;
    if std::env::var("QUACTOR_EARLY").is_ok() {
        check(target, "[earlyData] a request as early data is answered", early(target)).await;
    } else {
        check(target, "[newToken] comes back with a token", come_back(target)).await;
    }
    println!("cannot [resumption]: it shows a resumption only by its early data");
    for feature in ["version2", "compatible"] {
        println!("cannot [{feature}]: it speaks version 1 only");
    }
    println!("cannot [preferred]: it does not move to the address that a server prefers");
    // The farewells of the connections have to leave.
    drop(visit);
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let authority = arguments.next().ok_or("HOST:PORT is missing")?;
    let certificate = arguments.next().ok_or("the certificate file is missing")?;
    let port: u16 = authority.rsplit(':').next().ok_or("no port")?.parse()?;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let target = Target {
        address: (Ipv4Addr::LOCALHOST, port).into(),
        authority,
        roots: Arc::new(roots),
        only: std::env::var("QUACTOR_ONLY_PREFIXES").unwrap_or_default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, run(&target))
}
