"""Clients of a server: `python -m tests.benchmarks.http_clients PORT CLIENTS PER_SECOND`.

Requests are JSON on standard input, a list of texts as they go over the wire. Each client has one
connection and takes the next request when it has its answer; where PER_SECOND is not 0, a request
begins when its time has come and counts from there, so that what waits in line is told.
Answers with JSON: the seconds of each request, and of all together. Any status of 400 or more ends
it.
"""

import json
import socket
import sys
import threading
import time


def asked(connection: socket.socket, request: bytes) -> None:
    """One request and its answer."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _some(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    if head[9:10] not in b"23":
        raise ValueError(answer.decode())
    at = head.lower().index(b"content-length:") + 15
    length = int(head[at:].split(b"\r\n", 1)[0])
    while len(body) < length:
        body += _some(connection)


def _some(connection: socket.socket) -> bytes:
    part = connection.recv(1 << 16)
    if not part:
        raise ValueError("the server closed the connection")
    return part


def load(port: int, clients: int, per_second: float, requests: list[bytes]) -> dict[str, object]:
    """Send all requests. Answers with the seconds that it took."""
    taken: list[float] = []
    turn, following = threading.Lock(), iter(enumerate(requests))
    faults: list[BaseException] = []
    begun = threading.Barrier(clients + 1)

    def client() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begun.wait()
            try:
                while not faults:
                    with turn:
                        number, request = next(following, (0, b""))
                    if not request:
                        return
                    start = time.perf_counter()
                    if per_second:
                        start = first + number / per_second
                        time.sleep(max(0.0, start - time.perf_counter()))
                    asked(connection, request)
                    taken.append(time.perf_counter() - start)
            except (OSError, ValueError) as error:
                faults.append(error)

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for one in threads:
        one.start()
    first = time.perf_counter() + 0.01
    begun.wait()
    start = time.perf_counter()
    for one in threads:
        one.join()
    if faults:
        raise faults[0]
    return {"seconds": time.perf_counter() - start, "each": taken}


def main(port: str, clients: str, per_second: str) -> None:
    requests = [one.encode() for one in json.load(sys.stdin)]
    json.dump(load(int(port), int(clients), float(per_second), requests), sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
