# SPDX-License-Identifier: GPL-3.0-or-later
"""tacho-cli bench --calibrate: the client against a server that knows when it sent."""

from harness import expect, main, run, test


@test
def the_stamps_are_held_against_the_sender():
    r = expect(run("bench", "--calibrate", "--concurrency", "64", "--duration", "0.5", "--json"), 0).json()
    assert r["schema"] == "tacho.calibration/1"
    assert [step["streams"] for step in r["steps"]] == [1, 16, 64]
    for step in r["steps"]:
        # Every event came, none before it was sent, and the half of them soon.
        assert step["events_per_s"] > 0.5 * step["planned_events_per_s"], step
        assert 0 < step["stamp_error_us_p50"] < 20000 and step["stamp_error_us_p99"] >= step["stamp_error_us_p50"], step
        assert step["own_read_share"] > 0.3 and step["cpu_us_per_event"] > 0, step
    text = expect(run("bench", "--calibrate", "--concurrency", "1", "--duration", "0.3"), 0).out
    assert "stamp p50" in text and ("without distortion" in text), text


main()
