import { afterEach, assert, beforeEach, it, vi } from "vitest"
import { ServerClock } from "../../src/dynamodb/ServerClock.ts"

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "performance"] }))
afterEach(() => void vi.useRealTimers())

/** An answer of a server that is ahead of this host by so many ms; the call takes 10 ms. */
const answer = (clock: ServerClock, ahead: number) => {
  const sent = performance.now()
  vi.advanceTimersByTime(5)
  const date = new Date(Date.now() + ahead).toUTCString()
  vi.advanceTimersByTime(5)
  clock.sample(date, sent, performance.now())
}

it("believes this host where the server's seconds allow it", () => {
  const clock = new ServerClock()
  assert.isFalse(clock.isSet)
  answer(clock, 0)
  assert.isTrue(clock.isSet)
  assert.closeTo(clock.now(), Date.now(), 1)
  vi.advanceTimersByTime(123_456)
  answer(clock, 0)
  assert.closeTo(clock.now(), Date.now(), 1)
  assert.isFalse(clock.isHostWrong)
})

it.each([20_000, -20_000, 700])(
  "finds the time of a server that is off by %s ms, whatever this host's clock says",
  (off) => {
    const clock = new ServerClock()
    for (let n = 0; n < 150; n++) answer(clock, off)
    assert.isAtMost(clock.uncertainty, 25)
    assert.closeTo(clock.now(), Date.now() + off, 25)
    assert.isTrue(clock.isHostWrong)
  }
)

it("goes on by monotonic time when the clock of this host is set", () => {
  const clock = new ServerClock()
  for (let n = 0; n < 150; n++) answer(clock, 0)
  const real = Date.now()
  vi.setSystemTime(real - 20_000)
  assert.closeTo(clock.now(), real, 1)
  answer(clock, 20_000)
  assert.closeTo(clock.now(), real + 10, 20)
})

it("starts again after a suspension, during which monotonic time stood still", () => {
  const clock = new ServerClock()
  for (let n = 0; n < 150; n++) answer(clock, 0)
  const real = Date.now() + 3_600_000
  vi.setSystemTime(real)
  answer(clock, 0)
  assert.closeTo(clock.now(), real + 10, 1)
})

it("is not confused by hosts of the server that disagree a little", () => {
  const clock = new ServerClock()
  for (let n = 0; n < 300; n++) answer(clock, n % 2 === 0 ? 40 : -40)
  assert.isAtMost(clock.uncertainty, 200)
  assert.closeTo(clock.now(), Date.now(), 100)
})
