/**
 * Going back to a release whose files are not unpacked any more.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Checkpoint, StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { app, type Bench, bench, mutation } from "./harness.ts"

/** Deploys three versions from three folders, keeping one release; returns the checkpoint of the first. */
const grown = (sources: string, { provider, ref }: Bench) =>
  Effect.gen(function* () {
    const stack = ref("api", { keep: 1, instances: 1 })
    const checkpoints: Array<Checkpoint> = []
    for (const version of ["v1", "v2", "v3"]) {
      const artifact = join(sources, version)
      cpSync(app, artifact, { recursive: true })
      writeFileSync(join(artifact, "version"), version)
      const plan = yield* provider.plan(stack, { version, artifact })
      checkpoints.push(plan.checkpoint)
      yield* provider.stage(stack, { plan, capacityPercent: 100 }, mutation(`stage-${version}`))
      const { id } = plan.candidate
      yield* provider.traffic!.shift(stack, { releaseId: id, percent: 100 }, mutation(`shift-${version}`))
      yield* provider.traffic!.retire(stack, { keep: id, capacityPercent: 0 }, mutation(`retire-${version}`))
    }
    return { stack, first: checkpoints[1]! }
  })

const foldersOf = (directory: string): ReadonlyArray<string> =>
  readdirSync(join(directory, "releases"), { recursive: true }).map(String)

const withSources = <A, E>(body: (sources: string) => Effect.Effect<A, E>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "signalbox-sources-"))),
    body,
    (sources) => Effect.sync(() => rmSync(sources, { recursive: true, force: true }))
  )

describe("a release that is not kept", () => {
  it.live("is unpacked again from its artifact, if that is still the same", () =>
    withSources((sources) =>
      Effect.scoped(
        Effect.gen(function* () {
          const here = yield* bench
          const { first, stack } = yield* grown(sources, here)
          const { provider } = here
          const has = (digest: string) => foldersOf(here.directory).some((path) => path.includes(digest.slice(7, 19)))
          const { stable } = yield* provider.observe(stack)
          assert.deepStrictEqual(
            [stable!, first.release!].map(({ digest }) => has(digest!)),
            [true, false]
          )
          assert.strictEqual((yield* provider.canGoBack!(stack, first)).how, "rebuild")
          const observed = yield* provider.rollback(stack, first, mutation("back"))
          assert.strictEqual(observed.stable?.version, "v1")
          assert.deepStrictEqual(
            observed.traffic.map(({ percent }) => percent),
            [100]
          )
        })
      )
    )
  )

  it.live("is refused beforehand if its artifact has changed, or is gone", () =>
    withSources((sources) =>
      Effect.scoped(
        Effect.gen(function* () {
          const here = yield* bench
          const { first, stack } = yield* grown(sources, here)
          const asked = (ref: StackRef) => here.provider.canGoBack!(ref, first)
          writeFileSync(join(sources, "v1", "version"), "another")
          const changed = yield* asked(stack)
          assert.strictEqual(changed.how, "impossible")
          assert.match(changed.why, /files of v1 are not kept any more, and .*its digest is sha256:/)
          rmSync(join(sources, "v1"), { recursive: true })
          assert.match((yield* asked(stack)).why, /does not exist/)
        })
      )
    )
  )
})
