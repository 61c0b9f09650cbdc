"""The way to the server: one connection, and what its answers mean.

The server hands out each listener as one file with this text pasted into it, see holter_facts.py.
"""
HOLTER_VERSION = "1.0.0"


class HolterServer:
    """The connection to the server, kept open from batch to batch."""

    def __init__(self, config):
        from urllib.parse import quote, urlsplit
        parts = urlsplit(config.url)
        self._is_tls = parts.scheme == "https"
        # A worker of Holter's gives its jobs no network, but a socket in their folder.
        self._path = parts.path if parts.scheme == "unix" else None
        self._host, self._port = ("localhost", None) if self._path else (parts.hostname, parts.port)
        if parts.scheme not in ("http", "https", "unix") or not self._host:
            raise ValueError("HOLTER_URL is not an http address")
        self._port_or_usual = self._port or (443 if self._is_tls else 80)
        host = "[%s]" % self._host if ":" in self._host else self._host
        prefix = "" if self._path else quote(parts.path.rstrip("/"), safe="/%")
        lines = ["POST %s/api/v1/events HTTP/1.1" % prefix,
                 "Host: %s" % (host if self._port is None else "%s:%d" % (host, self._port)),
                 "User-Agent: holter-listener/" + HOLTER_VERSION, "Content-Type: application/x-ndjson"]
        if config.token:
            lines.append("Authorization: Bearer " + config.token)
        self._head = "\r\n".join(lines) + "\r\n"
        # On one machine packing costs more than it saves.
        self.packs = self._host not in ("127.0.0.1", "localhost", "::1")
        self._socket = None

    def _connect(self, within):
        import socket
        host = self._host
        if self._path:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(within)
            sock.connect(self._path)
            self._socket = sock
            self._within = within
            return
        # As bytes an ASCII name skips the codec for international names, whose tables take milliseconds to load.
        sock = socket.create_connection((host.encode("ascii") if host.isascii() else host, self._port_or_usual), within)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_tls:
            import ssl
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        self._socket = sock
        self._within = within

    def post(self, body, sent_at, within):
        """Status, Retry-After and body of the answer."""
        packing = ""
        if self.packs and len(body) >= 4096:
            import gzip
            body = gzip.compress(body, 1)
            packing = "Content-Encoding: gzip\r\n"
        head = "%s%sHolter-Sent-At: %s\r\nContent-Length: %d\r\n\r\n" % (self._head, packing, sent_at, len(body))
        request = head.encode("ascii", "replace") + body
        for is_kept in (self._socket is not None, False):
            try:
                return self._exchange(request, within)
            except Exception as error:
                self.close()
                # A server may close a connection that was idle; only a fresh one tells whether it is there.
                if not is_kept or "timed out" in str(error):
                    raise

    def _exchange(self, request, within):
        import http.client
        if self._socket is None:
            self._connect(within)
        sock = self._socket
        if within != self._within:
            sock.settimeout(within)
            self._within = within
        # Written in one piece: each call that may wait gives the interpreter lock away and has to win it back.
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock, method="POST")
        try:
            answer.begin()
            text = answer.read()
            if answer.will_close or not answer.isclosed():
                self.close()
            return answer.status, answer.getheader("Retry-After"), text
        finally:
            answer.close()

    def close(self):
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()


HOLTER_SENT, HOLTER_DROP, HOLTER_SPLIT, HOLTER_AWAY, HOLTER_STOP = "sent", "drop", "split", "away", "stop"


def holter_verdict(status):
    """What an answer means for the batch it answers."""
    if 200 <= status < 300:
        return HOLTER_SENT
    if status in (400, 413):
        # One broken or huge event must not take the others with it.
        return HOLTER_SPLIT
    if status in (408, 425, 429) or status >= 500:
        return HOLTER_AWAY
    if status < 400 or status in (401, 403, 404, 405, 407):
        # A wrong address or token: sending on is useless, but nothing is lost until somebody puts it right.
        return HOLTER_STOP
    return HOLTER_DROP
