import assert from "node:assert/strict"
import { candidate, platform, providerOf, ref, shown } from "../../hosting/platform.ts"
import type { Life } from "./faults.ts"

/** Deploys v1, then v2, goes back, and takes the site offline. */
export const firebaseSite = async (): Promise<Life> => {
  const here = await platform()
  const { simulator } = here
  return {
    target: simulator.hosting.url,
    // A version that is finalized or a channel that is extended twice is the same as before.
    changes: () =>
      simulator.changes.filter(({ failed, method }) => failed === undefined && method === "CreateRelease").length,
    close: here.close,
    live: async ({ ask, mutation }, url) => {
      const provider = providerOf(here, url)
      const { retire, shift } = provider.traffic!
      const deploy = async (version: string) => {
        const plan = await ask(provider.plan(ref, candidate(version)))
        const releaseId = plan.candidate.id
        await ask(provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${version}`)))
        await ask(shift(ref, { releaseId, percent: 100 }, mutation(`shift-${version}`)))
        await ask(retire(ref, { keep: releaseId, capacityPercent: 0 }, mutation(`retire-${version}`)))
        return plan
      }
      await deploy("v1")
      const { checkpoint } = await deploy("v2")
      assert.equal(await shown(here), "v2")
      await ask(provider.rollback(ref, checkpoint, mutation("rollback")))
      assert.equal(await shown(here), "v1")
      await ask(provider.destroy(ref, mutation("destroy")))
      assert.equal(await shown(here), undefined)
    }
  }
}
