"""Asks a scoring server for one row at a time, from many connections: host, port, path, clients, seconds. Prints JSON: requests a second, p50, p99."""

from __future__ import annotations

import asyncio
import json
import sys
import time

COLUMNS = [f"x{n}" for n in range(10)]
FORM = {"dataframe_split": {"columns": COLUMNS, "data": [[0.1 * n for n in range(10)]]}}


async def main(host: str, port: int, path: str, clients: int, seconds: float) -> None:
    body = json.dumps(FORM).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    request, times = head.encode() + body, []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(request)
            lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
            answer = await reader.readexactly(length)
            if b" 200 " not in lines[0] or b"predictions" not in answer:
                raise RuntimeError(answer.decode())
            times.append(time.perf_counter() - began)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    took = time.perf_counter() - began
    times.sort()
    quantile = {name: times[int(len(times) * part)] * 1000 for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99))}
    print(json.dumps({"per_s": len(times) / took, **quantile}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])))
