"""Tests of frs_teleop_cli.view_server, over real sockets."""

import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request

import cv2
import numpy as np
import pytest

from frs_teleop_cli import view_server
from frs_teleop_cli.view_server import FRAME_INTERVAL, ClosedError, Picture, Told, ViewServer

TOLD = Told((("Task", "stack <b>the</b> cups"),), ("No picture yet.",))
STOP_TIME = 2.0  # s


class Drawing:
    """Pictures of one colour, counted."""

    def __init__(self):
        self.made = 0

    def __call__(self):
        self.made += 1
        return np.full((48, 64, 3), (200, 40, 10), np.uint8)


@pytest.fixture
def drawing():
    return Drawing()


@pytest.fixture
def server(drawing):
    made = ViewServer("127.0.0.1", 0, drawing, lambda: TOLD)
    yield made
    made.close()


def get(server, path):
    with urllib.request.urlopen(f"{server.address}/{path}", timeout=5) as answer:
        return answer.headers, answer.read()


def refusal(server, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        get(server, path)
    return caught.value.code, caught.value.read().decode()


def until(happened, timeout=10.0):
    end = time.monotonic() + timeout
    while not happened():
        assert time.monotonic() < end, f"did not happen within {timeout} s"
        time.sleep(0.01)


def test_the_page_asks_for_what_there_is(server):
    headers, page = get(server, "")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    for path in ("picture.jpg", "facts.json"):
        assert path in page.decode()
        get(server, path)


def test_the_picture_comes_as_jpeg_in_its_colours(server):
    headers, body = get(server, "picture.jpg")
    assert headers["Content-Type"] == "image/jpeg"
    assert headers["Cache-Control"] == "no-store"
    picture = cv2.cvtColor(cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    assert picture.shape == (48, 64, 3)
    assert np.abs(picture.mean((0, 1)) - (200, 40, 10)).max() < 6


def test_the_facts_come_as_json(server):
    _, body = get(server, "facts.json")
    assert json.loads(body) == {"facts": [["Task", "stack <b>the</b> cups"]], "warnings": ["No picture yet."]}


def test_what_is_not_there_is_refused(server):
    assert refusal(server, "../../etc/passwd") == (404, "there are /, /picture.jpg and /facts.json")
    assert refusal(server, "picture.jpg?after=x") == (400, "after is 'x'; it must be a number")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", "/", b"x")
    assert connection.getresponse().status == 501
    connection.close()


def test_nothing_is_drawn_while_nobody_looks(server, drawing):
    for _ in range(100):
        server.picture.changed()
    get(server, "facts.json")
    assert drawing.made == 0


def test_a_picture_is_drawn_once_for_all_who_look(server, drawing):
    bodies = [get(server, "picture.jpg")[1] for _ in range(3)]
    assert drawing.made == 1
    assert len(set(bodies)) == 1


def test_the_asker_waits_for_a_newer_picture(server):
    first = get(server, "picture.jpg")[0]["X-Frame"]
    got = []
    asker = threading.Thread(target=lambda: got.append(get(server, f"picture.jpg?after={first}")[0]["X-Frame"]))
    asker.start()
    server.picture.changed()
    asker.join(5)
    assert got == [str(int(first) + 1)]


def test_without_a_newer_picture_the_asker_gets_the_old_one():
    drawing = Drawing()
    picture = Picture(drawing)
    number, body = picture.newest()
    assert picture.newest(number, wait=0.05) == (number, body)
    assert drawing.made == 1


def test_it_is_drawn_no_faster_than_the_cameras_are(drawing):
    picture = Picture(drawing)
    stop = threading.Event()

    def change():
        while not stop.wait(0.002):
            picture.changed()

    changer = threading.Thread(target=change)
    changer.start()
    begun, number = time.monotonic(), -1
    for _ in range(8):
        number, _ = picture.newest(number)
    seconds = time.monotonic() - begun
    stop.set()
    changer.join()
    assert drawing.made == 8
    assert seconds >= 7 * FRAME_INTERVAL - 0.01


def test_two_who_look_see_as_much_as_one(drawing):
    picture = Picture(drawing)
    stop = threading.Event()
    seen = [0, 0]

    def look(who):
        number = -1
        while not stop.is_set():
            picture.changed()
            number, _ = picture.newest(number)
            seen[who] += 1

    lookers = [threading.Thread(target=look, args=(who,)) for who in range(2)]
    for looker in lookers:
        looker.start()
    until(lambda: drawing.made == 12)
    stop.set()
    for looker in lookers:
        looker.join()
    assert min(seen) >= 10


def test_a_drawing_that_fails_is_told_and_the_next_one_comes(capfd):
    pictures = iter([None, np.zeros((8, 8, 3), np.uint8)])

    def draw():
        picture = next(pictures)
        if picture is None:
            raise ValueError("no pen")
        return picture

    server = ViewServer("127.0.0.1", 0, draw, lambda: TOLD)
    try:
        assert refusal(server, "picture.jpg") == (500, "ValueError: no pen")
        get(server, "picture.jpg")
    finally:
        server.close()
    assert "no pen" in capfd.readouterr().err


def test_clients_that_vanish_leave_the_others_alone(server, capfd):
    threads = threading.active_count()
    number = get(server, "picture.jpg")[0]["X-Frame"]
    for request in (b"", b"GET /pict", f"GET /picture.jpg?after={number} HTTP/1.1\r\n\r\n".encode()):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(request)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # reset instead of a farewell
        client.close()
    get(server, "picture.jpg")
    until(lambda: threading.active_count() <= threads)
    assert capfd.readouterr().err == ""


def test_a_client_that_takes_nothing_is_let_go(monkeypatch):
    monkeypatch.setattr(view_server._Handler, "timeout", 0.2)
    noise = np.random.default_rng(0).integers(0, 255, (1500, 1500, 3), np.uint8)  # more than the sockets hold
    server = ViewServer("127.0.0.1", 0, lambda: noise, lambda: TOLD)
    threads = threading.active_count()
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", server.port))
    try:
        for _ in range(8):
            slow.sendall(b"GET /picture.jpg HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: threading.active_count() > threads)
        get(server, "picture.jpg")  # others are served meanwhile
        until(lambda: threading.active_count() <= threads)
    finally:
        slow.close()
        server.close()


def test_a_taken_port_gives_the_next_one(server, drawing):
    second = ViewServer("127.0.0.1", server.port, drawing, lambda: TOLD)
    try:
        assert second.port != server.port
        assert second.address == f"http://127.0.0.1:{second.port}"
        get(second, "picture.jpg")
    finally:
        second.close()


def test_a_port_is_free_again_after_the_end(drawing):
    first = ViewServer("127.0.0.1", 0, drawing, lambda: TOLD)
    get(first, "")
    first.close()
    again = ViewServer("127.0.0.1", first.port, drawing, lambda: TOLD)
    again.close()
    assert again.port == first.port


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_a_host_that_is_not_here_is_named(host, drawing):
    with pytest.raises(OSError, match=rf"can't listen on host '{host}', port 8080: .*; host must be an IPv4 address"):
        ViewServer(host, 8080, drawing, lambda: TOLD)


def test_it_listens_to_this_machine_alone(server):
    assert server._server.server_address[0] == "127.0.0.1"


def test_it_closes_at_once_though_somebody_waits(drawing):
    server = ViewServer("127.0.0.1", 0, drawing, lambda: TOLD)
    number = int(get(server, "picture.jpg")[0]["X-Frame"])
    said = []

    def look():
        try:
            server.picture.newest(number, wait=60)
        except ClosedError as error:
            said.append(str(error))

    looker = threading.Thread(target=look)
    looker.start()
    idle = socket.create_connection(("127.0.0.1", server.port))
    begun = time.monotonic()
    server.close()
    looker.join(STOP_TIME)
    assert time.monotonic() - begun < STOP_TIME
    assert said == ["the view is being closed"]
    idle.close()
