"""Ends with 0 if a server takes requests, with 1 and the reason if not.

    python healthcheck.py URL TOKEN_FILE [CA_FILE]

Needs nothing but Python.
"""

import http.client
import json
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path

PATIENCE_S = 4.0


def main(url: str, token_file: str, ca_file: str | None = None) -> str | None:
    """Ask; returns why the server takes no requests, None if it does."""
    try:
        token = Path(token_file).read_text(encoding="ascii").strip()
        request = urllib.request.Request(f"{url.rstrip('/')}/v1/health", headers={"Authorization": f"Bearer {token}"})
        context = ssl.create_default_context(cafile=ca_file) if url.startswith("https:") else None
        with urllib.request.urlopen(request, timeout=PATIENCE_S, context=context) as answer:
            status = json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        return f"the server answers {error.code}"
    except (OSError, ValueError, LookupError, TypeError, http.client.HTTPException) as error:
        return f"no answer: {type(error).__name__}"
    return None if status == "ready" else f"the server is {status}"


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
