import { assert, describe, it } from "vitest"
import { type Life, underFaults } from "./faults/faults.ts"
import { job } from "./faults/job.ts"
import { service } from "./faults/service.ts"
import { firebaseSite } from "./faults/site.ts"

const lives: ReadonlyArray<readonly [string, () => Promise<Life>]> = [
  ["a service", service],
  ["a job", job],
  ["a site", firebaseSite]
]

describe("under faults", { concurrent: true }, () => {
  it.for(lives)("%s comes to the right end, with no change twice, in few more calls", async ([, life]) => {
    // Of 20 seeds, the mean is at most 2; of few, it says less.
    assert.isAtMost(await underFaults(life, 6), 2.5)
  })
})
