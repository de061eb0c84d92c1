"""Nothing gets around the gate: hosts, paths, methods, keys, scopes, other sites, file names."""

import json
import socket
import statistics
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from serving import Served

from clearsight.server.app import create_app
from clearsight.server.authentication import COOKIE
from clearsight.server.config import ServerConfig
from clearsight.server.gate import PUBLIC, PUBLIC_BELOW, needed_scope
from clearsight.server.keys import new_key
from clearsight.server.principal import ROLE_SCOPES

DOCUMENT = create_app(ServerConfig()).document()
IDS = "00000000000000000000000000000000"
ROUTES = [(method.upper(), path) for path, operations in DOCUMENT["paths"].items() for method in operations]
DENIED = [
    (method, path)
    for method, path in ROUTES
    if (method, path) not in PUBLIC and not (method == "GET" and path.startswith(PUBLIC_BELOW))
]


def filled(path: str) -> str:
    """The path with an id where one belongs."""
    return "/".join(IDS if part.startswith("{") else part for part in path.split("/"))


def raw(served: Served, request: bytes, wait: float = 10) -> tuple[int, bytes]:
    """Status and everything else that comes back for these very bytes."""
    address = urlsplit(served.url)
    with socket.create_connection((address.hostname, address.port), timeout=wait) as connection:
        connection.sendall(request)
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return (int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else 0), received


def head(method: str, target: str, *lines: str, host: str | None = "127.0.0.1") -> bytes:
    hosts = [] if host is None else [f"Host: {host}"]
    text = "\r\n".join([f"{method} {target} HTTP/1.1", *hosts, "Connection: close", *lines, "", ""])
    return text.encode("latin-1")


@pytest.fixture
def key_line(served: Served) -> str:
    return f"Authorization: Bearer {served.key}"


# ---------------------------------------------------------------------------------------------------
# Host, path, method


@pytest.mark.parametrize(
    "host",
    [
        *("x/?", "/#", "x/healthz?", "127.0.0.1/healthz?", "127.0.0.1#", "a@127.0.0.1", "evil.example"),
        *("127.0.0.1:99999999", "127.0.0.1:x", "", " ", "[::1", "localhost.evil.example", "127.0.0.1\\@x"),
        *("localhost,evil.example", "evil.example:8360", "\u00fc", "xn--", "169.254.169.254.evil"),
    ],
)
def test_a_host_header_opens_no_door(served: Served, host: str, key_line: str) -> None:
    status, _ = raw(served, head("GET", "/v1/models", host=host))
    assert status in (400, 401), "nobody is let in without a key, whatever the host"
    status, answer = raw(served, head("GET", "/v1/models", key_line, host=host))
    assert status == 400, answer


def test_two_hosts_or_none_are_refused(served: Served, key_line: str) -> None:
    assert raw(served, head("GET", "/v1/models", key_line, host=None))[0] == 400
    assert raw(served, head("GET", "/v1/models", key_line, "Host: localhost"))[0] == 400
    assert raw(served, head("GET", "/v1/models", key_line))[0] == 200


@pytest.mark.parametrize(
    "target",
    [
        *("//v1/models", "/v1//models", "/v1/models/", "/V1/models", "/v1/Models", "/v1%2fmodels"),
        *("/healthz/../v1/models", "/assets/../v1/models", "/assets/%2e%2e/v1/models", "/v1/./models"),
        *(
            "/shared/..%2f..%2fv1/models",
            "/v1/shared/../models",
            "/v1\\models",
            "/v1/models;x",
            "/v1/models%00",
        ),
        *("/%76%31/models%20", "/v1/models%0a", "/metrics/", "/openapi.json/", "/docs", "/redoc", "/v1"),
        *("/v1/models/..;/", "/.env", "/assets/%00", "/assets/%ff%fe", "/shared/%f0%28%8c%28"),
    ],
)
def test_an_odd_path_is_no_other_name_for_a_route(served: Served, target: str, key_line: str) -> None:
    for line in ([], [key_line]):
        status, answer = raw(served, head("GET", target, *line))
        assert status in (400, 401, 403, 404), answer[:300]
        assert b"object" not in answer, "the list of models is not told under another name"


