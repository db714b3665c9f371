"""A Flask service for guard_latency.py: bare, with the guard as WSGI middleware, or with gemini-self-protector.

Run by the Python of an environment in which gemini-self-protector is installed, in an empty folder, with the kind as
its argument (`flask`, `flask + guard`, `flask + gemini`); prints its port. See gemini_driver.py for how it is set up.
"""

import os
import sys

kind = sys.argv[1]
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # it prints a banner and logs

from flask import Flask, Response, request  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

app = Flask("service")
protect = lambda view: view  # noqa: E731
if kind == "flask + gemini":
    from gemini_driver import tell
    from gemini_self_protector import GeminiManager

    protect = GeminiManager(app).flask_protect_extended(protect_mode="protection")
    tell()


@app.route("/predict", methods=["POST"])
@protect
def predict():
    return Response('{"label": "honest"}' if request.get_json() else "", content_type="application/json")


if kind == "flask + guard":
    from shipworthy.guard.runtime import GuardWSGI

    app.wsgi_app = GuardWSGI(app.wsgi_app, events="events.jsonl")
    app.wsgi_app.guard.warm()


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_):
        pass


server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
print(server.port, file=out, flush=True)
server.serve_forever()
