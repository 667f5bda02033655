import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { afterAll, assert, beforeAll, it } from "vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore } from "@signalbox/core/spi"
import { memoryBackend, runWith, temporary } from "./support.ts"

const id = "DX6604E"

let cwd: string
beforeAll(() => {
  cwd = temporary("spool")
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    stacks: [{ name: "web", provider: "simulated" }]
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
})
afterAll(() => Fs.rmSync(cwd, { recursive: true, force: true }))

const kept = (correlationId: string) => ({
  correlationId,
  deploymentId: id,
  environment: "production",
  command: "make deploy",
  by: "ada",
  reason: "no route",
  startedAt: 1_000,
  finishedAt: 2_000,
  code: 0,
  signal: null
})

it("an entry that cannot be recorded is reported, and stops neither the command nor the others", async () => {
  const world = await memoryBackend()
  const failing = Layer.effect(
    DeploymentStore,
    Effect.map(DeploymentStore, (store) => ({
      ...store,
      append: (write) => (write.stream === "a-bad" ? Effect.die(new Error("it does not fit")) : store.append(write))
    }))
  )
  const backend: typeof world.backend = {
    ...world.backend,
    layer: (options) =>
      Layer.fresh(Signalbox.layer).pipe(
        Layer.provideMerge(failing),
        Layer.provideMerge(world.stores),
        Layer.provideMerge(world.backend.layer(options))
      )
  }
  const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada" }
  const run = (...argv: ReadonlyArray<string>) => runWith(backend, cwd, argv, { env })
  const made = await run("init", "--id", id)
  assert.strictEqual(made.code, 0, made.stderr)
  const folder = Path.join(cwd, ".signalbox", "degraded")
  Fs.mkdirSync(folder, { recursive: true })
  for (const name of ["a-bad", "b-good"]) {
    Fs.writeFileSync(Path.join(folder, `${name}.json`), JSON.stringify(kept(name)))
  }
  const ran = await run("list")
  assert.strictEqual(ran.code, 0, ran.stderr)
  assert.match(ran.stderr, /cannot be recorded: .*a-bad\.json \(it does not fit\)/)
  assert.match(ran.stderr, /reconciled: b-good/)
  assert.deepEqual(Fs.readdirSync(folder), ["a-bad.json"])
  await world.close()
})
