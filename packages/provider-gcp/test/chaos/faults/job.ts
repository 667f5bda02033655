import assert from "node:assert/strict"
import { candidate, platform } from "../../cloudrun/platform.ts"
import { configured, executionsOf, job as name, providerOf, ref } from "../../jobs/platform.ts"
import type { Life } from "./faults.ts"

/** Runs v1, then v2, goes back, and destroys. */
export const job = async (): Promise<Life> => {
  const simulator = await platform({ operationMillis: 0, operationReads: 5 })
  return {
    target: simulator.rest,
    changes: () => simulator.changes.filter(({ failed }) => failed === undefined).length,
    close: () => simulator.close(),
    live: async ({ ask, mutation }, url) => {
      const provider = providerOf(simulator, "rest", url)
      const run = async (version: string) => {
        const plan = await ask(provider.plan(ref, candidate(version)))
        await ask(provider.stage(ref, { plan, capacityPercent: 100 }, mutation(version)))
        assert.equal(executionsOf(simulator, version).length, 1)
        return plan
      }
      await run("v1")
      const { checkpoint } = await run("v2")
      await ask(provider.rollback(ref, checkpoint, mutation("rollback")))
      assert.deepEqual(configured(simulator), { v1: 1 })
      assert.equal(simulator.executions(name).length, 2)
      await ask(provider.destroy(ref, mutation("destroy")))
      assert.equal(simulator.job(name), undefined)
    }
  }
}
