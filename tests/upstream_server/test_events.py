"""The stream of events by itself."""

import asyncio

from upstream_server.events import Event, EventLog


async def test_events_are_numbered_without_holes_and_the_oldest_go() -> None:
    log = EventLog(kept=3)
    for number in range(5):
        log.emit("a", "request", number=number)
    assert [event["seq"] for event in log.after(0)] == [3, 4, 5]
    assert [event["seq"] for event in log.after(4)] == [5]
    assert log.after(5) == []
    assert log.after(99) == []


async def test_everyone_who_follows_gets_everything_in_order_until_the_end() -> None:
    log = EventLog()
    log.emit("a", "one")

    async def read(since: int) -> list[str]:
        return [event["kind"] async for batch in log.follow(since) for event in batch]

    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(read(0)), group.create_task(read(1))
        await asyncio.sleep(0)
        log.emit("a", "two")
        await asyncio.sleep(0)
        log.emit("b", "three")
        log.close()
    assert first.result() == ["one", "two", "three"]
    assert second.result() == ["two", "three"]


async def test_a_listener_of_the_log_gets_the_kept_ones_too() -> None:
    log = EventLog()
    log.emit("a", "one")
    heard: list[Event] = []
    log.listen(heard.append)
    log.emit("a", "two", connection=7)
    assert [event["kind"] for event in heard] == ["one", "two"]
    assert heard[1]["connection"] == 7
