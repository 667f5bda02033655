import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { bench, type Bench, deploy, killSupervisor, localProvider, mutation, stateOf, until, write } from "./harness.ts"

const read = (
  { provider }: Pick<Bench, "provider">,
  ref: ReturnType<Bench["ref"]>,
  options: { readonly releaseId?: string; readonly cursor?: string | null; readonly limit?: number } = {}
) => provider.logs!.read(ref, { cursor: null, limit: 100, ...options })

const texts = ({ lines }: { readonly lines: ReadonlyArray<{ readonly text: string }> }) => lines.map(({ text }) => text)

const reads = (here: Pick<Bench, "provider">, ref: ReturnType<Bench["ref"]>, text: string) =>
  Effect.promise(() =>
    until(`the log has "${text}"`, async () => {
      const page = await Effect.runPromise(read(here, ref))
      return texts(page).some((line) => line.includes(text))
    })
  )

const logsIn = (directory: string): string => join(directory, "local", "logs", "DX6604E", "test", "api")

describe("the logs of local stacks", () => {
  it.live("leave an incomplete line for later, and read it once it is complete", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const ref = here.ref("api")
      yield* deploy(here.provider, ref, "v1")
      yield* Effect.promise(() => write(here.directory, "api", "first\nsec"))
      yield* reads(here, ref, "first")
      const before = yield* read(here, ref)
      assert.deepStrictEqual(texts(before), ["first"])
      yield* Effect.promise(() => write(here.directory, "api", "ond\n"))
      yield* reads(here, ref, "second")
      assert.deepStrictEqual(texts(yield* read(here, ref, { cursor: before.cursor })), ["second"])
    })
  )

  it.live("go on where they were after a new file has begun", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const ref = here.ref("api")
      yield* deploy(here.provider, ref, "v1")
      yield* Effect.promise(() => write(here.directory, "api", "one\ntwo\n"))
      yield* reads(here, ref, "two")
      const { cursor } = yield* read(here, ref)
      yield* Effect.promise(() => write(here.directory, "api", "three\nfo"))
      yield* reads(here, ref, "three")
      // As the shell that writes it does at the limit.
      const [{ id }] = Object.values<any>(stateOf(here.directory).stacks)[0].instances
      const file = join(logsIn(here.directory), `${id}.log`)
      yield* Effect.promise(() => until("the end is written", () => readFileSync(file, "utf8").endsWith("fo")))
      renameSync(file, `${file}.1`)
      writeFileSync(file, "ur\nfive\n")
      assert.deepStrictEqual(texts(yield* read(here, ref, { cursor })), ["three", "four", "five"])
      assert.deepStrictEqual(texts(yield* read(here, ref, { limit: 2 })), ["four", "five"])
    })
  )

  it.live("divide a limit among the instances", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const ref = here.ref("api")
      yield* deploy(here.provider, ref, "v1")
      const [first, second] = readdirSync(logsIn(here.directory)).filter((name) => name.endsWith(".log"))
      writeFileSync(join(logsIn(here.directory), first!), "a1\na2\na3\na4\n")
      writeFileSync(join(logsIn(here.directory), second!), "b1\n")
      const page = yield* read(here, ref, { limit: 3 })
      assert.sameMembers(texts(page), ["a3", "a4", "b1"])
      assert.deepStrictEqual(texts(yield* read(here, ref, { cursor: page.cursor })), [])
    })
  )

  it.live("keep what a release wrote that did not come up, also behind a cursor, and mask its secrets", () =>
    Effect.gen(function* () {
      const { directory, ref: refOf } = yield* bench
      const provider = localProvider({ directory, env: { ...process.env, API_TOKEN: "sesame-4711" } })
      const ref = refOf("api", { env: { API_TOKEN: { $secret: "API_TOKEN" } } })
      yield* deploy(provider, ref, "v1")
      const { cursor } = yield* read({ provider }, ref)
      const plan = yield* provider.plan(ref, { version: "broken" })
      yield* Effect.flip(provider.stage(ref, { plan, capacityPercent: 100 }, mutation("broken")))
      const written = ["the secret is ***", "cannot find the database"]
      const page = yield* read({ provider }, ref, { cursor })
      assert.includeMembers(texts(page), written)
      assert.isTrue(page.lines.every(({ releaseId }) => releaseId === plan.candidate.id))
      assert.deepStrictEqual(texts(yield* read({ provider }, ref, { cursor: page.cursor })), [])
      assert.includeMembers(texts(yield* read({ provider }, ref, { releaseId: plan.candidate.id })), written)
    })
  )

  it.live("are read without a supervisor, but not without the secrets that they may contain", () =>
    Effect.gen(function* () {
      const { directory, ref: refOf } = yield* bench
      const knowing = localProvider({ directory, env: { ...process.env, API_TOKEN: "sesame-4711" } })
      const ref = refOf("api", { env: { API_TOKEN: { $secret: "API_TOKEN" } } })
      yield* deploy(knowing, ref, "v1")
      yield* Effect.promise(() => write(directory, "api", "token sesame-4711\n"))
      yield* reads({ provider: knowing }, ref, "token")
      // The supervisor knows it.
      const other = localProvider({ directory, env: {} })
      assert.deepStrictEqual(texts(yield* read({ provider: other }, ref)), ["token ***"])
      yield* Effect.promise(() => killSupervisor(directory))
      assert.deepStrictEqual(texts(yield* read({ provider: knowing }, ref)), ["token ***"])
      const refused = yield* Effect.flip(read({ provider: other }, ref))
      assert.deepInclude(refused.reason, {
        _tag: "Invalid",
        path: ["env", "API_TOKEN"],
        hint: "Set API_TOKEN where signalbox runs."
      })
    })
  )

  it.live("carry the time when they came, unless no supervisor was there to note it", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const ref = here.ref("api", { instances: 1 })
      // Files have a coarser clock.
      const before = Date.now() - 1000
      yield* deploy(here.provider, ref, "v1")
      yield* Effect.promise(() => write(here.directory, "api", "first\n"))
      yield* reads(here, ref, "first")
      const timeOf = (text: string) =>
        Effect.map(read(here, ref), ({ lines }) => lines.find((line) => line.text === text)?.at)
      const first = yield* timeOf("first")
      assert.isTrue(first! > before && first! <= Date.now(), `${first}`)
      yield* Effect.promise(() => killSupervisor(here.directory))
      yield* Effect.promise(() => write(here.directory, "api", "unseen\n"))
      yield* reads(here, ref, "unseen")
      assert.deepStrictEqual([yield* timeOf("first"), yield* timeOf("unseen")], [first, null])
      const plan = yield* here.provider.plan(ref, { version: "broken" })
      const again = Date.now() - 1000
      yield* Effect.flip(here.provider.stage(ref, { plan, capacityPercent: 100 }, mutation("broken")))
      const failed = yield* timeOf("cannot find the database")
      assert.isTrue(failed! > again && failed! <= Date.now(), `${failed}`)
      yield* Effect.promise(() => write(here.directory, "api", "seen again\n"))
      yield* reads(here, ref, "seen again")
      assert.deepStrictEqual([yield* timeOf("first"), yield* timeOf("unseen")], [first, null])
      assert.isAbove((yield* timeOf("seen again"))!, again)
    })
  )

  it.live("are no longer there once the stack is destroyed", () =>
    Effect.gen(function* () {
      const here = yield* bench
      const ref = here.ref("api")
      const plan = yield* here.provider.plan(ref, { version: "broken" })
      yield* Effect.flip(here.provider.stage(ref, { plan, capacityPercent: 100 }, mutation("stage")))
      assert.include(texts(yield* read(here, ref)), "cannot find the database")
      yield* here.provider.destroy(ref, mutation("destroy"))
      assert.deepStrictEqual((yield* read(here, ref)).lines, [])
      assert.isFalse(existsSync(logsIn(here.directory)))
    })
  )
})
