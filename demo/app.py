"""The shop's application: counts orders in Redis, and answers in JSON over HTTP."""
import http.server
import json
import os
import socket

DATABASE = (os.environ.get("DATABASE_HOST", "database"), 6379)


def redis(*words):
    """One command, its reply as text; enough of the protocol for INCR, GET and LPUSH."""
    with socket.create_connection(DATABASE, timeout=2) as connection:
        request = f"*{len(words)}\r\n"
        for word in words:
            request += f"${len(word.encode())}\r\n{word}\r\n"
        connection.sendall(request.encode())
        lines = connection.makefile("rb")
        first = lines.readline().decode().strip()
        if first.startswith("$") and first != "$-1":
            return lines.readline().decode().strip()
        return first[1:]


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/health":
            return self.reply(200, {"ok": True})
        if self.path.startswith("/orders"):
            return self.reply(200, {"orders": redis("GET", "orders")})
        return self.reply(404, {"error": "not found"})

    def do_POST(self):
        if self.path != "/orders":
            return self.reply(404, {"error": "not found"})
        number = redis("INCR", "orders")
        redis("LPUSH", "log", f"order {number}")
        return self.reply(201, {"order": number})

    def reply(self, status, body):
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format, *arguments):
        pass


http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Shop).serve_forever()
