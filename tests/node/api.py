"""The Kubernetes API for the node tests: one call, with the admin's token, inside the node's namespaces."""
import http.client
import json
import ssl

CONTEXT = ssl._create_unverified_context()


class Api:
    """One kept connection; a call returns the status and the decoded body. `warned`: the last answer had a warning."""

    def __init__(self):
        self.connection = None
        self.warned = False

    def call(self, method, path, body=None, kind="application/json", user=None):
        headers = {"Authorization": "Bearer admin-token", "Content-Type": kind}
        if user:
            headers["Impersonate-User"] = user
        text = None if body is None else body if isinstance(body, str) else json.dumps(body)
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", 443, context=CONTEXT, timeout=60
                )
            try:
                self.connection.request(method, path, text, headers)
                answer = self.connection.getresponse()
                data = answer.read()
                self.warned = answer.getheader("Warning") is not None
                return answer.status, json.loads(data) if data[:1] == b"{" else data
            except (http.client.HTTPException, OSError):
                self.connection = None
                if attempt == 2:
                    raise