@pytest.mark.parametrize("target", ["http://127.0.0.1/v1/models", "*", "v1/models", "?", "#", "@/v1/models"])
def test_a_target_that_is_no_path_is_refused(served: Served, target: str) -> None:
    status, answer = raw(served, head("GET", target))
    assert status in (400, 401, 404), answer[:300]


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "CONNECT", "PUT", "PATCH", "DELETE", "FOO", "get"])
def test_a_method_that_is_not_there_is_405_and_says_which_are(
    served: Served, method: str, key_line: str
) -> None:
    assert raw(served, head(method, "/v1/models"))[0] in (400, 401)
    status, answer = raw(served, head(method, "/v1/models", key_line))
    assert status in (400, 405), answer[:300]
    if status == 405:
        assert b"allow: GET" in answer
    assert b"access-control-allow" not in answer.lower()
    assert served.key.encode() not in answer, "a request is not told back"


def test_head_of_a_route_asks_for_a_key_and_tells_no_body(served: Served, key_line: str) -> None:
    assert raw(served, head("HEAD", "/v1/models"))[0] == 401
    status, answer = raw(served, head("HEAD", "/healthz"))
    assert status in (200, 405) and answer.endswith(b"\r\n\r\n"), answer
    status, answer = raw(served, head("HEAD", "/v1/models", key_line))
    assert status in (200, 405) and answer.endswith(b"\r\n\r\n"), answer


def test_lines_that_break_http_break_nothing_else(served: Served, key_line: str) -> None:
    for request in (
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(500),  # TLS where none is spoken
        b"GET /v1/models HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        head("POST", "/v1/chat/completions", key_line, "Content-Length: -1"),
        head("POST", "/v1/chat/completions", key_line, "Content-Length: x"),
        head("POST", "/v1/chat/completions", key_line, "Content-Length: 5", "Transfer-Encoding: chunked"),
        head("POST", "/v1/chat/completions", key_line, "Transfer-Encoding: chunked") + b"zz\r\n",
        head("GET", "/v1/models", key_line, *(f"X-{number}: {'a' * 500}" for number in range(400))),
        head("GET", "/" + "a" * 200_000, key_line),
    ):
        status, answer = raw(served, request, wait=3)
        assert status < 500, answer[:300]
    assert raw(served, head("GET", "/v1/models", key_line))[0] == 200


def test_a_body_that_never_ends_and_one_that_lies_are_cut_off(served: Served, key_line: str) -> None:
    declared = head(
        "POST",
        "/v1/chat/completions",
        key_line,
        "Content-Type: application/json",
        "Content-Length: 900000000",
    )
    status, answer = raw(served, declared)
    assert status == 413 and b"request_too_large" in answer
    short = head(
        "POST", "/v1/chat/completions", key_line, "Content-Type: application/json", "Content-Length: 3"
    )
    assert raw(served, short + b'{"model": "mini"}')[0] == 400


# ---------------------------------------------------------------------------------------------------
# Keys and scopes


@pytest.mark.parametrize(("method", "path"), DENIED, ids=[" ".join(one) for one in DENIED])
def test_every_route_but_the_public_ones_wants_a_key(served: Served, method: str, path: str) -> None:
    answer = httpx2.request(method, served.url + filled(path), json={})
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"
    assert answer.headers["x-request-id"].startswith("req_")


def test_what_asks_nobody_is_a_short_list_that_somebody_meant() -> None:
    public = {(method, path) for method, path in ROUTES if (method, path) not in DENIED}
    assert public == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("POST", "/v1/login"),
        ("GET", "/v1/shared/{token}"),
        ("GET", "/v1/shared/{token}/images/{sha256}"),
    }


