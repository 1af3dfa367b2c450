"""aioquic as an HTTP/3 server on 127.0.0.1: files of a folder and POST /echo. Takes port, folder, certificate, key."""

import asyncio
import os
import sys

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, StreamReset
from aioquic.tls import SessionTicket

root = os.path.abspath(sys.argv[2])


class Server(QuicConnectionProtocol):
    """One connection; each request is answered when it is complete."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = None
        self.requests = {}

    def quic_event_received(self, event):
        if isinstance(event, ProtocolNegotiated):
            self.http = H3Connection(self._quic)
        if isinstance(event, StreamReset):
            self.requests.pop(event.stream_id, None)
        if self.http is None:
            return
        for part in self.http.handle_event(event):
            if isinstance(part, HeadersReceived):
                self.requests[part.stream_id] = (dict(part.headers), bytearray())
            elif isinstance(part, DataReceived) and part.stream_id in self.requests:
                self.requests[part.stream_id][1].extend(part.data)
            if getattr(part, "stream_ended", False) and part.stream_id in self.requests:
                self.answer(part.stream_id, *self.requests.pop(part.stream_id))

    def answer(self, stream_id, headers, body):
        method, path = headers[b":method"], headers[b":path"].decode()
        file = os.path.abspath(root + path)
        status, content = b"200", bytes(body)
        if path != "/echo":
            if file.startswith(root) and os.path.isfile(file):
                with open(file, "rb") as source:
                    content = source.read()
            else:
                status, content = b"404", b"not found"
        length = str(len(content)).encode()
        self.http.send_headers(stream_id, [(b":status", status), (b"content-length", length)], method == b"HEAD")
        if method != b"HEAD":
            self.http.send_data(stream_id, content, True)
        self.transmit()


class Tickets:
    """Session tickets by their bytes; each is good for one connection."""

    def __init__(self):
        self.tickets = {}

    def add(self, ticket: SessionTicket):
        self.tickets[ticket.ticket] = ticket

    def pop(self, label):
        return self.tickets.pop(label, None)


async def main():
    port, cert, key = int(sys.argv[1]), sys.argv[3], sys.argv[4]
    configuration = QuicConfiguration(alpn_protocols=H3_ALPN, is_client=False)
    configuration.load_cert_chain(cert, key)
    tickets = Tickets()
    await serve(
        "127.0.0.1",
        port,
        configuration=configuration,
        create_protocol=Server,
        session_ticket_fetcher=tickets.pop,
        session_ticket_handler=tickets.add,
    )
    await asyncio.Future()


asyncio.run(main())
