"""HTTP/2 by hand for the node tests: streams whose bodies never end. Python has no client that stalls on purpose."""
import socket
import ssl
import struct
import time

SETTINGS, DATA, HEADERS, WINDOW_UPDATE = 4, 0, 1, 8


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """A header field without indexing: both lengths are below 127."""
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


def exactly(connection, count):
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def granted(connection):
    """Reads one frame; returns by how much it widens the connection's window."""
    head = exactly(connection, 9)
    payload = exactly(connection, int.from_bytes(head[:3], "big"))
    if head[3] == SETTINGS and not head[4] & 1:
        connection.sendall(frame(SETTINGS, 1, 0))
    if head[3] == WINDOW_UPDATE and head[5:9] == bytes(4):
        return int.from_bytes(payload, "big")
    return 0


def stall(host, streams, size, seconds):
    """Opens `streams` streams with `size` bytes each of a longer body, as far as the windows go, and waits."""
    context = ssl._create_unverified_context()
    context.set_alpn_protocols(["h2"])
    fields = [(b":method", b"POST"), (b":scheme", b"https"), (b":authority", b"x")]
    fields += [(b":path", b"/validate?timeout=30s"), (b"content-type", b"application/json")]
    fields += [(b"content-length", str(size + 500).encode())]
    headers = b"".join(literal(name, value) for name, value in fields)
    end = time.time() + seconds
    try:
        raw = socket.create_connection((host, 8443), timeout=15)
        with context.wrap_socket(raw, server_hostname="undock.undock.svc") as connection:
            connection.settimeout(seconds)
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
            # Windows are kept, or the server would just close: what it holds then is what it allowed.
            window = 65535
            for number in range(streams):
                stream = 2 * number + 1
                connection.sendall(frame(HEADERS, 4, stream, headers))
                for start in range(0, size, 16000):
                    part = min(16000, size - start)
                    while window < part:
                        window += granted(connection)
                    connection.sendall(frame(DATA, 0, stream, b"x" * part))
                    window -= part
            time.sleep(max(0, end - time.time()))
    except OSError:
        time.sleep(max(0, end - time.time()))
