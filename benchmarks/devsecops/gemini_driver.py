"""Ask gemini-self-protector about texts: JSON strings on stdin, one a line; 1 or 0 on stdout for refused or passed.

Run by the Python of an environment in which it is installed, in an empty folder. Its rules are asked as its own
decorator does it, in the mode `protection` (`block`, which its README shows, refuses nothing); its model is a remote
server, and so not part of it. It is told to be installed in its SQLite file, as its web interface would.
"""

import glob
import json
import os
import sqlite3
import sys


def tell() -> None:
    """Tell it that it is installed, and to look at requests only."""
    for path in glob.glob("gemini-protector/*.db"):
        with sqlite3.connect(path) as base:
            tables = [name for (name,) in base.execute("select name from sqlite_master where type='table'")]
            for table in tables:
                columns = {row[1] for row in base.execute(f"pragma table_info({table})")}
                for column, value in (
                    ("is_install", 1),
                    ("anti_dos", 0),
                    ("enable_acl", 0),
                    ("is_use_g_wvd_serve", 0),
                    ("is_predict_header", 0),
                    ("safe_redirect", 0),
                    ("protect_response", 0),
                    ("sensitive_value", 50),
                ):
                    if column in columns:
                        base.execute(f"update {table} set {column} = ?", (value,))


def main() -> None:
    """Ask about each line."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # it prints a banner and logs
    from flask import Flask, request
    from gemini_self_protector import GeminiManager

    app = Flask("service")
    manager = GeminiManager(app)

    @app.route("/predict", methods=["POST"])
    @manager.flask_protect_extended(protect_mode="protection")
    def predict():
        return {"ok": len(request.get_json()["text"])}

    tell()
    client = app.test_client()
    for line in sys.stdin:
        answer = client.post("/predict", json={"text": json.loads(line)})
        print(int(b"blocked by Gemini" in answer.data), file=out, flush=True)


if __name__ == "__main__":
    main()
