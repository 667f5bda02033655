import assert from "node:assert/strict"
import { candidate, platform, providerOf, ref, service as name, sharesOf } from "../../cloudrun/platform.ts"
import type { Life } from "./faults.ts"

/** Deploys v1, then v2 in two steps, goes back, and destroys. */
export const service = async (): Promise<Life> => {
  // Polls are counted too: how many there are must not depend on the machine's speed.
  const simulator = await platform({ operationMillis: 0, operationReads: 5 })
  return {
    target: simulator.rest,
    changes: () => simulator.changes.filter(({ failed }) => failed === undefined).length,
    close: () => simulator.close(),
    live: async ({ ask, mutation }, url) => {
      const provider = providerOf(simulator, "rest", url)
      const { retire, shift } = provider.traffic!
      const deploy = async (version: string, ...shares: ReadonlyArray<number>) => {
        const plan = await ask(provider.plan(ref, candidate(version)))
        const releaseId = plan.candidate.id
        await ask(provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${version}`)))
        for (const percent of shares) {
          await ask(shift(ref, { releaseId, percent }, mutation(`shift-${version}-${percent}`)))
        }
        await ask(retire(ref, { keep: releaseId, capacityPercent: 0 }, mutation(`retire-${version}`)))
        return plan
      }
      await deploy("v1", 100)
      const { checkpoint } = await deploy("v2", 50, 100)
      assert.deepEqual(await sharesOf(simulator, 10), { v2: 100 })
      await ask(provider.rollback(ref, checkpoint, mutation("rollback")))
      assert.deepEqual(await sharesOf(simulator, 10), { v1: 100 })
      assert.equal(simulator.revisions(name).length, 2)
      await ask(provider.destroy(ref, mutation("destroy")))
      assert.equal(simulator.service(name), undefined)
    }
  }
}
