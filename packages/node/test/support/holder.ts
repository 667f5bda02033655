/** Runs a command under a lease that it renews itself, as `signalbox run` does. Each deadline goes to a file before it counts. */
import { LeasedCommand } from "@signalbox/node"
import { Redaction } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { writeFileSync } from "node:fs"

const [deadline, ttl, command, ...args] = process.argv.slice(2)

const renewal = Effect.sync(() => {
  const until = Date.now() + Number(ttl)
  writeFileSync(deadline!, `${until}`)
  return until
})

const exit = await Effect.runPromise(
  LeasedCommand.run({
    id: deadline!,
    command: command!,
    args,
    env: process.env,
    stdin: "ignore",
    ttl: Duration.millis(Number(ttl)),
    deadlines: Stream.fromEffectSchedule(renewal, Schedule.spaced(Duration.millis(Number(ttl) / 3))),
    redactor: Redaction.make({}),
    onOutput: () => undefined
  })
)
process.stdout.write(JSON.stringify(exit))
