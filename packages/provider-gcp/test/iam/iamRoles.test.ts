/**
 * Roles of IAM, checked by what a deployment really calls: the printed one suffices, and has nothing that no call needs.
 */
import { testMutation } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { assert, describe, expect, it } from "vitest"
import { iamRoles } from "../../src/iam/command.ts"
import { roleFor } from "../../src/iam/role.ts"
import { candidate, image, measuringOf, platform, ref, service } from "../cloudrun/platform.ts"
import * as Job from "../jobs/platform.ts"

const said = async (...args: ReadonlyArray<string>) => {
  let out = ""
  let err = ""
  const code = await iamRoles({ args, stdout: (text) => void (out += text), stderr: (text) => void (err += text) })
  return { code, out, err }
}

/** The permission that a method of the API needs: GetService needs run.services.get. */
const permissionOf = (method: string): string => {
  if (method === "GetProject") return "resourcemanager.projects.get"
  if (method === "ListLogEntries") return "logging.logEntries.list"
  if (method === "ListTimeSeries") return "monitoring.timeSeries.list"
  const [, verb = "", what = ""] = /^([A-Z][a-z]+)([A-Z]\w+?)s?$/.exec(method)!
  return `run.${what.toLowerCase()}s.${verb.toLowerCase()}`
}

describe("signalbox gcp iam-roles", () => {
  it("prints every permission that deployments need, and no other", async () => {
    const simulator = await platform()
    const provider = measuringOf(simulator)
    const job = Job.providerOf(simulator)
    const run = Effect.runPromise
    for (const version of ["v1", "v2"]) {
      const plan = await run(provider.plan(ref, candidate(version)))
      await run(provider.stage(ref, { plan, capacityPercent: 100 }, testMutation(`stage-${version}`)))
      const { id: keep } = plan.candidate
      await run(provider.traffic!.shift(ref, { releaseId: keep, percent: 100 }, testMutation(`shift-${version}`)))
      await run(provider.traffic!.retire(ref, { keep, capacityPercent: 0 }, testMutation(`retire-${version}`)))
      await run(provider.metrics!.measure(ref, { releaseId: keep, from: 0, to: 60_000 }))
      if (version === "v2") {
        // A revision that is gone is looked for among all others.
        const [old] = simulator.revisions(service)
        await simulator.prune(`${service}/revisions/${old}`)
        await run(provider.rollback(ref, plan.checkpoint, testMutation("back")))
      }
    }
    const broken = await run(provider.plan(ref, candidate("broken")))
    await run(Effect.flip(provider.stage(ref, { plan: broken, capacityPercent: 100 }, testMutation("stage-broken"))))
    await run(provider.destroy(ref, testMutation("destroy")))
    const first = await run(job.plan(Job.ref, candidate("v1")))
    await run(job.stage(Job.ref, { plan: first, capacityPercent: 100 }, testMutation("run-v1")))
    simulator.push(image("slow"), { startMillis: 3_600_000 })
    const slow = await run(job.plan(Job.ref, candidate("slow")))
    const fiber = Effect.runFork(job.stage(Job.ref, { plan: slow, capacityPercent: 100 }, testMutation("run-slow")))
    while (simulator.executions(Job.job).length < 2) await new Promise((resolve) => setImmediate(resolve))
    await run(job.rollback(Job.ref, slow.checkpoint, testMutation("back-job")))
    await run(Fiber.interrupt(fiber))
    await run(job.destroy(Job.ref, testMutation("destroy-job")))
    // To ask what one may do needs no permission.
    const methods = simulator.calls.flatMap(({ method }) => (method === "TestIamPermissions" ? [] : [method]))
    const needed = [...new Set(methods.map(permissionOf))].sort()
    await simulator.close()
    assert.deepStrictEqual(needed, roleFor({ purpose: "deploy", services: ["run"] }).includedPermissions)
  })

  it("lets a reader change nothing", () => {
    for (const permission of roleFor({ purpose: "plan" }).includedPermissions) expect(permission).toMatch(/(get|list)$/)
  })

  it("says what to type next", async () => {
    const { code, err, out } = await said("--for", "deploy", "--project", "shop-1", "--member", "user:a@b.c")
    assert.strictEqual(code, 0)
    expect(JSON.parse(out)).toMatchObject({ stage: "GA" })
    expect(err).toContain("gcloud iam roles create signalboxDeploy --project shop-1 --file role.json")
    expect(err).toContain("roles/iam.serviceAccountUser")
  })

  it.each([
    [["--for", "all"], "none of plan, deploy"],
    [[], "--for is missing"],
    [["--for", "plan", "--service", "sql"], "--service sql is none of run, hosting"],
    [["--from", "plan"], "--from"]
  ])("refuses %j", async (args, words) => {
    const { code, err, out } = await said(...args)
    assert.strictEqual(code, 64)
    assert.strictEqual(out, "")
    expect(err).toContain(words)
  })
})
