"""A stand-in for the server, on real sockets, that can also misbehave."""
import gzip
import json
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stub:
    """Keeps what arrives. `behave` takes a function from the number of the request to what to do with it:
    a status, or "hang", "die", "slow"; `None` is a healthy 200."""

    def __init__(self, host="127.0.0.1", port=0):
        self.requests = []
        self.batches = []
        self.changed = threading.Condition()
        self.behave = lambda number: None
        self.stopping = threading.Event()
        self.retry_after = "1"
        stub = self

        class Handler(_Handler):
            owner = stub

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, request, client_address):
                pass

        self.server = Server((host, port), Handler)
        self.port = self.server.server_address[1]
        self.url = "http://%s:%d" % (host, self.port)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def always(self, what):
        self.behave = lambda number: what

    @property
    def events(self):
        """Events in the order of arrival, each id once, as the server keeps them."""
        with self.changed:
            seen, events = set(), []
            for batch in self.batches:
                for event in batch:
                    if event["id"] not in seen:
                        seen.add(event["id"])
                        events.append(event)
            return events

    def of(self, kind, **fields):
        return [event for event in self.events
                if event["type"] == kind and all(event.get(key) == value for key, value in fields.items())]

    def wait_for(self, condition, within=20.0):
        end = time.monotonic() + within
        with self.changed:
            while not condition(self):
                left = end - time.monotonic()
                assert left > 0, "never came: %s" % [event["type"] for event in self.events][-20:]
                self.changed.wait(left)

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *args):
        pass

    def do_POST(self):
        stub = self.owner
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        with stub.changed:
            number = len(stub.requests)
            stub.requests.append({"path": self.path, "headers": dict(self.headers), "size": len(plain),
                                  "at": time.time()})
            stub.changed.notify_all()
        what = stub.behave(number)
        if what == "hang":
            stub.stopping.wait()
            return
        if what == "die":
            self.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        if what == "slow":
            stub.stopping.wait(0.3)
        self.answer(what if isinstance(what, int) else 200, plain)

    def answer(self, status, plain):
        stub = self.owner
        answer = b'{"accepted":1,"duplicate":0,"ignored":0,"rejected":[]}'
        if status == 200:
            try:
                batch = [json.loads(line) for line in plain.decode("utf-8").split("\n") if line]
            except ValueError:
                status = 400
            else:
                with stub.changed:
                    stub.batches.append(batch)
                    stub.changed.notify_all()
        self.send_response(status)
        if status in (429, 503):
            self.send_header("Retry-After", stub.retry_after)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def main():
    stub = Stub()
    if len(sys.argv) > 1:
        stub.always(int(sys.argv[1]))
    print(stub.url, flush=True)
    stub.thread.join()


if __name__ == "__main__":
    main()
