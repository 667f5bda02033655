import { assert, describe, it } from "@effect/vitest"
import { DeploymentId, EnvironmentName, type Mutation, StackName, type StackRef } from "@signalbox/core/spi"
import { type SimulatedProvider, testMutation } from "@signalbox/core/testing"
import { Effect } from "effect"
import { Effects } from "../../src/testing/simulation/invariants/Effects.ts"
import type { Log } from "../../src/testing/simulation/invariants/Log.ts"
import { Monitor } from "../../src/testing/simulation/invariants/Monitor.ts"
import { World } from "../../src/testing/simulation/world/World.ts"

const stacks = ["db", "api", "web"]

const ref = (stack: string): StackRef => ({
  deploymentId: DeploymentId.make("DTEST01"),
  environment: EnvironmentName.make("production"),
  stack: StackName.make(stack),
  properties: null
})

const mutation = (stack: string): Mutation => testMutation(`deploy/retire/${stack}/0`)

/** A log in which one execution has the intents of all steps, and holds the lock. */
const log = {
  holds: () => true,
  leases: { get: () => ({ holder: "deploy" }) },
  executions: { get: () => ({ state: { correlationId: "deploy" }, steps: { get: () => ({ startedAt: 0 }) } }) }
} as unknown as Log

describe("effects at providers", () => {
  it("are counted once where counting one brings about others, that are looked for at once", () => {
    const world = new World(1, 0)
    const monitor = new Monitor(world)
    const process = world.process("p", 0)
    const ledger: Array<SimulatedProvider.LedgerEntry> = []
    const takesEffect = (stack: string) => {
      const { deploymentId, environment } = ref(stack)
      const { fence, idempotencyKey } = mutation(stack)
      ledger.push({
        at: 0,
        operation: "retire",
        deploymentId,
        environment,
        stack,
        releaseId: null,
        idempotencyKey,
        fence
      })
    }
    // Like a fault that delivers pending calls.
    const left = stacks.slice(1)
    const stepped = () => {
      const next = left.shift()
      if (next === undefined) return
      takesEffect(next)
      effects.look()
    }
    const inspect = () => Effect.succeed({ releases: [], traffic: {} })
    const effects = new Effects(monitor, log, [{ ledger, inspect }], stepped)
    for (const stack of stacks) effects.sent(process, "retire", ref(stack), mutation(stack))
    takesEffect(stacks[0]!)
    effects.look()
    effects.look()
    assert.isUndefined(monitor.violation)
    assert.strictEqual(monitor.steps, stacks.length)
  })
})