def wrong_authorizations(served: Served) -> Iterator[bytes]:
    lookup = served.key.split("-")[1]
    yield from (b"", b"Bearer", b"Bearer ", b"Bearer  \t", b"Basic " + served.key.encode())
    yield b"Bearer " + served.key[:-1].encode()
    yield b"Bearer " + served.key.encode() + b"x"
    yield b"Bearer " + served.key.upper().encode()
    yield b"Bearer cs-\xc3\xa9" + served.key[4:].encode()
    yield b"Bearer " + "schl\u00fcssel".encode()
    yield b"Bearer \xff\xfe"
    yield f"Bearer cs-{lookup}-{'A' * 43}".encode()
    yield b"Bearer cs-' OR 1=1 --"
    yield served.key.encode()
    yield b"Bearer " + served.key.encode() + b", Bearer " + served.key.encode()


def test_what_is_nearly_a_key_is_none(served: Served) -> None:
    for wrong in wrong_authorizations(served):
        request = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
        status, answer = raw(served, request + wrong + b"\r\n\r\n")
        assert status in (400, 401), (wrong, answer[:300])
        assert status == 401 or b"\xff" in wrong, wrong


def test_a_key_in_the_query_or_in_another_header_is_not_read(served: Served) -> None:
    for query in (f"?key={served.key}", f"?api_key={served.key}", f"?access_token={served.key}"):
        assert httpx2.get(f"{served.url}/v1/models{query}").status_code == 401
    for name in ("x-api-key", "api-key", "proxy-authorization"):
        assert httpx2.get(f"{served.url}/v1/models", headers={name: served.key}).status_code == 401


def test_a_key_of_a_megabyte_ends_the_request_and_nothing_else(served: Served, key_line: str) -> None:
    status, _ = raw(served, head("GET", "/v1/models", "Authorization: Bearer cs-" + "a" * 1_000_000))
    assert status in (0, 400, 401, 431)  # 0: the connection was closed before all of it was read
    assert raw(served, head("GET", "/v1/models", key_line))[0] == 200


def test_how_long_a_refusal_takes_says_nothing_about_the_key(served: Served) -> None:
    """A known name with a wrong secret, and a name that nobody has: both cost one hash."""
    lookup = served.key.split("-")[1]
    made = [new_key()[0] for _ in range(12)]
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    with httpx2.Client(base_url=served.url) as client:
        client.get("/healthz")
        for key in made:
            secret = key.split("-", 2)[2]
            for kind, shown in (("known", f"cs-{lookup}-{secret}"), ("unknown", key)):
                began = time.perf_counter()
                answer = client.get("/v1/models", headers={"authorization": f"Bearer {shown}"})
                times[kind].append(time.perf_counter() - began)
                assert answer.status_code == 401
    known, unknown = (statistics.median(times[kind]) for kind in ("known", "unknown"))
    assert 1 / 3 < known / unknown < 3, f"{known * 1000:.1f} ms and {unknown * 1000:.1f} ms"


@pytest.mark.parametrize("scope", sorted(ROLE_SCOPES["owner"]))
def test_a_key_reaches_what_its_scope_names_and_nothing_else(served: Served, scope: str) -> None:
    headers = {"authorization": f"Bearer {served.new_key([scope])}"}
    with httpx2.Client(base_url=served.url, headers=headers) as client:
        for method, path in DENIED:
            wanted = needed_scope(filled(path))
            if method == "DELETE" and path == "/v1/session":
                continue
            answer = client.request(method, filled(path), content=b"{")
            code = answer.json()["error"]["code"] if answer.status_code == 403 else ""
            assert (code == "missing_scope") == (wanted not in ("", scope)), f"{method} {path}: {code}"


# ---------------------------------------------------------------------------------------------------
# Browsers


def logged_in(served: Served) -> tuple[httpx2.Client, httpx2.Response]:
    """A browser with a session, and the answer that gave it."""
    token = served.login_link().partition("#login=")[2]
    client = httpx2.Client(base_url=served.url)
    answer = client.post("/v1/login", json={"token": token})
    assert answer.status_code == 200, answer.text
    return client, answer


def test_a_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(served: Served) -> None:
    client, answer = logged_in(served)
    flags = [part.strip().lower() for part in answer.headers["set-cookie"].split(";")]
    assert flags[0].startswith(f"{COOKIE}=")
    assert "httponly" in flags and "samesite=lax" in flags and "path=/" in flags
    assert not any(flag.startswith("domain") for flag in flags)
    assert client.cookies[COOKIE] not in client.get("/v1/session").text
    client.close()


