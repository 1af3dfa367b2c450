"""aioquic's HTTP/3 client. Prints `ok TITLE` or `not ok TITLE: REASON` for each check."""

import asyncio
import hashlib
import os
import re
import ssl
import sys
from urllib.parse import urlparse

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamReset
from aioquic.quic.packet import QuicProtocolVersion
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import BytesMessage, CloseConnection, TextMessage

UPLOAD_BYTES = 5_000_000
PARALLEL_REQUESTS = 100
CHECK_TIMEOUT_S = 60
ONLY = re.compile(os.environ.get("QUACTOR_ONLY", ""))

origin = urlparse(os.environ["QUACTOR_ORIGIN"])
failed = False


class Client(QuicConnectionProtocol):
    """One connection; each request waits for the end of its stream."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.responses = {}
        self.tunnels = {}

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            for _, _, done in self.responses.values():
                if not done.done():
                    done.set_exception(ConnectionError(event.reason_phrase or hex(event.error_code)))
        if isinstance(event, StreamReset) and event.stream_id in self.responses:
            self.responses[event.stream_id][2].set_exception(ConnectionError(f"reset {event.error_code:#x}"))
        for http_event in self.http.handle_event(event):
            self.http_event_received(http_event)

    def http_event_received(self, event):
        stream_id = getattr(event, "stream_id", None)
        if stream_id in self.tunnels:
            self.tunnels[stream_id].put_nowait(event)
        entry = self.responses.get(stream_id)
        if entry is None:
            return
        headers, body, done = entry
        if isinstance(event, HeadersReceived):
            headers.extend(event.headers)
        elif isinstance(event, DataReceived):
            body.extend(event.data)
        if event.stream_ended and not done.done():
            done.set_result(None)

    async def exchange(self, method, path, content=None):
        stream_id = self._quic.get_next_available_stream_id()
        entry = ([], bytearray(), asyncio.get_running_loop().create_future())
        self.responses[stream_id] = entry
        head = [
            (b":method", method.encode()),
            (b":scheme", b"https"),
            (b":authority", origin.netloc.encode()),
            (b":path", path.encode()),
        ]
        self.http.send_headers(stream_id, head, end_stream=content is None)
        if content is not None:
            self.http.send_data(stream_id, content, end_stream=True)
        self.transmit()
        await entry[2]
        status = int(dict(entry[0])[b":status"])
        if status != 200:
            raise ValueError(f"status {status}")
        return bytes(entry[1])


async def check(title, coroutine):
    global failed
    if not ONLY.search(title):
        coroutine.close()
        return
    try:
        await asyncio.wait_for(coroutine, CHECK_TIMEOUT_S)
        print(f"ok {title}", flush=True)
    except Exception as error:
        failed = True
        print(f"not ok {title}: {type(error).__name__} {error}", flush=True)


async def health(client):
    body = await client.exchange("GET", "/health")
    assert body.startswith(b"ok"), body


async def download(client):
    body = await client.exchange("GET", "/bytes/1000000")
    assert len(body) == 1_000_000, len(body)
    assert hashlib.sha256(body).hexdigest() == os.environ["QUACTOR_DIGEST"], "the bytes differ"


async def echo(client):
    sent = os.urandom(UPLOAD_BYTES)
    body = await client.exchange("POST", "/echo", sent)
    assert body == sent, f"{len(body)} bytes came back, not the same"


class WebSocket:
    """RFC 9220 by aioquic, framing by wsproto."""

    def __init__(self, client):
        self.client = client
        self.events = asyncio.Queue()
        self.stream_id = client._quic.get_next_available_stream_id()
        self.protocol = Connection(ConnectionType.CLIENT)
        client.tunnels[self.stream_id] = self.events

    async def open(self, path, subprotocol):
        head = [
            (b":method", b"CONNECT"),
            (b":scheme", b"https"),
            (b":authority", origin.netloc.encode()),
            (b":path", path.encode()),
            (b":protocol", b"websocket"),
            (b"sec-websocket-version", b"13"),
            (b"sec-websocket-protocol", subprotocol.encode()),
        ]
        self.client.http.send_headers(self.stream_id, head)
        self.client.transmit()
        return dict((await self.events.get()).headers)

    def send(self, event, fin=False):
        self.client.http.send_data(self.stream_id, self.protocol.send(event), fin)
        self.client.transmit()

    async def receive(self):
        parts = []
        while True:
            for event in self.protocol.events():
                if isinstance(event, CloseConnection):
                    return event
                parts.append(event.data)
                if event.message_finished:
                    return parts[0][:0].join(parts)
            event = await self.events.get()
            self.protocol.receive_data(event.data)


async def websocket(client):
    socket = WebSocket(client)
    headers = await socket.open("/ws", "echo")
    assert headers[b":status"] == b"200", headers
    assert headers[b"sec-websocket-protocol"] == b"echo", headers
    socket.send(TextMessage("hello"))
    assert await socket.receive() == "hello"
    sent = os.urandom(900_000)
    socket.send(BytesMessage(sent))
    assert bytes(await socket.receive()) == sent
    socket.send(CloseConnection(3000, "enough"))
    closed = await socket.receive()
    assert closed.code == 3000, closed
    client.http.send_data(socket.stream_id, b"", end_stream=True)
    client.transmit()


async def refused_websocket(client):
    headers = await WebSocket(client).open("/nowhere", "echo")
    assert headers[b":status"] == b"404", headers


async def parallel(client):
    bodies = await asyncio.gather(*(client.exchange("GET", "/bytes/1000") for _ in range(PARALLEL_REQUESTS)))
    assert all(len(body) == 1000 for body in bodies)


V1, V2 = QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2


def configure(**versions):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, idle_timeout=20, **versions)
    configuration.verify_mode = ssl.CERT_REQUIRED
    configuration.load_verify_locations(cafile=os.environ["QUACTOR_CA"])
    key_log = os.environ.get("SSLKEYLOGFILE")
    if key_log:
        configuration.secrets_log_file = open(key_log, "a", encoding="ascii")
    return configuration


def connection(configuration=None, **arguments):
    return connect(
        origin.hostname,
        origin.port,
        configuration=configuration or configure(),
        create_protocol=Client,
        **arguments,
    )


async def version2(**versions):
    async with connection(configure(**versions)) as client:
        await health(client)
        await download(client)
        assert client._quic._version == V2, hex(client._quic._version)


async def negotiation():
    """The first version is one that nobody speaks; the second connection has one of those that the server named."""
    unknown = 0x1A2A3A4A
    async with connection(configure(supported_versions=[unknown, V1])) as client:
        await health(client)
        assert client._quic._version == V1, hex(client._quic._version)


class Return:
    """What a first visit leaves for a second one."""

    def __init__(self):
        self.tickets = []
        self.tokens = []

    async def first(self):
        handlers = {"session_ticket_handler": self.tickets.append, "token_handler": self.tokens.append}
        async with connection(**handlers) as client:
            await health(client)
            await asyncio.sleep(0.1)
        assert self.tickets, "no ticket came"
        assert self.tokens, "no token came"
        return self

    def configure(self, **parts):
        configuration = configure()
        for name, value in parts.items():
            setattr(configuration, name, value)
        return configuration


async def resumption():
    visit = await Return().first()
    async with connection(visit.configure(session_ticket=visit.tickets[-1])) as client:
        await health(client)
        assert client._quic.tls.session_resumed, "it was a full handshake"


async def new_token():
    visit = await Return().first()
    async with connection(visit.configure(token=visit.tokens[-1])) as client:
        await health(client)
        # A server that answers everybody with a Retry takes the token instead.
        assert client._quic._retry_count == 0, "there was a Retry in spite of the token"


async def early_data():
    visit = await Return().first()
    configuration = visit.configure(session_ticket=visit.tickets[-1])
    async with connection(configuration, wait_connected=False) as client:
        await health(client)
        assert client._quic.tls.early_data_accepted, "the early data was not accepted"


async def key_update():
    async with connection() as client:
        await health(client)
        for _ in range(2):
            client._quic.request_key_update()
            await download(client)
            # Another one may come three probe timeouts later (RFC 9001 section 6.5).
            await asyncio.sleep(0.5)


async def another_address(changes_id):
    """As a NAT does it, or as a client that moves and takes another connection ID."""
    async with connection() as client:
        await download(client)
        client._transport.close()
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: client, local_addr=("::", 0))
        if changes_id:
            client._quic.change_connection_id()
        await download(client)
        await echo(client)


async def main():
    async with connection() as client:
        await check("GET /health", health(client))
        await check("GET /bytes/1000000 arrives intact", download(client))
        await check("POST 5 MB to /echo returns the same bytes", echo(client))
        await check("WebSocket on /ws over HTTP/3 returns what it is sent", websocket(client))
        await check("WebSocket on another path is refused", refused_websocket(client))
        await check(f"{PARALLEL_REQUESTS} requests at once on one connection", parallel(client))
    await check("[version2] version 2 from the first packet", version2(original_version=V2, supported_versions=[V2]))
    await check(
        "[compatible] moved to version 2 in the handshake", version2(original_version=V1, supported_versions=[V2, V1])
    )
    await check("[negotiation] a version that nobody speaks, and then one of those that the server named", negotiation())
    await check("[resumption] comes back with a ticket", resumption())
    await check("[newToken] comes back with a token", new_token())
    await check("[keyUpdate] two key updates of the client", key_update())
    await check("[rebinding] a NAT changes its address", another_address(False))
    await check("[migration] moves, with another connection ID", another_address(True))
    if os.environ.get("QUACTOR_EARLY"):
        await check("[earlyData] a request as early data is answered", early_data())
    print("cannot [preferred]: it does not move to the address that a server prefers")


asyncio.run(main())
sys.exit(1 if failed else 0)
