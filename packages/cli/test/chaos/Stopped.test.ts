/**
 * A runner that is stopped between its last check and its call, at every mutation of a canary, and continued once
 * another process has taken over. Its call still goes out; the supervisor's ledger shows that it had no effect.
 */
import { afterAll, assert, describe, it } from "vitest"
import { sharedProgram } from "../sharedProgram.ts"
import { endOf, readLog, readNotes } from "./evidence.ts"
import * as Judge from "./judge.ts"
import { isStopped, until } from "./processes.ts"
import type { Started } from "./program.ts"
import { deploymentId, environment, type Scenario } from "./scenario.ts"
import { World } from "./World.ts"

const linux = process.platform === "linux"
const program = sharedProgram()
const worlds: Array<World> = []

afterAll(async () => {
  await Promise.allSettled(worlds.map((world) => world.remove(false)))
})

const scenario: Scenario = {
  name: "stopped",
  kind: "deploy",
  asks: false,
  stacks: [
    {
      name: "web",
      dependsOn: [],
      instances: 1,
      strategy: { type: "canary", steps: [{ weight: 50, bake: "300 millis" }] }
    }
  ],
  before: ["v1"],
  operation: [],
  leaseTtl: "2 seconds"
}

const deploy = (version: string, stream: string): ReadonlyArray<string> => [
  "deploy",
  deploymentId,
  "--environment",
  environment,
  "--version",
  version,
  "--correlation-id",
  stream,
  "--json"
]

const attach = (stream: string): ReadonlyArray<string> => ["attach", stream, "--json"]

/**
 * Starts a command that stops itself at a boundary, and waits until it has. On a busy machine its lease may expire
 * before it gets there; then another one continues from where it was.
 */
const stopped = async (world: World, args: ReadonlyArray<string>, stream: string, at: string): Promise<Started> => {
  let next = args
  for (;;) {
    const started = world.start(next, { disturbance: { at, deed: "stop" } })
    let over = false
    void started.ended.then(() => (over = true))
    await until(() => over || isStopped(started.child.pid!), 300_000, 5)
    if (!over) return started
    const { stderr } = await started.ended
    if (endOf(readLog(world.folder, stream), stream) !== undefined)
      assert.fail(`${stream} ended before ${at}: ${stderr}`)
    next = attach(stream)
  }
}

/** The mutations of an execution, in order, as `operation step`. */
const mutationsOf = (world: World, stream: string): ReadonlyArray<string> =>
  readNotes(world.trace).flatMap(({ label }) => {
    const [, operation, called, step] = /^connected (\w+) ([^/]+)\/(.*)$/.exec(label ?? "") ?? []
    return called === stream ? [`${operation} ${step}`] : []
  })

/** The fence of the lock that an execution took last. */
const highest = (world: World, stream: string): number =>
  Math.max(
    ...readLog(world.folder, stream).flatMap(({ body, tag }) => (tag === "LeaseAcquired" ? [Number(body.fence)] : []))
  )

/** Stops a deployment immediately before a mutation goes out, and has it taken over; returns how it ended. */
const overtake = async (world: World, version: string, stream: string, mutation: string) => {
  const [operation, step] = mutation.split(" ")
  const at = `connected ${operation} ${stream}/${step}`
  const sleeper = await stopped(world, deploy(version, stream), stream, at)
  const lock = highest(world, stream)
  // Waits for the claim of the sleeper to be over, and stops as soon as it is written that it took over.
  const successor = await stopped(world, attach(stream), stream, "after lease/")
  assert.isAbove(highest(world, stream), lock, mutation)

  const before = world.ledger
  sleeper.child.kill("SIGCONT")
  const slept = await world.end(sleeper, [at])
  assert.notStrictEqual(slept.code, 0, `${mutation}: the sleeper did not notice`)
  assert.deepEqual(world.ledger, before, `${mutation}: the sleeper had an effect`)

  successor.child.kill("SIGCONT")
  await world.end(successor, attach(stream))
  // It was stopped as well, perhaps for longer than its own claim lasts.
  while (endOf(readLog(world.folder, stream), stream) === undefined) await world.run(attach(stream))
  return endOf(readLog(world.folder, stream), stream)
}

describe.skipIf(!linux)("a runner that is stopped between its check and its call", () => {
  it.each([
    ["a canary that is completed", "v2", "completed", ["stage", "shift", "retire"]],
    ["a canary that goes back", "v2-erroring-web", "rolled_back", ["stage", "shift", "rollback"]]
  ] as const)("changes nothing once it was taken over, at any mutation of %s", async (_, version, end, operations) => {
    const world = new World(program, scenario)
    worlds.push(world)
    await world.prepare()
    const { stderr } = await world.run(deploy(version, "twin"))
    assert.strictEqual(endOf(world.log, "twin"), end, stderr)
    const mutations = mutationsOf(world, "twin")
    assert.includeMembers(
      mutations.map((mutation) => mutation.split(" ")[0]),
      [...operations]
    )
    for (const [index, mutation] of mutations.entries()) {
      // Something else each time, that the last one has not brought in yet.
      const next = version.replace("v2", `v${index + 3}`)
      assert.strictEqual(await overtake(world, next, `op-${index}`, mutation), end, mutation)
    }
    const { ledger, log } = world
    assert.deepEqual(Judge.steps(ledger, readNotes(world.trace), log), [])
    assert.deepEqual(Judge.mutators(ledger, log, true), [])
    await world.remove(false)
  })
})
