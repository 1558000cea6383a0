"""Starting the web server."""

from __future__ import annotations

import os

import uvicorn

from quanmin.catalog.messages import say
from quanmin.site import Site

WORKERS = 2  # one worker leaves a long tail under load
PARTING = 5  # seconds that requests under way get when the server is told to stop
COLD = "QUANMIN_COLD"  # set: nothing is worked out before it is asked for
SLOW_START = 120  # seconds a worker may take to answer its supervisor: on a busy machine importing alone takes more than the usual 5


def serve(site: Site, port: int, host: str = "127.0.0.1", workers: int = WORKERS, warm: bool = True) -> None:
    """Serve a site; the first start makes an administrator and says the one-time password once."""
    first = site.accounts.ensure_administrator()
    if first is not None:
        print(say("first_password", name=first[0], password=first[1]), flush=True)
    print(say("serving", address=f"http://{host}:{port}"), flush=True)
    os.environ["QUANMIN_SITE"] = str(site.folder)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # workers that each split a fit over all cores stand in each other's way
    if not warm:
        os.environ[COLD] = "1"
    uvicorn.run(
        "quanmin.web.app:create_app", factory=True, host=host, port=port, workers=workers, log_level="warning", server_header=False, proxy_headers=False,
        timeout_worker_healthcheck=SLOW_START, timeout_graceful_shutdown=PARTING,
    )
