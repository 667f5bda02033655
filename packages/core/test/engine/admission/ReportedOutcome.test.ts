import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type Execution, StackName } from "@signalbox/core/spi"
import { Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { carryOut, config, deployed, drive, manifestOf, production, requestOf, world } from "../support.ts"

type Kind = Execution.ExecutionState["kind"]

/** Registers it, admits it, and reports the outcome 20 minutes later. */
const report = (kind: Exclude<Kind, "observe">, status: "succeeded" | "failed", stacks?: ReadonlyArray<string>) => {
  const { cloud, layer } = world()
  return Effect.gen(function* () {
    const box = yield* Signalbox
    const store = yield* DeploymentStore
    const manifest = manifestOf(config(), cloud)
    const deploymentId = yield* deployed(manifest)
    if (kind === "rollback") yield* carryOut(requestOf(manifest, deploymentId, "newer", { version: "2.0.0" }))
    const id = CorrelationId.make("outside")
    const calls = cloud.ledger.length
    yield* box.executions.submit(
      requestOf(manifest, deploymentId, id, {
        kind,
        version: "8.0.0",
        queue: "fifo",
        ...(stacks === undefined ? {} : { stacks: stacks.map((name) => StackName.make(name)) })
      })
    )
    const { turnAt } = yield* drive(
      yield* Effect.forkChild(box.coordination.waitForAdmission(id, { hold: Duration.hours(1) }))
    )
    yield* TestClock.adjust("20 minutes")
    yield* box.coordination.cleanup(id, { status, by: "ada", reason: "says the pipeline" })
    const state = yield* store.execution(id)
    const environment = yield* store.environment(deploymentId, production)
    assert.strictEqual(cloud.ledger.length, calls)
    assert.strictEqual(state?.startedAt, turnAt)
    return {
      execution: [state?.status, state?.error?.code],
      deployment: environment?.status,
      stacks: environment?.stacks.map(({ name, release, status }) => [name, status, release?.version ?? null]),
      stages: state?.stages.filter(({ status }) => status !== "skipped").map(({ name, status }) => [name, status])
    }
  }).pipe(Effect.provide(layer))
}

describe("reported outside work", () => {
  it.effect.each([
    {
      kind: "deploy",
      status: "succeeded",
      is: {
        execution: ["completed", undefined],
        deployment: "deployed",
        stack: ["deployed", "8.0.0"],
        stage: "deployment"
      }
    },
    {
      kind: "deploy",
      status: "failed",
      is: {
        execution: ["failed", "reported_failed"],
        deployment: "failed",
        stack: ["failed", "1.0.0"],
        stage: "deployment"
      }
    },
    {
      kind: "destroy",
      status: "succeeded",
      is: {
        execution: ["completed", undefined],
        deployment: "destroyed",
        stack: ["destroyed", null],
        stage: "destruction"
      }
    },
    {
      kind: "rollback",
      status: "succeeded",
      is: {
        execution: ["completed", undefined],
        deployment: "deployed",
        stack: ["deployed", "1.0.0"],
        stage: "rollback"
      }
    },
    {
      kind: "run",
      status: "succeeded",
      is: {
        execution: ["completed", undefined],
        deployment: "deployed",
        stack: ["deployed", "1.0.0"],
        stage: "deployment"
      }
    }
  ] as const)("a $kind that $status", ({ is, kind, status }) =>
    Effect.gen(function* () {
      const seen = yield* report(kind, status)
      assert.deepStrictEqual<ReadonlyArray<unknown>>(seen.execution, is.execution)
      assert.strictEqual(seen.deployment, is.deployment)
      for (const [, ...stack] of seen.stacks ?? []) assert.deepStrictEqual(stack, [...is.stack])
      assert.deepStrictEqual(seen.stages, [[is.stage, status]])
    })
  )

  it.effect("of one stack leaves the deployment and the others alone", () =>
    Effect.gen(function* () {
      for (const kind of ["deploy-stack", "run"] as const) {
        const { deployment, stacks = [] } = yield* report(kind, "succeeded", ["api"])
        assert.strictEqual(deployment, "deployed")
        assert.deepStrictEqual(
          stacks.map(([name, , version]) => [name, version]).sort(),
          stacks.map(([name]) => [name, name === "api" ? "8.0.0" : "1.0.0"]).sort()
        )
      }
      const { deployment, stacks = [] } = yield* report("destroy-stack", "succeeded", ["api"])
      assert.strictEqual(deployment, "deployed")
      assert.deepStrictEqual(stacks.find(([name]) => name === "api")?.[1], "destroyed")
    })
  )
})
