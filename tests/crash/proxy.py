"""A proxy for PostgreSQL's protocol on a unix socket that can break a connection around a COMMIT."""
import contextlib
import os
import socket
import struct
import threading
import time


def is_commit(message):
    return message[:1] == b"Q" and message[5:].rstrip(b"\0; ").lower() == b"commit"


class Proxy:
    """What happens at the COMMIT whose number (from 1) is in `at`:

    lost      the connection breaks before the server has the COMMIT
    unread    the COMMIT is passed on, and the connection breaks at once
    answered  the connection breaks once the server has answered
    late      the connection of the client breaks; the server gets the COMMIT after two seconds, if it still listens
    call      the function given is called, and the COMMIT passed on
    """

    def __init__(self, directory, server_socket, mode, at=(1,), call=None):
        self.server_socket, self.mode, self.at, self.call = server_socket, mode, set(at), call
        self.commits, self.hits = 0, 0
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
                server.connect(self.server_socket)
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

    def to_server(self):
        with contextlib.suppress(OSError):
            self.server.sendall(self.message(True))
            while True:
                message = self.message(False)
                if is_commit(message) and self.is_hit():
                    if not self.strike(message):
                        break
                    continue
                self.server.sendall(message)
        self.close()

    def is_hit(self):
        with self.proxy.lock:
            self.proxy.commits += 1
            hit = self.proxy.commits in self.proxy.at
            self.proxy.hits += hit
            return hit

    def strike(self, message):
        """False where the connection is to end."""
        mode = self.proxy.mode
        if mode == "lost":
            return False
        if mode == "call":
            self.proxy.call()
            self.server.sendall(message)
            return True
        self.muted.set()
        if mode == "late":
            self.proxy.shut(self.client)
            time.sleep(2)
        self.server.sendall(message)
        if mode == "answered":
            self.answered.wait(20)
        if mode == "late":
            self.answered.wait(5)
        return False
