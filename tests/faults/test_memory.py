"""Memory that runs out and a GPU that fails, at a real server."""

from concurrent.futures import ThreadPoolExecutor

from devtools.running import Server
from devtools.serving import wait_until
from service.engine.engine import EXIT_STOPS_MASTER


def test_the_request_after_one_without_memory_works(server: Server) -> None:
    before = server.metric("stylize_oom_total")
    server.fault_file.touch()
    refused = server.post()
    server.fault_file.unlink()
    assert refused.status_code == 503
    assert refused.json()["type"] == "/problems/out-of-memory"
    assert int(refused.headers["Retry-After"]) >= 1
    assert server.get("/readyz").status_code == 200
    assert server.post().status_code == 200
    assert server.metric("stylize_oom_total") == before + 1
    assert server.requests_logged()[-2]["outcome"] == "oom"


def test_when_the_gpu_fails_everybody_gets_an_answer_and_the_master_stops() -> None:
    with Server() as server, ThreadPoolExecutor(3) as pool:
        server.hold()
        answers = [pool.submit(server.post) for _ in range(3)]
        wait_until(lambda: server.metric("stylize_in_flight") == 3)
        server.fault_file.write_text("CUDA error: device-side assert triggered")
        server.release()
        assert [answer.result().status_code for answer in answers] == [503] * 3
        assert {answer.result().json()["type"] for answer in answers} == {"/problems/restarting"}
        assert all(int(answer.result().headers["Retry-After"]) >= 1 for answer in answers)
        assert server.process.wait(60) == EXIT_STOPS_MASTER
        critical = [line["message"] for line in server.log() if line["level"] == "critical"]
        assert critical == ["The GPU has failed for good: the process has to be started again."]