def test_another_site_can_change_nothing_with_a_users_cookie(served: Served) -> None:
    client, _ = logged_in(served)
    token = client.get("/v1/session").json()["csrf_token"]
    good = {"x-csrf-token": token}
    for headers in (
        {},
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * len(token)},
        {"x-csrf-token": token[:-1]},
        good | {"origin": "https://evil.example"},
        good | {"origin": "null"},
        good | {"origin": served.url.replace("127.0.0.1", "127.0.0.1.evil.example")},
        good | {"origin": "https://127.0.0.1@evil.example"},
    ):
        for method, path, body in (
            ("POST", "/v1/conversations", {}),
            ("PUT", "/v1/account/settings", {"settings": {}}),
            ("DELETE", "/v1/session", None),
        ):
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403 and answer.json()["error"]["code"] == "csrf", (
                headers,
                answer.text,
            )
    form = client.post("/v1/conversations", data={"title": "x"})
    assert form.status_code == 403, "a form of another site is a change, too"
    assert client.post("/v1/conversations", json={}, headers=good).status_code == 200
    assert client.post("/v1/conversations", json={}, headers=good | {"origin": served.url}).status_code == 200
    client.close()


def test_no_answer_lets_other_sites_read_or_frame_it(served: Served) -> None:
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    with served.client() as client:
        answers = [
            client.get("/healthz", headers=preflight),
            client.get("/v1/models", headers=preflight),
            client.options("/v1/chat/completions", headers=preflight),
            client.get("/v1/nothing", headers=preflight),
            client.post("/v1/chat/completions", json={}, headers=preflight),
            httpx2.get(f"{served.url}/v1/models", headers=preflight),
        ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


# ---------------------------------------------------------------------------------------------------
# File names

NAMES = [
    *("../../x", "..\\..\\x", "/etc/passwd", "C:\\x", "x.html", "x.svg", "CON", "NUL.png", ".htaccess", "."),
    *("a" * 300, "a" * 301, "\u202egnp.exe", "a\0b", "a\x01b", "  ", "x;y.png", "%2e%2e%2fx", "x\u2028y"),
]


@pytest.mark.parametrize("name", NAMES, ids=[repr(name[:12]) for name in NAMES])
def test_the_name_of_an_upload_is_told_back_and_never_used(served: Served, name: str, sample: bytes) -> None:
    boundary = b"xxxxxxxx"
    body = (
        b'--xxxxxxxx\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nvision\r\n'
        b'--xxxxxxxx\r\nContent-Disposition: form-data; name="file"; filename="'
        + name.encode().replace(b"\\", b"\\\\")
        + b'"\r\nContent-Type: text/html\r\n\r\n'
        + sample
        + b"\r\n--xxxxxxxx--\r\n"
    )
    headers = {"content-type": f"multipart/form-data; boundary={boundary.decode()}"}
    with served.client() as client:
        answer = client.post("/v1/files", content=body, headers=headers)
        if answer.status_code == 400:
            assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
            assert len(name) > 300 or "\0" in name or "\x01" in name, answer.text
            return
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        content = client.get(f"/v1/files/{found['id']}/content")
        assert content.headers["content-type"] == "image/png"
        assert content.headers["content-disposition"] == f'attachment; filename="{found["id"]}.png"'
        assert content.headers["x-content-type-options"] == "nosniff"
        assert client.delete(f"/v1/files/{found['id']}").status_code == 200


def test_a_script_in_a_title_is_text_in_json(served: Served) -> None:
    title = "</script><script>alert(1)</script>"
    with served.client() as client:
        made = client.post("/v1/conversations", json={"title": title})
        assert made.json()["title"] == title and json.loads(made.text)["title"] == title
        assert made.headers["content-type"] == "application/json"
        assert made.headers["x-content-type-options"] == "nosniff"
        client.delete(f"/v1/conversations/{made.json()['id']}")
