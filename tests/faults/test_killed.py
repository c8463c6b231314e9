"""Clients that are killed at every point: nothing is lost, and everything is counted."""

from devtools.killing import ALLOWED, EVALUATIONS, POINTS, accounts, kill_clients, slow_server
from devtools.serving import wait_until

KILLS = 30
BUSY = 1.0  # seconds that a machine which does other things may add to any of them


def test_after_each_kill_the_engine_is_free_and_the_counters_add_up() -> None:
    with slow_server() as server:
        killed = kill_clients(server, KILLS, seed=1)
        sent = KILLS + sum(kill.point == "queued" for kill in killed)
        wait_until(lambda: accounts(server)[0] == sent)
        requests, made, delivered, discarded = accounts(server)
        assert requests == sent
        assert made == delivered + discarded
        assert discarded > 0
        assert server.metric("stylize_in_flight") == server.metric("stylize_queue_depth") == 0
        assert not server.errors()
        assert int(server.post().headers["X-Stylize-Evaluations"]) == EVALUATIONS
    assert {kill.point for kill in killed} == set(POINTS)
    assert all(kill.seconds < ALLOWED + BUSY for kill in killed)
