#!/usr/bin/env python3
"""Stands between sluice and a PostgreSQL, as a server that has its troubles; on a unix socket in the folder LISTEN.

usage: proxy.py LISTEN SERVER starting N       the first N connections are told that it starts up
       proxy.py LISTEN SERVER cut BYTES N      the first N that send more than BYTES are cut off there; N may be `all`

It ends with the process that started it.
"""
import ctypes
import os
import signal
import socket
import struct
import sys
import threading

PR_SET_PDEATHSIG = 1
NAME = "/.s.PGSQL.5432"
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"


class Trouble:
    def __init__(self, bytes_before, count):
        self.bytes_before, self.left, self.lock = bytes_before, count, threading.Lock()

    def comes(self):
        with self.lock:
            self.left -= 1
            return self.left >= 0


def end(*ends):
    for s in ends:
        try:
            s.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def pass_on(source, sink, trouble):
    passed = 0
    try:
        while data := source.recv(65536):
            passed += len(data)
            if trouble and passed > trouble.bytes_before:
                if trouble.comes():
                    sink.sendall(data[:len(data) // 2])
                    break
                trouble = None
            sink.sendall(data)
    except OSError:
        pass
    end(source, sink)


def refuse(client):
    client.recv(65536)
    client.sendall(b"E" + struct.pack("!I", len(STARTING) + 4) + STARTING)
    client.close()


def main():
    listen, server, mode = sys.argv[1:4]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    refusals = int(sys.argv[4]) if mode == "starting" else 0
    trouble = None
    if mode == "cut":
        trouble = Trouble(int(sys.argv[4]), 1 << 30 if sys.argv[5] == "all" else int(sys.argv[5]))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(listen + NAME)
    listener.listen(16)
    while True:
        client, _ = listener.accept()
        if refusals > 0:
            refusals -= 1
            refuse(client)
            continue
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(server + NAME)
        except OSError:
            client.close()
            continue
        threading.Thread(target=pass_on, args=(client, upstream, trouble), daemon=True).start()
        threading.Thread(target=pass_on, args=(upstream, client, None), daemon=True).start()


if __name__ == "__main__":
    main()
