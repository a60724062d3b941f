"""A DNS server for SRV records over UDP on a loopback port."""

from __future__ import annotations

import socketserver
from collections.abc import Mapping, Sequence

import dns.message
import dns.rcode
import dns.rrset

# priority, weight, port, target
Record = tuple[int, int, int, str]


class DnsServer(socketserver.ThreadingUDPServer):
    """Answers SRV questions for the names it knows, NXDOMAIN for the others."""

    daemon_threads = True

    def __init__(self, records: Mapping[str, Sequence[Record]]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.records = records

    @property
    def endpoint(self) -> str:
        """``address:port``."""
        return "{}:{}".format(*self.server_address)


class _Handler(socketserver.BaseRequestHandler):
    server: DnsServer

    def handle(self) -> None:
        packet, sock = self.request
        question = dns.message.from_wire(packet)
        answer = dns.message.make_response(question)
        name = question.question[0].name
        found = self.server.records.get(name.to_text(omit_final_dot=True))
        if found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            texts = ["{} {} {} {}".format(*record) for record in found]
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "SRV", texts))
        sock.sendto(answer.to_wire(), self.client_address)
