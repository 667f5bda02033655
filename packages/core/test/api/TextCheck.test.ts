import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Signalbox } from "@signalbox/core/engine"
import { type CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import { canary, manifestOf, production, requestOf, world } from "../engine/support.ts"

const text = "1.0.0\u001b[2J\nerror: forged"
const id = "first" as CorrelationId

describe("texts that people hand in", () => {
  it.effect("are rejected if they do not fit on a line, and nothing is recorded", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const asked = (changes: Parameters<typeof requestOf>[3]) => requestOf(manifest, deploymentId, id, changes)
      const told = { environment: production, reason: text, by: "tester" }
      const calls: ReadonlyArray<readonly [string, Effect.Effect<unknown, unknown>]> = [
        ["by", box.deployments.init({ manifest, by: text })],
        ["by", box.deployments.ensure({ manifest, by: text, deploymentId })],
        ["version", box.executions.submit(asked({ version: text }))],
        ["artifact", box.executions.submit(asked({ artifact: text }))],
        ["by", box.executions.submit(asked({ by: text }))],
        ["reason", box.executions.submit(asked({ reason: text }))],
        ["override", box.executions.submit(asked({ override: text }))],
        ["origin.commit", box.executions.submit(asked({ origin: { commit: text } }))],
        ["origin.workflowRun", box.executions.submit(asked({ origin: { workflowRun: text } }))],
        ["version", box.executions.plan(asked({ version: text }))],
        ["reason", box.executions.command(id, { command: "abort", by: "tester", reason: text })],
        ["reason", box.coordination.cleanup(id, { status: "failed", by: "tester", reason: text })],
        ["reason", box.coordination.decide(deploymentId, { _tag: "EnvironmentLocked", ...told })],
        [
          "version",
          box.coordination.decide(deploymentId, { _tag: "VersionVetoed", version: text, ...told, reason: "bad" })
        ],
        ["reason", box.coordination.revokeLease(deploymentId, told)]
      ]
      for (const [path, call] of calls) {
        const error = yield* Effect.flip(call)
        assert.include(error as object, { _tag: "Rejected", kind: "invalid", code: "text_unfit" })
        assert.strictEqual((error as { readonly info: { readonly path?: string } }).info.path, path)
        assert.notInclude(JSON.stringify(error), "forged")
      }
      assert.isUndefined(yield* store.execution(id))
      const deployment = yield* store.deployment(deploymentId)
      assert.deepEqual([deployment?.vetoes ?? [], deployment?.locks ?? []], [[], []])
    }).pipe(Effect.provide(layer))
  })
})
