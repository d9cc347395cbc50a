"""A proxy for PostgreSQL's protocol on a unix socket that can break a connection, or call the test, around a statement.

A statement is a simple query, what an extended query sends from Parse to Sync, or the end of a COPY.
"""
import contextlib
import os
import socket
import struct
import threading
import time


def is_commit(text):
    return text.rstrip("; ").lower() == "commit"


def is_statement(_text):
    return True


class Proxy:
    """What happens at the COMMIT (or other statement, where `point` says of its text that it is one) whose number
    (from 1) is in `at`:

    lost      the connection breaks before the server has the COMMIT
    unread    the COMMIT is passed on, and the connection breaks at once
    answered  the connection breaks once the server has answered
    late      the connection of the client breaks; the server gets the COMMIT after two seconds, if it still listens
    call      the function given is called, and the COMMIT passed on
    during    the COMMIT is passed on, and the function called at once

    `seen` has the text of each.
    """

    def __init__(self, directory, server_socket, mode, at=(), call=None, point=is_commit):
        self.server_socket, self.mode, self.at, self.call, self.point = server_socket, mode, set(at), call, point
        self.seen, self.hits = [], 0
        self.lock = threading.Lock()
        self.path = os.path.join(directory, ".s.PGSQL.5432")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(16)
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for s in [self.listener, *self.sockets]:
            self.shut(s)

    @staticmethod
    def shut(s):
        with contextlib.suppress(OSError):
            s.shutdown(socket.SHUT_RDWR)
        s.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.socket(socket.AF_UNIX)
                try:
                    server.connect(self.server_socket)
                except OSError:  # it was killed
                    self.shut(client)
                    continue
                self.sockets += [client, server]
                link = Link(self, client, server)
                threading.Thread(target=link.to_server, daemon=True).start()
                threading.Thread(target=link.to_client, daemon=True).start()


class Link:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.muted = threading.Event()
        self.answered = threading.Event()

    def close(self):
        self.proxy.shut(self.client)
        self.proxy.shut(self.server)

    def to_client(self):
        with contextlib.suppress(OSError):
            while data := self.server.recv(65536):
                if self.muted.is_set():
                    self.answered.set()
                    continue
                self.client.sendall(data)
        self.close()

    def receive(self, count):
        data = b""
        while len(data) < count:
            piece = self.client.recv(count - len(data))
            if not piece:
                raise OSError("closed")
            data += piece
        return data

    def message(self, start):
        kind = b"" if start else self.receive(1)
        length = self.receive(4)
        return kind + length + self.receive(struct.unpack("!i", length)[0] - 4)

    def statement(self):
        """The next messages up to one that the server acts on, and the text if they are a statement."""
        text, parts = None, []
        while True:
            message = self.message(False)
            kind, body = message[:1], message[5:]
            parts.append(message)
            if kind == b"Q":
                text = body.rstrip(b"\0").decode(errors="replace")
            elif kind == b"P":
                text = body.split(b"\0")[1].decode(errors="replace")
            elif kind == b"B" and text is None:
                text = "prepared " + body.split(b"\0")[1].decode(errors="replace")
            elif kind == b"c":
                text = "end of COPY"
            if kind not in (b"P", b"B", b"D", b"E", b"C"):
                return b"".join(parts), text

    def to_server(self):
        with contextlib.suppress(OSError):
            self.server.sendall(self.message(True))
            while True:
                messages, text = self.statement()
                if text is not None and self.proxy.point(text) and self.is_hit(text):
                    if not self.strike(messages):
                        break
                    continue
                self.server.sendall(messages)
        self.close()

    def is_hit(self, text):
        with self.proxy.lock:
            self.proxy.seen.append(text)
            hit = len(self.proxy.seen) in self.proxy.at
            self.proxy.hits += hit
            return hit

    def strike(self, messages):
        """False where the connection is to end."""
        mode = self.proxy.mode
        if mode == "lost":
            return False
        if mode == "call":
            self.proxy.call()
            self.server.sendall(messages)
            return True
        if mode == "during":
            self.server.sendall(messages)
            self.proxy.call()
            return True
        self.muted.set()
        if mode == "late":
            self.proxy.shut(self.client)
            time.sleep(2)
        self.server.sendall(messages)
        if mode == "answered":
            self.answered.wait(20)
        if mode == "late":
            self.answered.wait(5)
        return False
