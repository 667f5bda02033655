/**
 * A process that writes into a shared store, for comparison also into Postgres: `append <url> <name> <count>` appends to a stream of its own, `hold <url> <name>
 * <rounds> <ttl> <trail>` takes a lease again and again. It prints what it did as JSON.
 */
import { layerPlugin } from "@signalbox/core/plugin"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  EnvironmentName,
  LeaseStore,
  type NewEvent
} from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import { appendFileSync } from "node:fs"
import { postgresStore } from "../../../node/src/Stores.ts"
import { openStore } from "../../src/dynamodb/store.ts"

const [mode, url, name, count] = [process.argv[2]!, process.argv[3]!, process.argv[4]!, Number(process.argv[5])]
const [ttl, trail] = [Number(process.argv[6]), process.argv[7]!]

const requested = (stream: string): NewEvent => ({
  id: "requested",
  at: 1,
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
  at: 1,
  event: { _tag: "StepStarted", step: id, attempt: 1, operation: "stage" }
})

/** Milliseconds of a clock that all processes of this host share, and that cannot be set. */
const steady = () => Number(process.hrtime.bigint()) / 1e6

const appending = Effect.gen(function* () {
  const store = yield* DeploymentStore
  yield* store.append({ stream: name, events: [requested(name)] })
  const took: Array<number> = []
  for (let n = 0; n < count; n++) {
    const began = steady()
    yield* store.append({ stream: name, events: [step(`${n}`)] })
    took.push(steady() - began)
  }
  return took
})

const note = (line: object) => appendFileSync(trail, `${JSON.stringify(line)}\n`)

const holding = Effect.gen(function* () {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  yield* store.append({ stream: name, events: [requested(name)] })
  for (let n = 0; n < count; n++) {
    let asked = 0
    const ask = Effect.suspend(() => {
      asked = steady()
      return leases.acquire({ key: "one at a time", holder: name, owner: name, ttl: Duration.millis(ttl) })
    })
    const lease = yield* Effect.retry(ask, {
      schedule: Schedule.jittered(Schedule.spaced("200 millis")),
      while: ({ _tag }) => _tag === "LeaseHeld"
    })
    // Its own right, by its own clock, as the engine counts it.
    note({ fence: lease.fence, from: steady(), until: asked + ttl })
    yield* Effect.ignore(store.append({ stream: name, guards: [lease], events: [step(`under ${lease.fence}`)] }))
    yield* Effect.sleep(Duration.millis(10))
    note({ fence: lease.fence, left: steady() })
    yield* leases.release(lease)
  }
  return []
})

const program = mode === "append" ? appending : holding
const stores = url.startsWith("dynamodb:")
  ? layerPlugin({ load: openStore }, url, { directory: ".", stateDirectory: ".signalbox" })
  : postgresStore({ url: Redacted.make(url) })
const result = await Effect.runPromise(Effect.provide(program, stores))
process.stdout.write(JSON.stringify(result))
