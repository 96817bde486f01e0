"""Many keep-alive clients that send one request after another, each as soon as the last is answered; on one core, with as little work as can be.

Options as JSON: host, port, clients, seconds, and requests: for each client a list of [method, path, body] that it goes through again and
again, in which `{n}` is the number of the request. Prints how many were answered, how many with another status than 200, and latencies.
"""

import asyncio
import json
import sys
import time

import uvloop

given = json.loads(sys.stdin.read())
taken: list[float] = []
refused = 0
first_fault = ""


def encoded(method: str, path: str, body: str) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: {given['host']}:{given['port']}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body.encode()


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: list[list[str]], until: float, over: asyncio.Future[None]) -> None:
        self.requests, self.until, self.over = requests, until, over
        self.count = 0
        self.got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        method, path, body = self.requests[self.count % len(self.requests)]
        self.count += 1
        self.began = time.perf_counter()
        number = str(self.count)
        self.transport.write(encoded(method, path.replace("{n}", number), body.replace("{n}", number)))  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        global refused, first_fault
        self.got += data
        head, mark, rest = self.got.partition(b"\r\n\r\n")
        if not mark:
            return
        low = head.lower()
        at = low.find(b"content-length:")
        if at >= 0:
            if len(rest) < int(low[at + 15 :].split(b"\r\n", 1)[0]):
                return
        elif not self.got.endswith(b"0\r\n\r\n"):
            return
        now = time.perf_counter()
        taken.append(now - self.began)
        if not head.startswith(b"HTTP/1.1 200"):
            refused += 1
            first_fault = first_fault or self.got[:300].decode(errors="replace")
        self.got = b""
        if now < self.until:
            self.ask()
        else:
            self.transport.close()
            self.over.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_result(None)


async def main() -> None:
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    overs = []
    for number in range(given["clients"]):
        over = loop.create_future()
        overs.append(over)
        requests = given["requests"][number % len(given["requests"])]
        await loop.create_connection(lambda r=requests, o=over: Client(r, began + given["seconds"], o), given["host"], given["port"])  # type: ignore[misc]
    await asyncio.gather(*overs)
    took = time.perf_counter() - began
    taken.sort()
    at = lambda share: taken[min(int(share * len(taken)), len(taken) - 1)] * 1000 if taken else 0.0  # noqa: E731
    print(
        json.dumps(
            {
                "answered": len(taken),
                "refused": refused,
                "per_s": len(taken) / took,
                "p50_ms": at(0.5),
                "p99_ms": at(0.99),
                "fault": first_fault,
            }
        )
    )


uvloop.run(main())
