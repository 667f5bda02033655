/** Appends steps to a shared stream and to one of its own, some under a lease, and leaves a trail of who held it. */
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  LeaseStore,
  type NewEvent
} from "@signalbox/core/spi"
import { embeddedStore } from "@signalbox/node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { appendFileSync } from "node:fs"
import { join } from "node:path"

const [directory, name, count] = [process.argv[2]!, process.argv[3]!, Number(process.argv[4])]

const requested = (stream: string): NewEvent => ({
  id: "requested",
  at: Date.now(),
  event: {
    _tag: "ExecutionRequested",
    correlationId: CorrelationId.make(stream),
    kind: "deploy",
    deploymentId: DeploymentId.make("DX6604E"),
    environment: EnvironmentName.make("production"),
    by: name,
    deploymentBefore: "initialized",
    stacksBefore: [],
    spec: { stacks: [], parallelism: 1, rollback: true, leaseTtl: Duration.seconds(15) }
  }
})

const step = (id: string): NewEvent => ({
  id,
  at: Date.now(),
  event: { _tag: "StepStarted", step: id, attempt: 1, operation: "stage" }
})

const trail = (word: string) => Effect.sync(() => appendFileSync(join(directory, "trail"), `${word} ${name}\n`))

const program = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  yield* store.append({ stream: "shared", events: [requested("shared")] })
  yield* store.append({ stream: name, events: [requested(name)] })
  for (let n = 0; n < count; n++) {
    yield* store.append({ stream: "shared", events: [step(`${name}.${n}`)] })
    yield* store.append({ stream: name, events: [step(`${n}`)] })
    if (n % 10 !== 0) continue
    const lease = yield* Effect.retry(
      leases.acquire({ key: "one at a time", holder: name, owner: name, ttl: Duration.minutes(1) }),
      { schedule: Schedule.spaced("2 millis"), while: ({ _tag }) => _tag === "LeaseHeld" }
    )
    yield* trail("enter")
    yield* store.append({ stream: "shared", guards: [lease], events: [step(`${name} held ${lease.fence}`)] })
    yield* trail("leave")
    yield* leases.release(lease)
  }
})

await Effect.runPromise(Effect.provide(program, embeddedStore({ directory, synchronous: "normal" })))
