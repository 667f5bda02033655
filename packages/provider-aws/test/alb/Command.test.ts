import { assert, describe, it } from "vitest"
import { actionsOf, running, sharesOf, sourceOf } from "./platform.ts"
import { id, world, yamlOf } from "./world.ts"

describe("the command and a service behind a load balancer", () => {
  it("adopts it, promotes a canary, rolls a bad one back, goes back, and destroys", async ({ onTestFinished }) => {
    const here = await world(onTestFinished)
    const { answers, ends, service, simulator } = here
    simulator.push(sourceOf("v3"), { body: "v3", errorRate: 0.5 })
    await ends(0, "init", "--id", id)
    const preview = await ends(0, "deploy", "--version", "v2", "--dry-run")
    assert.include(preview, "adopted")
    assert.deepStrictEqual(simulator.ledger.writes, [])
    await ends(0, "deploy", "--version", "v2", "--correlation-id", "second")
    assert.deepStrictEqual(await sharesOf(here, 10), { v2: 100 })
    assert.deepStrictEqual(running(here), { v2: 2 })
    const versions = new Set(answers.map(({ version }) => version))
    assert.isTrue(versions.has("v1") && versions.has("v2"))
    const notAnswered = () => answers.filter(({ status, version }) => status !== 200 && version !== "v3")
    assert.deepStrictEqual(notAnswered(), [])
    const failed = await ends(3, "deploy", "--version", "v3", "--correlation-id", "third")
    assert.match(failed, /errors/)
    assert.deepStrictEqual(await sharesOf(here, 10), { v2: 100 })
    simulator.push(sourceOf("v4"), { body: "v4" })
    here.configure(yamlOf(here, { strategy: "{ type: blue_green }" }))
    await ends(0, "deploy", "--version", "v4", "--correlation-id", "fourth")
    assert.deepStrictEqual(await sharesOf(here, 10), { v4: 100 })
    await ends(0, "rollback", id, "--correlation-id", "back")
    assert.deepStrictEqual(await sharesOf(here, 10), { v2: 100 })
    assert.strictEqual(simulator.ledger.toTargetsTakenAway, 0)
    assert.isAtLeast(simulator.ledger.capacity.get(service.listener)!.minimum, 2)
    assert.deepStrictEqual(notAnswered(), [])
    await ends(0, "destroy", id, "--yes", "--correlation-id", "end")
    assert.deepStrictEqual(running(here), {})
    assert.strictEqual((await actionsOf(here))[0]!["Type"], "forward")
  })
})
